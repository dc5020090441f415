"""The audit service: an account of every send that nobody can rewrite. It alone wires."""

import asyncio
import gc
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cache

import httpx
from fastapi import APIRouter, FastAPI
from pymongo.errors import PyMongoError
from starlette.routing import BaseRoute

from services.audit.api import (
    exports,
    figures,
    logs,
    messages,
    recovery,
    reports,
    sends,
    subjects,
    zones,
)
from services.audit.api.scope import Flows
from services.audit.consumers import PublishedIsRead, checkpoint_consumer, log_consumer
from services.audit.domain.alarms import BROKEN
from services.audit.flows.answer_closings import AnswerClosings
from services.audit.flows.append_entries import AppendEntries
from services.audit.flows.apply_erasures import ApplyErasures
from services.audit.flows.change_log_key import ChangeLogKey
from services.audit.flows.check_lists import CheckLists
from services.audit.flows.check_log import CheckLog
from services.audit.flows.check_messages import CheckMessages
from services.audit.flows.count_sends import CountSends
from services.audit.flows.describe_message import DescribeMessage
from services.audit.flows.describe_processing import DescribeProcessing
from services.audit.flows.describe_subject import DescribeSubject
from services.audit.flows.drop_ended import DropEnded
from services.audit.flows.export_rows import ExportRows
from services.audit.flows.join_originals import JoinOriginals
from services.audit.flows.limit_lookups import LimitLookUps
from services.audit.flows.list_access import ListAccess
from services.audit.flows.list_logs import ListLogs
from services.audit.flows.list_messages import ListMessages
from services.audit.flows.list_sends import ListSends
from services.audit.flows.look_up_subject import LookUpSubject
from services.audit.flows.metrics import MISSING_KEYS
from services.audit.flows.prove import Prove
from services.audit.flows.raise_alarms import RaiseAlarms
from services.audit.flows.record_access import RecordAccess
from services.audit.flows.record_batch import RecordBatch
from services.audit.flows.recover_log import RecoverLog
from services.audit.flows.show_message import ShowMessage
from services.audit.flows.show_send import ShowSend
from services.audit.flows.sign_checkpoints import SignCheckpoints
from services.audit.flows.stream_bundle import StreamBundle
from services.audit.flows.watch_lists import WatchLists
from services.audit.jobs import Jobs, make_jobs
from services.audit.settings import AuditSettings
from services.audit.signer import Signer
from services.audit.store.checkpoints import Checkpoints
from services.audit.store.checks import Checks
from services.audit.store.closings import Closings
from services.audit.store.copies import Copies
from services.audit.store.erasures import Erasures
from services.audit.store.log import LogStore
from services.audit.store.lookups import LookUps
from services.audit.store.messages import Messages
from services.audit.store.originals import Originals
from services.audit.store.ownership import Ownership
from services.audit.store.private import PrivateParts
from services.audit.store.sends import Sends
from services.audit.store.years import Years
from shared import dead_letter_routes
from shared.access import Authenticator
from shared.clock import Clock
from shared.consume import Consumer
from shared.dead_letters import LetterDesk
from shared.failures import Retryable
from shared.http import PROBLEM_RESPONSES, application, install, trusted
from shared.kafka import KafkaLog, Log
from shared.logging import configure
from shared.mongo import Client, Database, connect
from shared.mongo import database as open_database
from shared.outbox import Outbox, OutboxPublisher
from shared.pseudonyms import KeyRing
from shared.service import instance_name, run, serve
from shared.settings import read_settings
from shared.tasks import Task
from shared.topics import CHECKPOINTS, Party

_SERVICE = Party.AUDIT.value
_GATHER = timedelta(milliseconds=200)
"""How long what was read waits to be put on its topic: each time costs the log a transaction, a
signature and a publication, during which the next reader would wait."""

_GC = (200_000, 20, 20)
"""Look for cycles once in so many new objects: a batch holds tens of thousands, and no cycle."""


