"""Each record's effect is stored exactly once, whatever is cancelled, refused or away."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient

from shared.consume import Ahead, Consumer
from shared.contracts import DeadLetter
from shared.envelope import parse, sha256
from shared.failures import Rejected, Retryable, Stalled
from shared.kafka import LoadPositions, Log, Outgoing, Positions, Reader, Record
from shared.mongo import Document, Session
from shared.outbox import OutboxPublisher
from shared.tasks import end
from shared.topics import ALERTS, SENDS
from tests.integration.shared.conftest import Service, make_service
from tests.support.cluster import KafkaCluster
from tests.support.memory_kafka import MemoryCluster, MemoryLog
from tests.support.servers import local_mongod
from tests.support.wait import until


def numbered(topic: str, count: int, start: int = 0) -> list[Outgoing]:
    return [
        Outgoing(topic, f"zone-{n % 9}", str(n).encode(), ()) for n in range(start, start + count)
    ]


@pytest.fixture
def topic(kafka_cluster: KafkaCluster) -> str:
    return kafka_cluster.new_topic(SENDS)


class Effects:
    """Stores one row per record; a record stored twice is a duplicate key, and a test failure."""

    def __init__(self, service: Service) -> None:
        self.rows = service.database["effects"]
        self.refuse: Callable[[Record], bool] = lambda _record: False
        self.away = 0
        self.spare = asyncio.Event()

    async def apply(self, session: Session, records: Sequence[Record]) -> None:
        if self.away:
            self.away -= 1
            message = "away"
            raise Retryable(message)
        for record in records:
            if self.refuse(record):
                raise Rejected("invalid_field", "seq")
        await self.rows.insert_many(
            [{"_id": f"{r.partition}/{r.offset}", "value": r.value.decode()} for r in records],
            session=session,
        )
        self.spare.set()

    async def values(self) -> list[int]:
        return sorted([int(row["value"]) async for row in self.rows.find()])

    async def reach(self, count: int) -> None:
        async def there() -> bool:
            return await self.rows.count_documents({}) >= count

        await until(there, seconds=60)


@contextlib.asynccontextmanager
async def running(*consumers: Consumer) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(consumer.run()) for consumer in consumers]
    try:
        yield
    finally:
        await end(tasks)
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(result, asyncio.CancelledError) and result is not None:
                raise result


async def prepare(records: Sequence[Record]) -> None:
    """Take a moment over the records that come next, as a consumer that parses them does."""
    await asyncio.sleep(0.001 * len(records) / 100)


AHEAD = ("not at all", "once something is stored", "while something is being stored")


def ahead_of(when: str, spare: asyncio.Event) -> Ahead | None:
    """Have a consumer read ahead, told by whoever stores that there is time for it, or untold."""
    if when == AHEAD[0]:
        return None
    return Ahead(prepare, spare if when == AHEAD[2] else asyncio.Event())


@pytest.mark.parametrize("ahead", AHEAD)
async def test_cancelled_again_and_again_it_stores_every_record_once(
    service: Service, topic: str, ahead: str
) -> None:
    effects, group = Effects(service), f"registry.test-{uuid.uuid4().hex[:8]}"
    chance = random.Random(5)  # noqa: S311 - the same moments in every run
    await service.log.publish(numbered(topic, 6000))
    stored = 0
    for _ in range(6):
        consumer = service.consumer(
            topic, effects.apply, group=group, most=100, ahead=ahead_of(ahead, effects.spare)
        )
        async with running(consumer):
            await effects.reach(min(stored + 1, 6000))
            await asyncio.sleep(chance.uniform(0, 0.05))
        stored = len(await effects.values())
    async with running(service.consumer(topic, effects.apply, group=group)):
        await effects.reach(6000)
    assert await effects.values() == list(range(6000))


@pytest.mark.parametrize("ahead", AHEAD)
async def test_two_members_of_a_group_share_the_work_and_double_nothing(
    service: Service, topic: str, ahead: str
) -> None:
    effects, group = Effects(service), f"registry.test-{uuid.uuid4().hex[:8]}"

    def member() -> Consumer:
        return service.consumer(
            topic, effects.apply, group=group, most=50, ahead=ahead_of(ahead, effects.spare)
        )

    await service.log.publish(numbered(topic, 1000))
    async with running(member()):
        await asyncio.sleep(0.3)
        async with running(member()):
            await service.log.publish(numbered(topic, 1000, start=1000))
            await effects.reach(2000)
    assert await effects.values() == list(range(2000))


async def test_a_rejected_record_becomes_a_dead_letter_and_its_neighbours_are_stored(
    service: Service, topic: str
) -> None:
    effects = Effects(service)
    effects.refuse = lambda record: record.value == b"7"
    await service.log.publish(numbered(topic, 20))
    async with running(service.consumer(topic, effects.apply)):
        await effects.reach(19)

        async def given_up() -> bool:
            return await service.database["dead_letters"].count_documents({}) == 1

        await until(given_up)
    assert await effects.values() == [n for n in range(20) if n != 7]
    row = await service.database["outbox"].find_one({"topic": f"{topic}.dlq"})
    assert row is not None
    letter = parse(DeadLetter, bytes(row["value"]))
    assert (letter.reason, letter.field, letter.sha256) == ("invalid_field", "seq", sha256(b"7"))
    assert await service.database["outbox"].count_documents({"topic": "bin.access"}) == 1


@pytest.mark.parametrize("ahead", AHEAD)
async def test_what_is_away_delays_and_skips_nothing(
    service: Service, topic: str, ahead: str
) -> None:
    effects = Effects(service)
    effects.away = 3
    await service.log.publish(numbered(topic, 50))
    async with running(
        service.consumer(topic, effects.apply, most=20, ahead=ahead_of(ahead, effects.spare))
    ):
        await effects.reach(50)
    assert await effects.values() == list(range(50))


class Rebalancing(MemoryLog):
    """Hands out its member, so that a test can place it anew at any moment, as a rebalance does."""

    member: Reader

    def reader(self, group: str, topics: Collection[str], load: LoadPositions) -> Reader:
        self.member = super().reader(group, topics, load)
        return self.member


@pytest.mark.parametrize("ahead", AHEAD)
async def test_placed_anew_while_it_stores_it_takes_no_record_twice(
    service: Service, ahead: str
) -> None:
    log, counts = Rebalancing(MemoryCluster()), service.database["counts"]
    spare = asyncio.Event()
    await log.publish(numbered(SENDS.name, 300))

    async def count(session: Session, records: Sequence[Record]) -> None:
        added = {"$inc": {"seen": len(records)}}
        await counts.update_one({"_id": "all"}, added, upsert=True, session=session)
        spare.set()
        log.member.rewind()  # to the positions from before this transaction, if it reads ahead

    reads_ahead = ahead_of(ahead, spare)
    consumer = replace(service, log=log).consumer(SENDS.name, count, most=20, ahead=reads_ahead)

    async def through() -> bool:
        return sum(consumer.health.positions.values()) == 300

    async with running(consumer):
        await until(through)
        await asyncio.sleep(0.2)
    row = await counts.find_one({"_id": "all"})
    assert row is not None
    assert row["seen"] == 300


async def test_on_our_own_topics_too_many_dead_letters_stop_the_consumer(
    service: Service, topic: str
) -> None:
    effects = Effects(service)
    effects.refuse = lambda record: int(record.value) < 20
    await service.log.publish(numbered(topic, 30))
    consumer = service.consumer(topic, effects.apply, most=1)
    async with running(consumer):

        async def stopped() -> bool:
            return consumer.health.stopped is not None

        await until(stopped)
        assert await service.database["dead_letters"].count_documents({}) == 11


async def test_on_police_topics_dead_letters_never_stop_the_consumer(service: Service) -> None:
    effects = Effects(service)
    group = f"dispatcher.test-{uuid.uuid4().hex[:8]}"
    mark = uuid.uuid4().hex
    effects.refuse = lambda record: record.value != mark.encode()
    bad = [Outgoing(ALERTS.name, "demo", b"bad", ()) for _ in range(15)]
    await service.log.publish([*bad, Outgoing(ALERTS.name, "demo", mark.encode(), ())])
    async with running(service.consumer(ALERTS.name, effects.apply, group=group, most=5)):
        await effects.reach(1)


async def test_a_database_away_through_a_rebalance_only_delays(
    kafka_log: Log, topic: str, tmp_path: Path
) -> None:
    server = local_mongod(tmp_path)
    await asyncio.to_thread(server.start)
    group = f"registry.test-{uuid.uuid4().hex[:8]}"
    async with AsyncMongoClient[Document](
        server.admin_url, serverSelectionTimeoutMS=300, w="majority", tz_aware=True
    ) as client:
        try:
            service = await make_service(kafka_log, client, "away")
            effects = Effects(service)
            publisher = OutboxPublisher(service.outbox, kafka_log, service.database, "test")
            publishing = asyncio.create_task(publisher.run())
            await kafka_log.publish(numbered(topic, 200))
            async with running(service.consumer(topic, effects.apply, group=group)):
                await effects.reach(200)
                await asyncio.to_thread(server.kill)
                async with running(service.consumer(topic, effects.apply, group=group)):
                    await kafka_log.publish(numbered(topic, 200, start=200))
                    await asyncio.sleep(2)
                    await asyncio.to_thread(server.start)
                    await effects.reach(400)
            assert await effects.values() == list(range(400))
            assert not publishing.done()
            publishing.cancel()
        finally:
            await asyncio.to_thread(server.stop)


async def test_a_topic_that_ends_before_what_was_read_of_it_stops_the_consumer(
    service: Service,
) -> None:
    """Made anew, its first records would be taken for those that were handled long ago."""
    effects, cluster = Effects(service), MemoryCluster()
    log = MemoryLog(cluster)
    await log.publish(numbered(SENDS.name, 60))
    group = f"registry.test-{uuid.uuid4().hex[:8]}"

    def consumer() -> Consumer:
        return replace(service, log=log).consumer(SENDS.name, effects.apply, group=group)

    async with running(consumer()):
        await effects.reach(60)
    whole, cluster.records = cluster.records, MemoryCluster().records
    await log.publish(numbered(SENDS.name, 3))
    stopped = consumer()
    async with running(stopped):

        async def said() -> bool:
            return "ends before what was read" in (stopped.health.stopped or "")

        await until(said)
        cluster.records = whole  # the broker has its disk again
        await log.publish(numbered(SENDS.name, 5, start=60))
        await effects.reach(65)
        assert stopped.health.stopped is None
    assert await effects.values() == list(range(65))


class Watched(MemoryLog):
    """Tells when whoever watches a consumer has looked: it asks for the ends twice each time."""

    asked = 0

    async def end_offsets(self, topics: Collection[str]) -> Positions:
        self.asked += 1
        return await super().end_offsets(topics)

    async def looked_at(self) -> None:
        """Wait for the end of a look that begins from now on."""
        enough = self.asked + 4

        async def looked() -> bool:
            return self.asked >= enough

        await until(looked)


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have consumers be looked at every few milliseconds."""
    monkeypatch.setattr("shared.consume._LOOK_S", 0.005)


@pytest.mark.usefixtures("quick_looks")
async def test_a_stall_is_a_minute_with_records_waiting_and_not_a_quiet_one(
    service: Service,
) -> None:
    """The first record after an idle hour has a minute of its own, however long it takes."""
    passed = 0.0
    log, held = Watched(MemoryCluster()), asyncio.Event()
    clock = replace(service.clock, monotonic=lambda: passed)
    held.set()

    async def wait(_session: Session, _records: Sequence[Record]) -> None:
        await held.wait()

    consumer = replace(service, log=log, clock=clock).consumer(SENDS.name, wait)
    async with running(consumer):
        await log.publish(numbered(SENDS.name, 5))

        async def through() -> bool:
            return sum(consumer.health.positions.values()) == 5

        await until(through)
        watching = asyncio.create_task(consumer.watch())
        await log.looked_at()
        passed += 3600
        await log.looked_at()
        held.clear()
        await log.publish(numbered(SENDS.name, 5))
        await log.looked_at()
        passed += 59
        await log.looked_at()
        assert not watching.done()
        passed += 1
        with pytest.raises(Stalled):
            await asyncio.wait_for(watching, 5)
        held.set()
