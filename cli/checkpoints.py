"""Reading `bin.checkpoints` as the Kafka user `witness`, who may read that and nothing else.

No producer and no consumer group: the positions are the witness's own, in a file beside what it
kept, so that nobody who runs the cluster can move them.
"""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from cli.failures import CommandError
from deploy.kafka_admin import client_settings
from shared import envelope
from shared.contracts import Checkpoint
from shared.failures import Rejected
from shared.records import Record
from shared.settings import KafkaSettings
from shared.topics import CHECKPOINTS

_CONNECT_S = 10.0
_MOST = 200


class PublishedCheckpoints:
    """The published notes of one log, from where the last run ended. Use as a context manager."""

    def __init__(self, kafka: KafkaSettings, log: str, positions: Path) -> None:
        """`positions` is the file that says where the next run begins."""
        self._kafka = kafka
        self._log = log
        self._file = positions
        self._next = _read(positions)
        self._ends: dict[int, int] = {}
        self._gaps: list[str] = []
        self._consumer: Consumer | None = None

    @property
    def caught_up(self) -> bool:
        """Whether everything has been read that was there when it connected."""
        return all(self._next.get(number, 0) >= end for number, end in self._ends.items())

    @property
    def gaps(self) -> Sequence[str]:
        """What was published since the last run and can be read no more, as sentences."""
        return self._gaps

    def __enter__(self) -> Self:
        """Connect. Raises `CommandError` where the cluster or the password is wrong."""
        options: dict[str, Any] = {
            **client_settings(self._kafka),
            "group.id": f"{self._kafka.user}.command-line",  # named, and never joined
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",  # where retention passes it while this runs
        }
        consumer = Consumer(options)
        try:
            partitions = _partitions(consumer)
            for number in partitions:
                first, end = consumer.get_watermark_offsets(
                    TopicPartition(CHECKPOINTS.name, number), timeout=_CONNECT_S
                )
                self._go_on(number, first, end)
                if end > max(first, self._next.get(number, 0)):
                    self._ends[number] = end
            consumer.assign([self._place(number) for number in partitions])
        except KafkaException:
            consumer.close()
            message = (
                f"cannot read {CHECKPOINTS.name} at {self._kafka.bootstrap} as {self._kafka.user}: "
                "is Kafka running, and is the password right?"
            )
            raise CommandError(message) from None
        self._consumer = consumer
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()

    def notes(self, wait: float) -> Iterator[str]:
        """Give what came, at most `wait` seconds after the first call of it.

        A note counts as read once the next one is asked for: whoever stops in the middle gets the
        same one again.
        """
        if self._consumer is None:
            message = "PublishedCheckpoints is a context manager"
            raise RuntimeError(message)
        for message in self._consumer.consume(_MOST, timeout=wait):
            if message.error() is None:
                note = self._note(message)
                if note is not None:
                    yield note
                self._next[message.partition() or 0] = (message.offset() or 0) + 1
        self._keep()

    def _go_on(self, number: int, first: int, end: int) -> None:
        """Move a position that is no longer there, and say so."""
        kept = self._next.get(number)
        if kept is None or first <= kept <= end:
            return
        where = f"{CHECKPOINTS.name}, partition {number}: this witness had read up to {kept}, and "
        if kept < first:
            days = (CHECKPOINTS.retention or timedelta()).days
            self._gaps.append(
                f"{where}the topic begins at {first} by now (it keeps {days} days). Checkpoints "
                "between were not seen and are not cosigned. Reading on from there; the log still "
                "has to prove that it grew from the last one that was kept."
            )
        else:
            self._gaps.append(
                f"{where}the topic ends at {end}: it was made anew, or its broker lost records. "
                "Ask the operators, in writing. Reading all of it again."
            )
        self._next[number] = first

    def _note(self, message: Message) -> str | None:
        found: Any = message.headers() or []
        record = Record(
            topic=CHECKPOINTS.name,
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            key=None,
            value=message.value() or b"",
            headers=tuple((str(name), bytes(value or b"")) for name, value in found),
        )
        try:
            event = envelope.decode(record, Checkpoint).event
        except Rejected:
            return None  # not of the audit service; what it signs, it can write
        return event.note if event.zone_id == self._log else None

    def again(self) -> None:
        """Go back to what was not read to its end."""
        if self._consumer is not None:
            places = [place.partition for place in self._consumer.assignment()]
            self._consumer.assign([self._place(number) for number in places])

    def _place(self, number: int) -> TopicPartition:
        start = self._next.get(number, OFFSET_BEGINNING)
        return TopicPartition(CHECKPOINTS.name, number, start)

    def _keep(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as file:
            json.dump(self._next, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._file)


def _partitions(consumer: Consumer) -> list[int]:
    topic = consumer.list_topics(CHECKPOINTS.name, timeout=_CONNECT_S).topics[CHECKPOINTS.name]
    if topic.error is not None:
        raise KafkaException(topic.error)
    return list(topic.partitions)


def _read(path: Path) -> dict[int, int]:
    try:
        found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
        return {int(number): int(offset) for number, offset in found.items()}
    except FileNotFoundError:
        return {}
    except ValueError:
        message = f"{path} is damaged: delete it, and everything is read again"
        raise CommandError(message) from None