@dataclass(frozen=True, slots=True)
class App:
    """The wired service: its HTTP application and everything that runs beside it."""

    http: FastAPI
    tasks: list[Task]
    ready: "Readiness"


@dataclass(frozen=True, slots=True)
class Stores:
    """The collections, by what they are for."""

    log: LogStore
    sends: Sends
    originals: Originals
    messages: Messages
    closings: Closings
    copies: Copies
    erasures: Erasures
    checkpoints: Checkpoints
    lookups: LookUps
    checks: Checks
    years: Years
    private: PrivateParts

    @classmethod
    def of(
        cls,
        database: Database,
        settings: AuditSettings,
        clock: Clock,
        sealed: Callable[[], None],
    ) -> "Stores":
        """Bind them to a database; `sealed` is told of each batch of the log."""
        kept_for = (settings.text_kept_for, settings.private_kept_for)
        return cls(
            log=LogStore(database, clock, *kept_for, sealed),
            sends=Sends(database),
            originals=Originals(database, settings.text_kept_for),
            messages=Messages(database),
            closings=Closings(database),
            copies=Copies(database),
            erasures=Erasures(database),
            checkpoints=Checkpoints(database),
            lookups=LookUps(database),
            checks=Checks(database),
            years=Years(database),
            private=PrivateParts(database),
        )

    async def prepare(self) -> None:
        """Create every index."""
        for store in (
            self.log,
            self.originals,
            self.messages,
            self.closings,
            self.erasures,
            self.lookups,
        ):
            await store.prepare()


@dataclass(frozen=True, slots=True)
class Readiness:
    """What stands in the way of working."""

    database: Database
    log: Log
    consumers: list[Consumer]
    ownership: Ownership
    sign: SignCheckpoints
    lists: WatchLists
    published_is_read: PublishedIsRead
    broken_logs: Collection[str]
    ring: KeyRing
    clock: Clock

    async def __call__(self) -> Mapping[str, str]:
        """Name it, by part."""
        waiting: dict[str, str] = {}
        try:
            await self.database.command("ping")
            await self.log.end_offsets([CHECKPOINTS.name])
            if not await self.published_is_read():
                waiting["checkpoints"] = "reading what was published; nothing is signed before"
            for name, doubt in (await self.lists.doubted()).items():
                waiting[f"lists of {name}"] = doubt
        except PyMongoError:
            waiting["mongo"] = "the database does not answer"
        except Retryable as error:
            waiting["kafka"] = str(error)
        for consumer in self.consumers:
            if (why := consumer.health.why) is not None:
                waiting[consumer.group] = why
        return waiting | self._logs() | self._missing_keys()

    def _logs(self) -> dict[str, str]:
        """Name the logs that are not written or not signed; the worst of each."""
        other = "another process writes it; is this one too many?"
        why = dict.fromkeys(self.ownership.refused, other)
        why |= {name: f"not signed: {doubt}" for name, doubt in self.sign.doubts.items()}
        why |= {
            name: f"restored: signed again when it has more than {size} entries"
            for name, size in self.sign.restored.items()
        }
        why |= dict.fromkeys(self.broken_logs, BROKEN)
        return {f"log {name}": text for name, text in why.items()}

    def _missing_keys(self) -> dict[str, str]:
        """Name the zones without a key for this year; of the next a metric tells in time."""
        today = self.clock.now().astimezone(UTC).date()
        return {
            f"pseudonyms of {zone}": f"there is no key for {year}; run `buurtbode pseudonyms "
            f"rotate --zone {zone}`"
            for zone, year in self.ring.missing(today)
            if year == today.year
        }


@cache
def _routes() -> list[BaseRoute]:
    """Give the routes, the same for all applications: analysing them takes time for each."""
    every = APIRouter(responses=PROBLEM_RESPONSES)
    for part in (messages, sends, zones, figures, subjects, recovery, logs, exports, reports):
        every.include_router(part.router, prefix="/v1")
    every.include_router(dead_letter_routes.router, prefix="/v1")
    return every.routes


