"""The dispatcher: from a topic to people's phones and mailboxes. The only place that wires."""

import asyncio
import gc
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import cache

import httpx
from fastapi import APIRouter, FastAPI
from pymongo.errors import PyMongoError
from starlette.routing import BaseRoute

from services.dispatcher.api import messages as messages_api
from services.dispatcher.api import preview as preview_api
from services.dispatcher.api import receipts as receipts_api
from services.dispatcher.api import recovery as recovery_api
from services.dispatcher.api import sends as sends_api
from services.dispatcher.api.bounces import bounce_listener
from services.dispatcher.api.receipts import Accounts
from services.dispatcher.consumers import SERVICE, Consumers
from services.dispatcher.domain import texts
from services.dispatcher.domain.events import SOURCE
from services.dispatcher.domain.ledger import Patience
from services.dispatcher.domain.message import Message
from services.dispatcher.domain.notices import Links
from services.dispatcher.flows.answer_inbound import AnswerInbound
from services.dispatcher.flows.answer_replay import AnswerReplay
from services.dispatcher.flows.apply_copy import ApplyCopy
from services.dispatcher.flows.attempt_sends import AttemptSends
from services.dispatcher.flows.check_history import CheckHistory
from services.dispatcher.flows.claim_sends import ClaimSends
from services.dispatcher.flows.close_message import CloseMessage
from services.dispatcher.flows.end_destinations import EndDestinations
from services.dispatcher.flows.expire_sends import ExpireSends
from services.dispatcher.flows.fall_back import FallBack
from services.dispatcher.flows.forget_at_provider import ForgetAtProvider
from services.dispatcher.flows.judge_alert import ALERTS_GROUP, JudgeAlerts
from services.dispatcher.flows.list_messages import ListMessages
from services.dispatcher.flows.pass_on import PassOn
from services.dispatcher.flows.plan_message import PlanAgain, PlanMessage
from services.dispatcher.flows.preview_message import PreviewMessage
from services.dispatcher.flows.publish_events import PublishEvents
from services.dispatcher.flows.reconcile_unknown import ReconcileUnknown
from services.dispatcher.flows.record_access import RecordAccess
from services.dispatcher.flows.record_outcomes import RecordOutcomes
from services.dispatcher.flows.recover_leases import RecoverLeases
from services.dispatcher.flows.recover_ledger import RecoverLedger
from services.dispatcher.flows.restore_sends import RestoreSends
from services.dispatcher.flows.settle_unknown import SettleUnknown
from services.dispatcher.flows.share_rates import ShareRates
from services.dispatcher.flows.show_coverage import ShowCoverage
from services.dispatcher.flows.take_bounce import TakeBounce
from services.dispatcher.flows.take_bulletin import TakeBulletins
from services.dispatcher.flows.take_notice import TakeNotices
from services.dispatcher.flows.take_receipt import TakeReceipt
from services.dispatcher.flows.wait_for_copy import CopyGate
from services.dispatcher.flows.watch_coverage import WatchCoverage
from services.dispatcher.jobs import Jobs, build_jobs
from services.dispatcher.senders.base import Senders
from services.dispatcher.senders.smtp import SmtpSender
from services.dispatcher.senders.twilio import TwilioSender
from services.dispatcher.settings import DispatcherSettings
from services.dispatcher.store.addressed import AddressedNetworks
from services.dispatcher.store.closings import Closings
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.coverage import Coverage
from services.dispatcher.store.languages import Languages
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.mailboxes import Mailboxes
from services.dispatcher.store.messages import Messages
from services.dispatcher.store.processes import Processes
from services.dispatcher.store.restored import Restored
from services.dispatcher.store.unknown import UnknownSends
from services.dispatcher.store.waiting import WaitingSends
from services.dispatcher.store.watched import Watched
from shared import dead_letter_routes
from shared.access import Authenticator
from shared.claims import Claims
from shared.clock import Clock
from shared.consume import Consumer, DeadLetters, PositionStore
from shared.contracts.base import Channel, Lane, Language, MessageType
from shared.dead_letters import LetterDesk
from shared.failures import Retryable
from shared.http import PROBLEM_RESPONSES, Ready, application, install, trusted
from shared.kafka import KafkaLog, Log
from shared.logging import configure
from shared.mongo import Client, Database, connect
from shared.mongo import database as open_database
from shared.outbox import Outbox, OutboxPublisher
from shared.pseudonyms import KeyRing
from shared.service import instance_name, run, serve
from shared.settings import read_settings
from shared.tasks import Task, beside
from shared.topics import ALERTS

