"""One process writes many logs: what that costs, and how it lets go of those of other processes."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from services.audit.domain.drafting import send_draft
from services.audit.flows.append_entries import AppendEntries
from services.audit.flows.record_batch import RecordBatch
from services.audit.store.closings import Closings
from services.audit.store.copies import Copies
from services.audit.store.erasures import Erasures
from services.audit.store.log import LogStore
from services.audit.store.messages import Messages
from services.audit.store.originals import Originals
from services.audit.store.ownership import LEASE, OtherWriter, Ownership
from shared.clock import Clock
from shared.envelope import encode
from shared.kafka import Record
from shared.mongo import Document, Session, database, transaction
from tests.integration.audit.world import NOW, World, send
from tests.support.memory_kafka import MemoryCluster

DAY = timedelta(days=1)


class Commands(CommandListener):
    """What a client asked of the database: within transactions, and outside."""

    def __init__(self) -> None:
        self.within: list[str] = []
        self.outside: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        about: Any = event.command.get(event.command_name)
        name = f"{event.command_name} {about}"
        (self.within if "autocommit" in event.command else self.outside).append(name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Note starts only."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Note starts only."""

    def clear(self) -> None:
        self.within, self.outside = [], []


class Writer:
    """A process that writes logs, whose commands are counted."""

    def __init__(self, client: AsyncMongoClient[Document], name: str, commands: Commands) -> None:
        self.client = client
        self.commands = commands
        self.passed = 0.0
        clock = replace(Clock(), monotonic=lambda: self.passed)
        own = database(client, name)
        self.log = LogStore(own, clock, DAY, DAY)
        self.originals = Originals(own, DAY)
        self.closings = Closings(own)
        self.owner = Ownership(own, "this", clock)
        self.record = RecordBatch(
            append=AppendEntries(client, self.log, self.owner),
            ownership=self.owner,
            originals=self.originals,
            messages=Messages(own),
            closings=self.closings,
            copies=Copies(own),
            erasures=Erasures(own),
            clock=clock,
        )

    async def prepare(self) -> None:
        for store in (self.log, self.originals, self.closings):
            await store.prepare()

    async def take(self, records: Sequence[Record]) -> None:
        """Take a batch in, as the consumer does, and count its commands."""
        self.commands.clear()
        await self.record.claim(records)

        async def store(session: Session) -> None:
            await self.record.store(session, records)

        await transaction(self.client, store)


@asynccontextmanager
async def writing(world: World) -> AsyncGenerator[Writer]:
    commands = Commands()
    url = world.settings.mongo.url.get_secret_value()
    async with AsyncMongoClient[Document](
        url, tz_aware=True, w="majority", event_listeners=[commands]
    ) as client:
        writer = Writer(client, world.settings.mongo.database, commands)
        await writer.prepare()
        yield writer


async def batch(logs: int, number: int) -> list[Record]:
    """Give one send for each of some logs."""
    cluster = MemoryCluster()
    events = [send(number, zone=f"zone-{log:03d}") for log in range(logs)]
    return [
        await cluster.append(encode(event, ce_id=event.event_id, source="test", time=NOW))
        for event in events
    ]


async def test_many_logs_cost_what_their_rows_cost_and_no_more(world: World) -> None:
    """Neither a lease nor an epoch is asked for log by log, or again within the transaction."""
    few, many = 3, 40
    took: dict[tuple[int, str], Commands] = {}
    async with writing(world) as writer:
        number = 0
        for logs in (few, many):
            for moment, passed in (("at first", 0), ("at once", 0), ("later", LEASE.seconds / 2)):
                number += 1
                writer.passed += passed
                await writer.take(await batch(logs, number))
                took[logs, moment] = Commands()
                took[logs, moment].within = writer.commands.within
                took[logs, moment].outside = writer.commands.outside
        # what one log's rows cost, where nothing else is done
        writer.commands.clear()
        epoch = await writer.owner.claim("zone-000")
        drafts = [send_draft(send(number + 1, zone="zone-000"))]
        await transaction(
            writer.client, lambda session: writer.log.append(session, "zone-000", epoch, drafts)
        )
        own = len(writer.commands.within) - 1  # the commit
    for moment, most in (("at first", 4), ("at once", 0), ("later", 1)):
        for logs in (few, many):
            outside = took[logs, moment].outside
            assert len(outside) <= most, outside
    for logs in (few, many):
        within = took[logs, "later"].within
        assert not [name for name in within if "leases" in name]
    more = len(took[many, "later"].within) - len(took[few, "later"].within)
    assert more == own * (many - few)


async def test_a_job_on_one_of_many_logs_is_met_before_the_work_not_after_it(world: World) -> None:
    logs = 20
    async with writing(world) as writer:
        await writer.take(await batch(logs, 1))
        records = await batch(logs, 2)
        await writer.record.claim(records)
        writer.commands.clear()
        heads = world.database["heads"]
        async with (
            world.client.start_session() as job,
            writer.client.start_session() as session,
            await job.start_transaction(),
        ):
            last = {"_id": f"zone-{logs - 1:03d}"}
            await heads.update_one(last, {"$inc": {"batches": 1}}, session=job)
            with pytest.raises(OperationFailure) as raised:
                async with await session.start_transaction():
                    await writer.record.store(session, records)
        assert raised.value.has_error_label("TransientTransactionError")
        assert not [name for name in writer.commands.within if name.startswith("insert")]


async def test_logs_whose_records_go_elsewhere_are_given_back_at_once(world: World) -> None:
    first, second = (Ownership(world.database, name, Clock()) for name in ("first", "second"))
    await first.keep(["here", "there"])
    with pytest.raises(OtherWriter):
        await second.keep(["there"])
    await first.let_go()
    await first.keep(["here"])  # its records still come to the first
    await second.keep(["there"])
    async with first.borrow("here"):
        pass
    with pytest.raises(OtherWriter):
        await second.keep(["here"])
    with pytest.raises(OtherWriter):
        async with first.borrow("there"):
            pass
    assert (first.refused, second.refused) == (set(), {"here"})
    await second.let_go()
    assert second.refused == set()


async def test_what_a_job_is_at_is_given_back_when_it_is_done(world: World) -> None:
    first, second = (Ownership(world.database, name, Clock()) for name in ("first", "second"))
    await first.keep(["demo"])
    async with first.borrow("demo"):
        async with first.borrow("demo"):
            await first.let_go()
        with pytest.raises(OtherWriter):
            await second.keep(["demo"])
    await second.keep(["demo"])


async def test_a_lease_that_another_took_and_gave_back_is_lost_all_the_same(world: World) -> None:
    """What it wrote meanwhile must not be written over: the epoch is asked for anew."""
    passed = 0.0
    clock = replace(Clock(), monotonic=lambda: passed)
    first, second = (Ownership(world.database, name, clock) for name in ("first", "second"))
    before = await first.claim("demo")
    await world.database["leases"].delete_one({"_id": "log|demo"})  # as if it had ended
    async with second.borrow("demo"):
        pass
    passed += LEASE.total_seconds()
    assert await first.claim("demo") == before + 2
