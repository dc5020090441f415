"""An in-memory log for the flow tests: partitions, offsets and keys, but no groups and no network.

It proves nothing about delivery; the integration tests do that, on Apache Kafka.
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from typing import Self

from shared.kafka import LoadPositions, Outgoing, Partition, Positions, Reader, Record
from shared.topics import PARTITIONS


class MemoryCluster:
    """What all the users of one in-memory cluster share."""

    def __init__(self) -> None:
        """Start empty."""
        self.records: dict[Partition, list[Record]] = defaultdict(list)
        self.changed = asyncio.Condition()
        self.loses: Callable[[Outgoing], bool] = lambda _: False
        """What is acknowledged and never read by anybody: a broker that lost its disk."""

    def on(self, topic: str) -> list[Record]:
        """Give everything on a topic, partition by partition."""
        return [
            record
            for partition, records in sorted(self.records.items())
            if partition.topic == topic
            for record in records
        ]

    async def append(self, outgoing: Outgoing) -> Record:
        """Append one record where its key belongs."""
        number = zlib.crc32(outgoing.key.encode()) % PARTITIONS
        log = self.records[Partition(outgoing.topic, number)]
        record = Record(
            topic=outgoing.topic,
            partition=number,
            offset=len(log),
            key=outgoing.key.encode(),
            value=outgoing.value,
            headers=outgoing.headers,
        )
        if self.loses(outgoing):
            return record
        async with self.changed:
            log.append(record)
            self.changed.notify_all()
        return record


class MemoryLog:
    """One user's view of a `MemoryCluster`; implements `shared.kafka.Log`."""

    def __init__(self, cluster: MemoryCluster) -> None:
        """Bind to a cluster."""
        self._cluster = cluster

    async def __aenter__(self) -> Self:
        """Connect."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Disconnect."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Append records in order."""
        for record in records:
            await self._cluster.append(record)

    def reader(self, group: str, topics: Collection[str], load: LoadPositions) -> Reader:
        """Make the group's only member."""
        del group
        return _MemoryReader(self._cluster, topics, load)

    async def end_offsets(self, topics: Collection[str]) -> Positions:
        """Give each partition's end."""
        return {
            partition: len(self._cluster.records[partition]) for partition in _partitions(topics)
        }

    async def read(self, start: Positions, ends: Positions) -> AsyncGenerator[list[Record]]:
        """Give what stands between two positions."""
        for partition, end in ends.items():
            found = self._cluster.records[partition][start.get(partition, 0) : end]
            if found:
                yield found


def _partitions(topics: Collection[str]) -> list[Partition]:
    return [Partition(topic, number) for topic in topics for number in range(PARTITIONS)]


class _MemoryReader:
    def __init__(
        self, cluster: MemoryCluster, topics: Collection[str], load: LoadPositions
    ) -> None:
        self._cluster = cluster
        self._load = load
        self._next: Positions = dict.fromkeys(_partitions(topics), 0)
        self._placed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    async def poll(self, most: int, wait: float) -> list[Record]:
        if not self._placed:
            stored = await self._load(self._next.keys())
            self._next = {partition: stored.get(partition, 0) for partition in self._next}
            self._placed = True
        try:
            async with asyncio.timeout(wait), self._cluster.changed:
                await self._cluster.changed.wait_for(self._something)
        except TimeoutError:
            return []
        return self._take(most)

    def _something(self) -> bool:
        return any(len(self._cluster.records[p]) > at for p, at in self._next.items())

    def _take(self, most: int) -> list[Record]:
        taken: list[Record] = []
        for partition, start in self._next.items():
            found = self._cluster.records[partition][start : start + most - len(taken)]
            self._next[partition] = start + len(found)
            taken += found
        return taken

    def rewind(self) -> None:
        self._placed = False

    async def reached(self) -> Positions:
        return dict(self._next) if self._placed else {}