_ROUTERS = (
    messages_api.router,
    preview_api.router,
    receipts_api.router,
    sends_api.router,
    recovery_api.router,
)

_LANES = (
    (Lane.WARM, Channel.SMS),
    (Lane.WARM, Channel.EMAIL),
    (Lane.COLD, Channel.EMAIL),
)
"""Each with its own worker, provider budget and back-off, so that cold never delays warm."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The dispatcher's collections."""

    database: Database
    copy: Copy
    messages: Messages
    ledger: Ledger
    closings: Closings
    coverage: Coverage
    addressed: AddressedNetworks
    unknown: UnknownSends
    waiting: WaitingSends
    mailboxes: Mailboxes
    restored: Restored
    watched: Watched
    outbox: Outbox

    @classmethod
    def of(cls, settings: DispatcherSettings, database: Database, clock: Clock) -> "Stores":
        """Bind all of them to one database."""
        messages = Messages(database)
        patience = Patience(settings.reconcile_after, settings.receipt_wait)
        ledger = Ledger(database, clock, messages.get, patience)
        return cls(
            database=database,
            copy=Copy(database),
            messages=messages,
            ledger=ledger,
            closings=ledger.closings,
            coverage=Coverage(database),
            addressed=AddressedNetworks(database),
            unknown=UnknownSends(database),
            waiting=WaitingSends(database, clock),
            mailboxes=Mailboxes(database),
            restored=Restored(database),
            watched=Watched(database),
            outbox=Outbox(database, SOURCE, clock),
        )

    async def prepare(self) -> None:
        """Create the indexes."""
        for store in (
            self.copy,
            self.messages,
            self.ledger,
            self.closings,
            self.coverage,
            self.unknown,
            self.restored,
            self.watched,
            self.mailboxes,
            self.outbox,
        ):
            await store.prepare()


@dataclass(frozen=True, slots=True)
class App:
    """The wired service: its HTTP application and everything that runs beside it."""

    http: FastAPI
    tasks: list[Task]
    stores: Stores
    workers: tuple[AttemptSends, ...]
    jobs: Jobs


@cache
def _routes() -> list[BaseRoute]:
    """Give the routes, the same for all applications: analysing them takes time for each."""
    every = APIRouter(responses=PROBLEM_RESPONSES)
    for router in _ROUTERS:
        every.include_router(router)
    every.include_router(dead_letter_routes.router, prefix="/v1")
    return every.routes


def api() -> FastAPI:
    """Make the application with its routes and nothing wired; the OpenAPI document is its."""
    return application(
        "dispatcher",
        "Sends warm messages by SMS and cold ones by e-mail, and answers for each.",
        _routes(),
    )


