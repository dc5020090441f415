"""No event without its change, no change without its event, and in order per key."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Collection

from shared.contracts import Erasure
from shared.envelope import parse
from shared.kafka import Outgoing, Partition, Positions, Record
from shared.mongo import Session, transaction
from shared.outbox import OutboxPublisher
from shared.topics import ERASURES
from tests.integration.shared.conftest import Service
from tests.support.cluster import KafkaCluster


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
    random.shuffle(changes)
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


async def test_one_publisher_works_at_a_time(service: Service, kafka_cluster: KafkaCluster) -> None:
    topic = kafka_cluster.new_topic(ERASURES)
    await change(service, topic, "m")
    first, second = publisher(service, "first"), publisher(service, "second")
    assert await first.publish_once() == 1
    await change(service, topic, "m")
    assert await second.publish_once() == 0
    assert await first.publish_once() == 1
