"""Bad records in a batch: found by halving, given up one by one, and nothing else is touched."""

import asyncio
import math
import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from shared.consume import Consumer
from shared.failures import Rejected
from shared.kafka import Outgoing, Record
from shared.mongo import Document, Session
from shared.settings import MongoSettings
from shared.topics import ALERTS, SENDS
from tests.integration.shared.conftest import Service, make_service
from tests.integration.shared.test_consume import running
from tests.support.memory_kafka import MemoryCluster, MemoryLog
from tests.support.wait import until


class Transactions(CommandListener):
    """How many transactions a client ended, one way or the other."""

    def __init__(self) -> None:
        self.count = 0

    def started(self, event: CommandStartedEvent) -> None:
        self.count += event.command_name in {"commitTransaction", "abortTransaction"}

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Count starts only."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Count starts only."""


class Batch:
    """One partition's records, some of them bad, and the order in which the others took effect."""

    def __init__(self, service: Service, topic: str, size: int, bad: set[int]) -> None:
        self.bad = bad
        self.size = size
        self.applied = 0
        self.topic = topic
        self.log = MemoryLog(MemoryCluster())
        self.effects = service.database["effects"]
        self.letters = service.database["dead_letters"]
        self.consumer: Consumer = replace(service, log=self.log).consumer(
            topic, self._apply, group=f"dispatcher.test-{uuid.uuid4().hex[:8]}", most=size
        )

    async def _apply(self, session: Session, records: Sequence[Record]) -> None:
        self.applied += 1
        taken: list[int] = []
        for record in records:
            if record.offset in self.bad:
                raise Rejected("invalid_field", "seq")
            taken.append(record.offset)
        push: Document = {"$push": {"offsets": {"$each": taken}}}
        await self.effects.update_one({"_id": "all"}, push, upsert=True, session=session)

    async def publish(self) -> None:
        await self.log.publish([Outgoing(self.topic, "zone", b"{}", ()) for _ in range(self.size)])

    async def handle(self) -> None:
        """Handle all of it."""
        await self.publish()

        async def through() -> bool:
            return sum(self.consumer.health.positions.values()) == self.size

        async with running(self.consumer):
            await until(through)

    async def taken(self) -> list[int]:
        row = await self.effects.find_one({"_id": "all"})
        return [] if row is None else row["offsets"]

    async def given_up(self) -> list[int]:
        return [row["offset"] async for row in self.letters.find().sort("offset", 1)]


BATCHES = st.integers(1, 300).flatmap(
    lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1), max_size=12))
)


def test_whichever_records_are_bad_the_others_take_effect_once_in_order_in_few_transactions(
    mongo_database: MongoSettings,
) -> None:
    async def holds(service: Service, counted: Transactions, size: int, bad: set[int]) -> None:
        batch = Batch(service, ALERTS.name, size, bad)
        counted.count = 0
        await batch.handle()
        assert await batch.taken() == [n for n in range(size) if n not in bad]
        assert await batch.given_up() == sorted(bad)
        letters = await service.database["outbox"].find({"topic": f"{ALERTS.name}.dlq"}).to_list()
        assert len(letters) == len(bad)
        # each bad one: a failure and a half that is stored at every level, and its letter
        assert counted.count <= 1 + len(bad) * (2 * math.ceil(math.log2(size + 1)) + 1)

    with asyncio.Runner() as runner:
        counted = Transactions()
        url = mongo_database.url.get_secret_value()
        client = AsyncMongoClient[Document](
            url, tz_aware=True, w="majority", event_listeners=[counted]
        )

        async def once(size: int, bad: set[int]) -> None:
            await client.drop_database(mongo_database.database)
            service = await make_service(
                MemoryLog(MemoryCluster()), client, mongo_database.database
            )
            await holds(service, counted, size, bad)

        @settings(max_examples=25, deadline=None)
        @given(BATCHES)
        def any_of_them(batch: tuple[int, set[int]]) -> None:
            runner.run(once(*batch))

        any_of_them()
        runner.run(client.close())


async def test_one_bad_record_in_a_large_batch_is_no_matter_of_minutes(service: Service) -> None:
    batch = Batch(service, SENDS.name, 4000, {2718})
    await batch.handle()
    assert await batch.given_up() == [2718]
    assert len(await batch.taken()) == 3999
    assert batch.applied < 30


@pytest.mark.parametrize("size", [30, 500])
async def test_a_producer_of_bad_records_only_has_no_more_given_up_than_the_limit(
    service: Service, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Also where all of them come in one batch. Once the letters are dropped it goes on."""
    monkeypatch.setattr("shared.consume._LOOK_S", 0.02)
    batch = Batch(service, SENDS.name, size, set(range(25)))
    await batch.publish()
    async with running(batch.consumer):
        for given_up in ([*range(11)], [*range(11, 22)]):

            async def stopped(given_up: list[int] = given_up) -> bool:
                has_all = await batch.given_up() == given_up
                return has_all and batch.consumer.health.stopped is not None

            await until(stopped)
            await asyncio.sleep(0.2)
            assert await batch.given_up() == given_up
            await batch.letters.delete_many({})

        async def through() -> bool:
            return sum(batch.consumer.health.positions.values()) == size

        await until(through)
    assert await batch.taken() == [*range(25, size)]
    assert batch.consumer.health.stopped is None