async def build(settings: DispatcherSettings, log: Log, client: Client, clock: Clock) -> App:
    """Wire the service and create its indexes; the caller serves `http` and runs `tasks`."""
    stores = Stores.of(settings, open_database(client, settings.mongo.database), clock)
    await stores.prepare()
    senders = build_senders(settings, clock)
    workers = tuple(
        _worker(settings, stores, senders, clock, lane=lane, channel=channel)
        for lane, channel in _LANES
    )
    history = CheckHistory(
        restored=stores.restored,
        positions=PositionStore(stores.database),
        log=log,
        clock=clock,
        interval=2 * settings.job_interval,
    )
    processes = Processes(stores.database, instance_name(settings.http))
    wiring = _Wiring(settings, log, client, clock, stores, senders, workers, processes, history)
    jobs = wiring.jobs()
    consumers = wiring.consumers(jobs)
    stores.ledger.events.on_event = jobs.publish.wake
    stores.ledger.events.provider_of = lambda channel, status: senders.of(channel, status).name
    stores.ledger.plans.on_sendable = wiring.wake_senders
    tokens = httpx.AsyncClient(verify=trusted())
    app = api()
    wiring.routes(app, tokens, consumers)
    install(app, _ready(stores, log, consumers, history, wiring.watch()))

    async def keep_connections() -> None:
        async with tokens:
            await asyncio.Event().wait()

    async def send() -> None:
        """Run the workers while their senders are open, and let them finish before closing."""
        async with AsyncExitStack() as stack:
            for sender in senders.all():
                await stack.enter_async_context(sender)
            try:
                async with beside([worker.run for worker in workers]):
                    await asyncio.Event().wait()
            finally:
                with suppress(PyMongoError):  # the others notice by themselves, only later
                    await asyncio.shield(processes.leave())

    publisher = OutboxPublisher(stores.outbox, log, stores.database, instance_name(settings.http))
    copying, *others = consumers
    tasks: list[Task] = [publisher.run, keep_connections, history.run, copying.run]
    # a database that forgot what it sent would send it again
    tasks += [history.after(task) for task in (send, *(job.run for job in jobs.all()))]
    tasks += [history.after(consumer.run) for consumer in others]
    tasks += [consumer.watch for consumer in consumers]
    if settings.bounces is not None:
        take = TakeBounce(
            ledger=stores.ledger, mailboxes=stores.mailboxes, history=history, clock=clock
        )
        tasks.append(bounce_listener(settings.bounces, take))
    return App(app, tasks, stores, workers, jobs)


def build_senders(settings: DispatcherSettings, clock: Clock) -> Senders:
    """Make the providers' senders; nothing connects yet."""
    public = str(settings.public_url)
    registry = str(settings.registry_url)
    bounces = None if settings.bounces is None else settings.bounces.address

    def text(message: Message, language: Language) -> str:
        return texts.sms(message, language).body

    return Senders(
        sms=TwilioSender(settings.twilio, "twilio", public, text, clock),
        email=SmtpSender(settings.smtp, "smtp", registry, clock, bounces),
        test_sms=TwilioSender(settings.test_twilio, "test_twilio", public, text, clock),
        test_email=SmtpSender(settings.test_smtp, "test_smtp", registry, clock, bounces),
    )


def _worker(
    settings: DispatcherSettings,
    stores: Stores,
    senders: Senders,
    clock: Clock,
    *,
    lane: Lane,
    channel: Channel,
) -> AttemptSends:
    sms = channel is Channel.SMS
    return AttemptSends(
        claims=ClaimSends(
            lane=lane,
            channel=channel,
            ledger=stores.ledger,
            messages=stores.messages,
            copy=stores.copy,
            mailboxes=stores.mailboxes,
            clock=clock,
            lease=settings.lease,
            unknown_patience=settings.second_attempt_after + settings.lease,
        ),
        ledger=stores.ledger,
        sender=senders.sms if sms else senders.email,
        test_sender=senders.test_sms if sms else senders.test_email,
        outcomes=RecordOutcomes(
            ledger=stores.ledger,
            mailboxes=stores.mailboxes,
            clock=clock,
            random=random.uniform,  # jitter, no secret
        ),
        clock=clock,
        interval=settings.job_interval,
    )


