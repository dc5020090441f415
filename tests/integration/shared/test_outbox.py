"""No event without its change, no change without its event, and in order per key."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from shared.clock import Clock
from shared.contracts import Access, Erasure
from shared.envelope import parse
from shared.kafka import Outgoing, Partition, Positions, Record
from shared.mongo import Client, Session, database, transaction
from shared.outbox import Outbox, OutboxPublisher
from shared.settings import MongoSettings
from shared.tasks import end
from shared.topics import ERASURES
from tests.integration.shared.conftest import Service
from tests.support.cluster import KafkaCluster
from tests.support.wait import until


def event(member: str, number: int) -> Erasure:
    return Erasure.model_validate(
        {
            "erasure_id": str(number),
            "member_id": member,
            "zone_id": "demo",
            "erased_at": "2026-05-02T08:00:00Z",
        }
    )


async def change(service: Service, topic: str, member: str) -> None:
    """Raise a member's number, and write the event that tells it, in one transaction."""

    async def work(session: Session) -> None:
        row = await service.database["members"].find_one_and_update(
            {"_id": member}, {"$inc": {"number": 1}}, upsert=True, session=session
        )
        number = 1 if row is None else int(row["number"]) + 1
        await service.outbox.add(session, [event(member, number)], topic=topic)

    await transaction(service.client, work)


async def published(service: Service, topic: str, count: int) -> list[Record]:
    async def from_the_start(_partitions: Collection[Partition]) -> Positions:
        return {}

    found: list[Record] = []
    group = f"registry.test-{uuid.uuid4().hex[:8]}"
    async with service.log.reader(group, [topic], from_the_start) as reader:
        async with asyncio.timeout(30):
            while len(found) < count:
                found += await reader.poll(500, wait=0.2)
    return found


def publisher(service: Service, owner: str = "one") -> OutboxPublisher:
    return OutboxPublisher(service.outbox, service.log, service.database, owner)


def numbers(records: list[Record], member: str) -> list[int]:
    events = [parse(Erasure, record.value) for record in records]
    return [int(e.erasure_id) for e in events if e.member_id == member]


async def test_concurrent_changes_are_published_in_their_order_per_key(
    service: Service, kafka_cluster: KafkaCluster
) -> None:
    topic = kafka_cluster.new_topic(ERASURES)
    members = [f"m{n}" for n in range(4)]
    changes = members * 15
    random.Random(5).shuffle(changes)  # noqa: S311 - the same order in every run
    running = asyncio.create_task(publisher(service).run())
    await asyncio.gather(*(change(service, topic, member) for member in changes))
    records = await published(service, topic, 60)
    running.cancel()
    for member in members:
        assert numbers(records, member) == list(range(1, 16))


async def test_a_change_that_is_rolled_back_leaves_no_event(service: Service) -> None:
    class Crash(Exception):  # noqa: N818 - a test's own
        pass

    async def work(session: Session) -> None:
        await service.outbox.add(session, [event("m", 1)])
        raise Crash

    with contextlib.suppress(Crash):
        await transaction(service.client, work)
    assert await service.outbox.waiting() == 0


async def test_a_crash_between_publishing_and_forgetting_repeats_in_the_same_order(
    service: Service, kafka_cluster: KafkaCluster
) -> None:
    topic = kafka_cluster.new_topic(ERASURES)
    for _ in range(5):
        await change(service, topic, "m")
    rows = await service.outbox.oldest()
    await service.log.publish(
        [Outgoing(row["topic"], row["key"], bytes(row["value"]), ()) for row in rows]
    )
    assert await publisher(service).publish_once() == 5
    assert numbers(await published(service, topic, 10), "m") == [1, 2, 3, 4, 5] * 2


async def test_a_row_that_an_earlier_version_wrote_is_published_with_its_headers(
    service: Service, kafka_cluster: KafkaCluster
) -> None:
    """Then, headers were a list of pairs; rows may wait while the service is brought up to date."""
    topic = kafka_cluster.new_topic(ERASURES)
    await change(service, topic, "m")
    [row] = await service.outbox.oldest()
    pairs = [[name, value] for name, value in row["headers"].items()]
    await service.database["outbox"].update_one({"_id": row["_id"]}, {"$set": {"headers": pairs}})
    await change(service, topic, "m")
    assert await publisher(service).publish_once() == 2
    old, new = await published(service, topic, 2)
    assert len(old.headers) > 5
    assert [name for name, _ in old.headers] == [name for name, _ in new.headers]
    assert dict(old.headers) == {name: bytes(value) for name, value in pairs}


async def test_one_publisher_works_at_a_time(service: Service, kafka_cluster: KafkaCluster) -> None:
    topic = kafka_cluster.new_topic(ERASURES)
    await change(service, topic, "m")
    first, second = publisher(service, "first"), publisher(service, "second")
    assert await first.publish_once() == 1
    await change(service, topic, "m")
    assert await second.publish_once() == 0
    assert await first.publish_once() == 1