def api() -> FastAPI:
    """Make the application with its routes and nothing wired; the OpenAPI document is its."""
    return application("audit", "A tamper-evident account of every send.", _routes())


async def build(settings: AuditSettings, log: Log, client: Client, clock: Clock) -> App:
    """Wire the service and create its indexes; the caller serves `http` and runs `tasks`.

    Raises `NoSigningKey`.
    """
    signer = Signer.load(settings.signing_key, settings.former_signing_key)
    database = open_database(client, settings.mongo.database)
    spare = asyncio.Event()
    stores = Stores.of(database, settings, clock, sealed=spare.set)
    outbox = Outbox(database, f"buurtbode/{_SERVICE}", clock)
    await outbox.prepare()
    await stores.prepare()
    owner = clock.new_id()
    ownership = Ownership(database, owner, clock)
    published_is_read = PublishedIsRead(log, database)
    sign = SignCheckpoints(
        client=client,
        log=stores.log,
        checkpoints=stores.checkpoints,
        check_log=CheckLog(client, stores.log, stores.checkpoints, signer.verifiers),
        checks=stores.checks,
        ownership=ownership,
        outbox=outbox,
        sign=signer.sign,
        published_is_read=published_is_read,
        clock=clock,
    )
    append = AppendEntries(client, stores.log, ownership)
    check_messages = CheckMessages(client, stores.log, stores.messages, stores.closings)
    check_lists = CheckLists(client, stores.log, stores.sends, stores.years, check_messages)
    lists = WatchLists(check_lists, stores.log, stores.checks, clock)
    key = ChangeLogKey(append, stores.checkpoints, signer, clock)
    jobs = _jobs(stores, append=append, outbox=outbox, sign=sign, lists=lists, key=key, clock=clock)
    record = RecordBatch(
        append=append,
        ownership=ownership,
        originals=stores.originals,
        messages=stores.messages,
        closings=stores.closings,
        copies=stores.copies,
        erasures=stores.erasures,
        clock=clock,
    )
    consumers = [
        log_consumer(
            record,
            log=log,
            client=client,
            database=database,
            outbox=outbox,
            clock=clock,
            after=jobs.wake,
            spare=spare,
        ),
        checkpoint_consumer(
            stores.checkpoints,
            log=log,
            client=client,
            database=database,
            outbox=outbox,
            clock=clock,
        ),
    ]
    ring = KeyRing(settings.pseudonym_keys)
    MISSING_KEYS.set_function(lambda: len(ring.missing(clock.now().astimezone(UTC).date())))
    ready = Readiness(
        database=database,
        log=log,
        consumers=consumers,
        ownership=ownership,
        sign=sign,
        lists=lists,
        published_is_read=published_is_read,
        broken_logs=stores.log.broken,
        ring=ring,
        clock=clock,
    )
    tokens = httpx.AsyncClient(verify=trusted())
    app = api()
    app.state.authenticator = Authenticator(settings.oidc, clock, tokens)
    record_access = RecordAccess(outbox, ring, clock)
    recover = RecoverLog(
        append=append,
        checkpoints=stores.checkpoints,
        check_log=CheckLog(client, stores.log, stores.checkpoints, signer.verifiers),
        published_is_read=published_is_read,
        clock=clock,
        wake=jobs.check.wake,
    )
    app.state.dead_letters = LetterDesk(
        service="audit",
        database=database,
        client=client,
        outbox=outbox,
        log=log,
        clock=clock,
        consumers=consumers,
    )
    app.state.flows = _flows(
        stores,
        signer=signer,
        record_access=record_access,
        recover=recover,
        limit_lookups=LimitLookUps(stores.lookups, settings.lookups_per_hour, clock),
        ring=ring,
        text_kept_for=settings.text_kept_for,
        private_kept_for=settings.private_kept_for,
        clock=clock,
    )
    install(app, ready)
    owner = instance_name(settings.http)
    publisher = OutboxPublisher(outbox, log, database, owner, gather=_GATHER)
    tasks: list[Task] = [publisher.run, *jobs.tasks(), _end(ownership, tokens)]
    for consumer in consumers:
        tasks += [consumer.run, consumer.watch]
    return App(app, tasks, ready)


