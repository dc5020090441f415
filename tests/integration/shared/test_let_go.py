"""What is kept for the records to come is let go where they may go to another process."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import pytest

from shared.consume import Ahead, Consumer
from shared.failures import Disconnected, Rejected
from shared.kafka import LoadPositions, Outgoing, Partition, Positions, Reader, Record
from shared.mongo import Session
from shared.topics import SENDS
from tests.integration.shared.conftest import Service
from tests.integration.shared.test_consume import running
from tests.support.memory_kafka import MemoryCluster, MemoryLog
from tests.support.wait import until


class Group(MemoryLog):
    """A log that a test takes partitions from, or all of it."""

    member: Reader
    is_ours: Callable[[Partition], bool]
    lost = False

    def reader(self, group: str, topics: Collection[str], load: LoadPositions) -> Reader:
        async def load_ours(partitions: Collection[Partition]) -> Positions:
            if self.lost:
                self.lost = False
                raise Disconnected("Kafka does not answer")
            return await load([partition for partition in partitions if self.is_ours(partition)])

        self.member = super().reader(group, topics, load_ours)
        return self.member


class Keeping:
    """A consumer that keeps something for its partitions."""

    def __init__(self, service: Service, *, ahead: bool) -> None:
        self.cluster = MemoryCluster()
        self.log = Group(self.cluster)
        self.log.is_ours = lambda _partition: True
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.spare = asyncio.Event()
        self.is_storing = False
        self.storing_when_let_go: list[bool] = []
        self.refuses = False
        self.consumer: Consumer = replace(service, log=self.log).consumer(
            SENDS.name,
            self._apply,
            ahead=Ahead(self._prepare, self.spare) if ahead else None,
            let_go=self._let_go,
        )

    async def _prepare(self, _records: Sequence[Record]) -> None:
        return

    async def _apply(self, _session: Session, _records: Sequence[Record]) -> None:
        self.is_storing = True
        self.spare.set()  # the next are read, and so partitions found to be lost, meanwhile
        try:
            await self.go_on.wait()
            if self.refuses:
                raise Rejected("invalid_field")
        finally:
            self.is_storing = False

    async def _let_go(self) -> None:
        self.storing_when_let_go.append(self.is_storing)

    async def publish(self) -> None:
        await self.log.publish([Outgoing(SENDS.name, "zone", b"{}", ())])

    async def times(self, count: int) -> None:
        """Hold that it let go so often, and not in the middle of a batch."""

        async def so_often() -> bool:
            return len(self.storing_when_let_go) >= count

        await until(so_often, seconds=10)
        await asyncio.sleep(0.2)
        assert self.storing_when_let_go == [False] * count

    async def through(self) -> None:
        async def there() -> bool:
            return sum(self.consumer.health.positions.values()) == len(self.cluster.on(SENDS.name))

        await until(there)


@pytest.mark.parametrize("ahead", [False, True])
async def test_it_lets_go_when_its_partitions_change_and_not_when_they_stay(
    service: Service, *, ahead: bool
) -> None:
    keeping = Keeping(service, ahead=ahead)
    async with running(keeping.consumer):
        await keeping.publish()
        await keeping.through()
        await keeping.times(1)  # what it begins with was another's
        keeping.log.member.rewind()
        await keeping.times(1)
        keeping.log.is_ours = lambda partition: partition.number % 2 == 0
        keeping.go_on.clear()
        await keeping.publish()
        keeping.log.member.rewind()
        await asyncio.sleep(0.2)
        keeping.go_on.set()
        await keeping.times(2)


async def test_it_lets_go_when_kafka_is_lost(service: Service) -> None:
    keeping = Keeping(service, ahead=False)
    async with running(keeping.consumer):
        await keeping.publish()
        await keeping.through()
        await keeping.times(1)
        keeping.log.lost = True
        keeping.log.member.rewind()
        await keeping.times(2)


async def test_it_lets_go_after_a_record_that_was_handled_by_hand(service: Service) -> None:
    """Such a one may stand on a partition of another process."""
    keeping = Keeping(service, ahead=False)

    async def nothing(_session: Session) -> None:
        return

    async with running(keeping.consumer):
        await keeping.publish()
        await keeping.through()
        await keeping.times(1)
        (record,) = keeping.cluster.on(SENDS.name)
        await keeping.consumer.again(record, nothing)
        await keeping.times(2)
        keeping.refuses = True
        with pytest.raises(Rejected):
            await keeping.consumer.again(record, nothing)
        await keeping.times(3)
