"""Records as they are read and written, and where they stand; needs no Kafka client."""

from dataclasses import dataclass
from typing import NamedTuple


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


class Record(NamedTuple):
    """A record as read, its value untouched."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    @property
    def source(self) -> Partition:
        """Give the partition it stands in."""
        return Partition(self.topic, self.partition)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to write."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


Positions = dict[Partition, int]