async def test_a_publisher_that_was_stopped_asks_for_its_right_again(
    service: Service, kafka_cluster: KafkaCluster
) -> None:
    topic = kafka_cluster.new_topic(ERASURES)
    first, second = publisher(service, "first"), publisher(service, "second")
    await change(service, topic, "m")
    assert await first.publish_once() == 1
    running = asyncio.create_task(first.run())
    await asyncio.sleep(0)  # it has begun
    await end([running])
    await change(service, topic, "m")
    assert await second.publish_once() == 1
    await change(service, topic, "m")
    assert await first.publish_once() == 0


async def test_events_that_come_together_are_published_together(
    service: Service, kafka_cluster: KafkaCluster
) -> None:
    counts: list[int] = []

    class Counted(OutboxPublisher):
        async def publish_once(self) -> int:
            counts.append(await super().publish_once())
            return counts[-1]

    topic = kafka_cluster.new_topic(ERASURES)
    gather = timedelta(seconds=3)
    made = Counted(service.outbox, service.log, service.database, "one", gather=gather)
    running = asyncio.create_task(made.run())

    async def looked() -> bool:
        return bool(counts)

    await until(looked)  # and found nothing
    for _ in range(8):
        await change(service, topic, "m")
        await asyncio.sleep(0.05)  # long enough to be published by itself
    assert numbers(await published(service, topic, 8), "m") == [*range(1, 9)]
    running.cancel()
    assert len([count for count in counts if count]) < 4  # one may come while it looks


async def test_an_event_without_an_order_needs_no_transaction_and_no_other_may_do_without(
    service: Service,
) -> None:
    access = Access(
        event_id="read-1",
        zone_id="demo",
        service="audit",
        kind="read",
        action="send.show",
        actor="0" * 64,
        time=datetime(2026, 5, 2, 8, tzinfo=UTC),
    )
    await service.outbox.add_alone(access, "read-1")
    with pytest.raises(ValueError, match="erasures"):
        await service.outbox.add_alone(event("m", 1), "erasure-1")
    [row] = await service.outbox.oldest()
    assert (row["topic"], row["key"], row["headers"]["ce_id"]) == ("bin.access", "demo", b"read-1")


async def change_many(service: Service, topic: str, members: Sequence[str]) -> None:
    """Raise the numbers of many members, each twice, in one transaction."""

    async def work(session: Session) -> None:
        events: list[Erasure] = []
        for _ in range(2):
            for member in members:
                row = await service.database["members"].find_one_and_update(
                    {"_id": member}, {"$inc": {"number": 1}}, upsert=True, session=session
                )
                events.append(event(member, 1 if row is None else int(row["number"]) + 1))
        await service.outbox.add(session, events, topic=topic)

    await transaction(service.client, work)


async def test_many_keys_at_once_keep_the_order_of_each(
    service: Service, kafka_cluster: KafkaCluster
) -> None:
    """Changes of many keys race changes of one, on keys that are new and on keys that are not."""
    topic = kafka_cluster.new_topic(ERASURES)
    members = [f"m{n}" for n in range(12)]
    running = asyncio.create_task(publisher(service).run())
    many = [change_many(service, topic, members[:9]) for _ in range(2)]
    many += [change_many(service, topic, members[3:]) for _ in range(2)]
    ones = [change(service, topic, member) for member in members]
    await asyncio.gather(*many, *ones)
    total = 4 * 9 * 2 + len(ones)
    records = await published(service, topic, total)
    running.cancel()
    each = {member: numbers(records, member) for member in members}
    assert sum(len(found) for found in each.values()) == total
    for found in each.values():
        assert found == list(range(1, len(found) + 1))


class Commands(CommandListener):
    """What a client asked of the database, by name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Count starts only."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Count starts only."""


async def test_looking_again_and_again_is_one_durable_write(
    mongo_database: MongoSettings, service: Service
) -> None:
    url, commands = mongo_database.url.get_secret_value(), Commands()
    client: Client = AsyncMongoClient(url, event_listeners=[commands], tz_aware=True)
    async with client:
        own = database(client, mongo_database.database)
        made = OutboxPublisher(Outbox(own, "buurtbode/test", Clock()), service.log, own, "one")
        assert [await made.publish_once() for _ in range(20)] == [0] * 20
    assert commands.names.count("findAndModify") == 1


async def test_many_keys_at_once_are_few_commands(mongo_database: MongoSettings) -> None:
    """An import of 10,000 members must not make a round trip for each of them."""
    commands = Commands()

    async def work(session: Session) -> None:
        await outbox.add(session, [event(f"m{n}", 1) for n in range(3000)])

    url = mongo_database.url.get_secret_value()
    client: Client = AsyncMongoClient(url, event_listeners=[commands], tz_aware=True)
    async with client:
        own = database(client, mongo_database.database)
        outbox = Outbox(own, "buurtbode/test", Clock())
        await transaction(client, work)
        await transaction(client, work)
        assert len(commands.names) < 20, commands.names
        rows = await own["outbox"].find({"stream": "bin.erasures|m7"}).to_list()
        assert sorted(row["seq"] for row in rows) == [1, 2]
