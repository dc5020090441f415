"""A consumer that goes on failing is noticed; one that waits for what is away is let wait."""

import asyncio
import contextlib
import itertools
import uuid
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient

from shared.consume import Consumer
from shared.failures import Held, Retryable, Stalled
from shared.kafka import LoadPositions, Outgoing, Positions, Reader, Record
from shared.mongo import Document, Session
from shared.tasks import end
from shared.topics import SENDS
from tests.integration.shared.conftest import Service, make_service
from tests.support.memory_kafka import MemoryCluster, MemoryLog
from tests.support.servers import local_mongod
from tests.support.wait import until

_IDS = itertools.count()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have consumers look and try again every few milliseconds."""
    monkeypatch.setattr("shared.consume._LOOK_S", 0.005)
    monkeypatch.setattr("shared.consume._LONGEST_S", 0.005)


class Away(MemoryLog):
    """A log that may not tell its ends, and whose reader may find nothing at first."""

    away = False
    looks = 0
    empty_first = False

    async def end_offsets(self, topics: Collection[str]) -> Positions:
        self.looks += 1
        if self.away:
            raise Retryable("Kafka does not tell its end offsets")
        return await super().end_offsets(topics)

    def reader(self, group: str, topics: Collection[str], load: LoadPositions) -> Reader:
        member = super().reader(group, topics, load)
        if not self.empty_first:
            return member
        poll, polls = member.poll, itertools.count()

        async def poll_late(most: int, wait: float) -> list[Record]:
            records = await poll(most, wait)
            if next(polls) % 2 == 0:  # as a real one's fetch may not be back in time
                member.rewind()
                return []
            return records

        member.poll = poll_late  # type: ignore[method-assign]
        return member

    async def looked_at(self) -> None:
        """Wait for some looks that begin from now on."""
        enough = self.looks + 4

        async def looked() -> bool:
            return self.looks >= enough

        await until(looked)


class Watched:
    """A consumer under its watchdog, by a clock of the test's."""

    def __init__(self, service: Service) -> None:
        self.passed = 0.0
        self.error: Exception | None = None
        self.log = Away(MemoryCluster())
        clock = replace(service.clock, monotonic=lambda: self.passed)
        self.consumer: Consumer = replace(service, log=self.log, clock=clock).consumer(
            SENDS.name, self._apply, group=f"registry.test-{uuid.uuid4().hex[:8]}"
        )

    async def _apply(self, _session: Session, _records: Sequence[Record]) -> None:
        if self.error is not None:
            raise self.error

    async def publish(self) -> None:
        await self.log.publish([Outgoing(SENDS.name, "zone", str(next(_IDS)).encode(), ())])

    async def through(self) -> None:
        """Wait until everything is handled."""

        async def there() -> bool:
            ends = await self.log.end_offsets([SENDS.name])
            stands = self.consumer.health.positions
            return all(stands.get(partition, 0) == end for partition, end in ends.items())

        await until(there)

    async def failing(self) -> None:
        async def says_so() -> bool:
            return self.consumer.health.why is not None

        await until(says_so)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[asyncio.Task[None]]:
        """Give the watchdog."""
        consuming = asyncio.create_task(self.consumer.run())
        watching = asyncio.create_task(self.consumer.watch())
        try:
            yield watching
            assert not consuming.done()
        finally:
            await end([consuming, watching])
            await asyncio.gather(consuming, watching, return_exceptions=True)


@pytest.mark.parametrize("handled_before", [True, False])
async def test_a_batch_that_always_fails_is_a_stall_after_a_minute(
    service: Service, *, handled_before: bool
) -> None:
    """However often it is tried; also where nothing was ever handled, and no position is stored."""
    watched = Watched(service)
    async with watched.running() as watching:
        if handled_before:
            await watched.publish()
            await watched.through()
        watched.error = Retryable("always")
        await watched.publish()
        await watched.failing()
        await watched.log.looked_at()
        watched.passed += 59
        await watched.log.looked_at()
        assert not watching.done()
        watched.passed += 1
        with pytest.raises(Stalled):
            await asyncio.wait_for(watching, 5)


async def test_what_waits_on_purpose_is_no_stall(service: Service) -> None:
    """A gate that an operator opens: a new process would stand before it as well."""
    watched = Watched(service)
    watched.error = Held("a backup was restored")
    async with watched.running() as watching:
        await watched.publish()
        await watched.failing()
        await watched.log.looked_at()
        watched.passed += 3600
        await watched.log.looked_at()
        assert not watching.done()
        watched.error = Retryable("something else")
        await watched.failing()
        await watched.log.looked_at()
        watched.passed += 60
        with pytest.raises(Stalled):
            await asyncio.wait_for(watching, 5)


async def test_kafka_away_for_an_hour_is_no_stall(service: Service) -> None:
    watched = Watched(service)
    watched.error = Retryable("Kafka is needed for this")
    async with watched.running() as watching:
        await watched.publish()
        await watched.failing()
        watched.log.away = True
        await watched.log.looked_at()
        watched.passed += 3600
        await watched.log.looked_at()
        assert not watching.done()
        watched.log.away, watched.error = False, None
        await watched.through()


async def test_a_database_away_for_an_hour_is_no_stall(tmp_path: Path) -> None:
    """A new process could not even start, and this one still answers and says what is away."""
    server = local_mongod(tmp_path)
    await asyncio.to_thread(server.start)
    try:
        async with AsyncMongoClient[Document](
            server.admin_url, serverSelectionTimeoutMS=200, w="majority", tz_aware=True
        ) as client:
            watched = Watched(await make_service(MemoryLog(MemoryCluster()), client, "away"))
            async with watched.running() as watching:
                await watched.publish()
                await watched.through()
                await asyncio.to_thread(server.kill)
                await watched.publish()
                for _ in range(3):
                    await watched.log.looked_at()
                    watched.passed += 1200
                assert not watching.done()
                await asyncio.to_thread(server.start)
                await watched.through()
                assert not watching.done()
    finally:
        await asyncio.to_thread(server.stop)


@pytest.mark.parametrize("empty_first", [False, True])
async def test_readiness_says_what_fails_again_and_again_until_it_is_handled(
    service: Service, *, empty_first: bool
) -> None:
    """A look that finds nothing yet is no success while something waits."""
    watched = Watched(service)
    watched.log.empty_first = empty_first
    watched.error = Retryable("nothing that is quoted")
    async with watched.running():
        await watched.publish()
        await watched.failing()
        assert "times in a row (Retryable)" in (watched.consumer.health.why or "")
        watched.error = None
        await watched.through()

        async def well() -> bool:
            return watched.consumer.health.why is None

        await until(well)


async def test_an_outage_of_days_does_not_end_a_consumer(service: Service) -> None:
    """2 to the power of the failures would be no float any more."""
    watched = Watched(service)
    watched.error = Retryable("always")
    watched.consumer.health.failures = 20_000
    async with watched.running():
        await watched.publish()

        async def goes_on() -> bool:
            return watched.consumer.health.failures > 20_003

        await until(goes_on)