@dataclass(frozen=True, slots=True)
class _Wiring:
    """What the parts are made from."""

    settings: DispatcherSettings
    log: Log
    client: Client
    clock: Clock
    stores: Stores
    senders: Senders
    workers: tuple[AttemptSends, ...]
    processes: Processes
    history: CheckHistory

    def wake_senders(self) -> None:
        """Have all workers look for sends."""
        for worker in self.workers:
            worker.wake()

    def _gate(self) -> CopyGate:
        positions = PositionStore(self.stores.database)
        return CopyGate(self.stores.copy, self.log, positions, self.clock)

    def jobs(self) -> Jobs:
        """Make the jobs."""
        stores, settings, clock = self.stores, self.settings, self.clock
        wake_close, wake_planners = _Later(), _Later()
        gate = self._gate()
        jobs = build_jobs(
            planners=[self._planner(lane) for lane in Lane],
            plan_again=PlanAgain(stores.messages, stores.ledger, gate, clock, wake_planners),
            gate=gate,
            publish=PublishEvents(
                ledger=stores.ledger,
                log=self.log,
                database=stores.database,
                owner=instance_name(settings.http),
                clock=clock,
                published=wake_close,
            ),
            close=CloseMessage(
                ledger=stores.ledger,
                closings=stores.closings,
                outbox=stores.outbox,
                client=self.client,
                clock=clock,
                close_after=settings.close_after,
                again_after=settings.close_again_after,
            ),
            expire=ExpireSends(ledger=stores.ledger, closings=stores.closings, clock=clock),
            pass_on=PassOn(ledger=stores.ledger, waiting=stores.waiting, clock=clock),
            fall_back=FallBack(
                ledger=stores.ledger,
                messages=stores.messages,
                copy=stores.copy,
                keys=KeyRing(settings.pseudonym_keys),
                clock=clock,
            ),
            leases=RecoverLeases(ledger=stores.ledger, clock=clock),
            reconcile=ReconcileUnknown(
                ledger=stores.ledger,
                messages=stores.messages,
                senders=self.senders,
                clock=clock,
                reconcile_after=settings.reconcile_after,
                second_attempt_after=settings.second_attempt_after,
            ),
            forget=ForgetAtProvider(
                ledger=stores.ledger,
                messages=stores.messages,
                senders=self.senders,
                clock=clock,
            ),
            watch=self.watch(),
            end=EndDestinations(
                ledger=stores.ledger,
                closings=stores.closings,
                messages=stores.messages,
                clock=clock,
                kept_for=settings.destinations_kept_for,
            ),
            share=ShareRates(self.processes, self.workers),
            interval=settings.job_interval,
        )
        wake_close.target = jobs.close.wake
        wake_planners.target = jobs.wake_planners
        return jobs

    def watch(self) -> WatchCoverage:
        """Make what looks at the coverage of warm messages."""
        return WatchCoverage(
            watched=self.stores.watched,
            outbox=self.stores.outbox,
            client=self.client,
            clock=self.clock,
            threshold=self.settings.coverage_threshold,
            within=self.settings.coverage_within,
        )

    def _planner(self, lane: Lane) -> PlanMessage:
        return PlanMessage(
            lane,
            copy=self.stores.copy,
            messages=self.stores.messages,
            ledger=self.stores.ledger,
            log=self.log,
            keys=KeyRing(self.settings.pseudonym_keys),
            clock=self.clock,
            registry_url=str(self.settings.registry_url),
            restore=RestoreSends(
                ledger=self.stores.ledger,
                restored=self.stores.restored,
                closings=self.stores.closings,
                keys=KeyRing(self.settings.pseudonym_keys),
                clock=self.clock,
            ),
            wake_senders=self.wake_senders,
        )

    def consumers(self, jobs: Jobs) -> list[Consumer]:
        """Make the consumers."""
        stores, clock = self.stores, self.clock
        registry_url = str(self.settings.registry_url)
        desk = self.settings.desk_url
        make = Consumers(self.log, self.client, stores.database, stores.outbox, clock)
        # each consumer waits at a gate of its own; all are told when the copy moves
        gates = [self._gate() for _ in range(3)]

        def moved() -> None:
            for gate in gates:
                gate.moved()

        judge = JudgeAlerts(
            gate=gates[0],
            copy=stores.copy,
            claims=Claims(stores.database, MessageType.ALERT),
            addressed=stores.addressed,
            messages=stores.messages,
            restored=stores.restored,
            outbox=stores.outbox,
            dead_letters=DeadLetters(ALERTS_GROUP, stores.database, stores.outbox, SERVICE),
            clock=clock,
            max_segments=self.settings.max_segments,
            wake_planner=jobs.wake_planners,
        )
        bulletins = TakeBulletins(
            gate=gates[1],
            copy=stores.copy,
            messages=stores.messages,
            clock=clock,
            wake_planner=jobs.wake_planners,
        )
        notices = TakeNotices(
            gate=gates[2],
            copy=stores.copy,
            messages=stores.messages,
            clock=clock,
            links=Links(registry_url, None if desk is None else str(desk)),
            wake_planner=jobs.wake_planners,
        )
        replays = AnswerReplay(closings=stores.closings, clock=clock)
        return [
            make.copy(
                ApplyCopy(
                    copy=stores.copy,
                    ledger=stores.ledger,
                    messages=stores.messages,
                    mailboxes=stores.mailboxes,
                    outbox=stores.outbox,
                    clock=clock,
                ),
                moved,
            ),
            make.alerts(judge),
            make.bulletins(bulletins),
            make.notices(notices),
            make.replays(replays.apply, jobs.close.wake),
        ]

    def routes(
        self, app: FastAPI, tokens: httpx.AsyncClient, consumers: Sequence[Consumer]
    ) -> None:
        """Give the routes what they call."""
        stores, settings, clock = self.stores, self.settings, self.clock
        app.state.authenticator = Authenticator(settings.oidc, clock, tokens)
        app.state.accounts = Accounts(
            str(settings.public_url),
            {
                account.callback_token.get_secret_value(): account.auth_token.get_secret_value()
                for account in (settings.twilio, settings.test_twilio)
            },
        )
        record = RecordAccess(
            outbox=stores.outbox,
            client=self.client,
            keys=KeyRing(settings.pseudonym_keys),
            clock=clock,
        )
        app.state.dead_letters = LetterDesk(
            service="dispatcher",
            database=stores.database,
            client=self.client,
            outbox=stores.outbox,
            log=self.log,
            clock=clock,
            consumers=consumers,
            require=self.history.require,
        )
        app.state.history = self.history
        app.state.recover = RecoverLedger(
            restored=stores.restored,
            ledger=stores.ledger,
            messages=stores.messages,
            closings=stores.closings,
            gate=self._gate(),
            record=record,
            log=self.log,
            client=self.client,
            clock=clock,
        )
        app.state.settle_unknown = SettleUnknown(
            ledger=stores.ledger,
            unknown=stores.unknown,
            record=record,
            client=self.client,
            clock=clock,
        )
        app.state.take_receipt = TakeReceipt(ledger=stores.ledger, clock=clock)
        app.state.answer_inbound = AnswerInbound(languages=Languages(stores.database))
        app.state.list_messages = ListMessages(coverage=stores.coverage, copy=stores.copy)
        app.state.show_coverage = ShowCoverage(
            coverage=stores.coverage,
            closings=stores.closings,
            copy=stores.copy,
            record=record,
        )
        app.state.preview = PreviewMessage(
            copy=stores.copy,
            addressed=stores.addressed,
            clock=clock,
            max_segments=settings.max_segments,
            segment_price=settings.segment_price,
        )