def _jobs(
    stores: Stores,
    *,
    append: AppendEntries,
    outbox: Outbox,
    sign: SignCheckpoints,
    lists: WatchLists,
    key: ChangeLogKey,
    clock: Clock,
) -> Jobs:
    return make_jobs(
        sign=sign,
        join=JoinOriginals(append, stores.originals),
        answer=AnswerClosings(append, stores.log, stores.closings, outbox, clock),
        erase=ApplyErasures(append, stores.erasures, outbox, clock),
        alarm=RaiseAlarms(
            append=append,
            log=stores.log,
            originals=stores.originals,
            closings=stores.closings,
            copies=stores.copies,
            outbox=outbox,
            clock=clock,
        ),
        drop=DropEnded(stores.originals, stores.private, clock),
        lists=lists,
        key=key,
    )


def _flows(
    stores: Stores,
    *,
    signer: Signer,
    record_access: RecordAccess,
    recover: RecoverLog,
    limit_lookups: LimitLookUps,
    ring: KeyRing,
    text_kept_for: timedelta,
    private_kept_for: timedelta,
    clock: Clock,
) -> Flows:
    list_sends, list_access = ListSends(stores.log, stores.sends), ListAccess(stores.log)
    count_sends = CountSends(stores.sends, stores.copies, clock)
    show_message = ShowMessage(stores.log, stores.messages, stores.sends, stores.closings)
    describe_message = DescribeMessage(show_message, stores.copies)
    look_up = LookUpSubject(stores.log, stores.sends, ring, clock)
    return Flows(
        prove=Prove(stores.log, stores.checkpoints),
        bundle=StreamBundle(stores.log, stores.checkpoints, signer.verifiers),
        list_messages=ListMessages(stores.messages),
        show_message=show_message,
        list_sends=list_sends,
        show_send=ShowSend(stores.log, stores.sends),
        count_sends=count_sends,
        look_up=look_up,
        list_access=list_access,
        export=ExportRows(list_sends, list_access, count_sends),
        list_logs=ListLogs(stores.log, stores.checkpoints, stores.checks, clock),
        record_access=record_access,
        recover=recover,
        limit_lookups=limit_lookups,
        describe_message=describe_message,
        describe_subject=DescribeSubject(
            look_up,
            describe_message,
            stores.copies,
            text_kept_for=text_kept_for,
            private_kept_for=private_kept_for,
        ),
        describe_processing=DescribeProcessing(
            stores.years,
            stores.sends,
            stores.copies,
            ring,
            text_kept_for=text_kept_for,
            private_kept_for=private_kept_for,
        ),
        clock=clock,
    )


def _end(ownership: Ownership, tokens: httpx.AsyncClient) -> Task:
    """Give the task that waits for the end, to let another process take over at once."""

    async def end() -> None:
        async with tokens:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.shield(ownership.release())

    return end


async def main() -> None:
    """Run the service until it is told to stop."""
    settings = read_settings(AuditSettings)
    configure(_SERVICE, settings.log_level)
    gc.freeze()
    gc.set_threshold(*_GC)
    async with (
        connect(settings.mongo, _SERVICE) as client,
        KafkaLog(settings.kafka, _SERVICE) as log,
    ):
        app = await build(settings, log, client, Clock())
        await serve(app.http, settings.http, app.tasks)


if __name__ == "__main__":
    run(main)