class _Later:
    """A call whose target exists only later: two parts that wake each other."""

    target: Callable[[], None] | None = None

    def __call__(self) -> None:
        """Call the target."""
        if self.target is not None:
            self.target()


def _ready(
    stores: Stores,
    log: Log,
    consumers: Sequence[Consumer],
    history: CheckHistory,
    coverage: WatchCoverage,
) -> Ready:
    async def ready() -> Mapping[str, str]:
        waiting: dict[str, str] = {}
        if history.why is not None:
            waiting["history"] = history.why
        try:
            await stores.database.command("ping")
            if not await stores.copy.was_complete():
                waiting["copy"] = "the copy of zones, networks and members is not complete yet"
            low = await coverage.why()
            if low is not None:
                waiting["coverage"] = low
        except PyMongoError:
            waiting["mongo"] = "the database does not answer"
        try:
            await log.end_offsets([ALERTS.name])
        except Retryable as error:
            waiting["kafka"] = str(error)
        for consumer in consumers:
            if (why := consumer.health.why) is not None:
                waiting[consumer.group] = why
        return waiting

    return ready


def _collect_less_often() -> None:
    """Spare the collector what stays, and look for cycles less often than for a script.

    With Python's defaults it walks through all modules and thousands of rows in flight again and
    again: a tenth of the time while much is sent.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def main() -> None:
    """Run the service until it is told to stop."""
    settings = read_settings(DispatcherSettings)
    configure(SERVICE, settings.log_level)
    async with (
        connect(settings.mongo, SERVICE) as client,
        KafkaLog(settings.kafka, SERVICE) as log,
    ):
        app = await build(settings, log, client, Clock())
        _collect_less_often()
        await serve(app.http, settings.http, app.tasks)


if __name__ == "__main__":
    run(main)
