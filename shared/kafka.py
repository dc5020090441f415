"""The log that the services talk over: a port with Apache Kafka behind it.

The port has a second implementation in the tests (in memory, for the flow tests). aiokafka is used
directly rather than through a framework, because positions are kept in MongoDB together with the
rows they produced, and because judging waits for end offsets; docs/decisions/0003 tells more.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Sequence
from time import monotonic
from typing import Any, Protocol, Self, cast

from aiokafka import (  # pyright: ignore[reportMissingTypeStubs]
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.coordinator.assignors.range import (  # pyright: ignore[reportMissingTypeStubs]
    RangePartitionAssignor,
)
from aiokafka.errors import KafkaError  # pyright: ignore[reportMissingTypeStubs]
from aiokafka.partitioner import (  # pyright: ignore[reportMissingTypeStubs]
    DefaultPartitioner,
)

from shared.failures import Disconnected, Retryable
from shared.records import Outgoing, Partition, Positions, Record
from shared.settings import KafkaSettings

_PARTITION_OF = DefaultPartitioner()
"""The producer's own choice (murmur2 of the key), for the batches that we fill ourselves."""

_WORTH_A_BATCH = 8


LoadPositions = Callable[[Collection[Partition]], Awaitable[Positions]]


class Reader(Protocol):
    """One member of a consumer group, whose positions are somebody else's matter."""

    async def __aenter__(self) -> Self:
        """Join the group."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Leave the group."""
        ...

    async def poll(self, most: int, wait: float) -> list[Record]:
        """Read up to `most` records, waiting up to `wait` seconds for the first.

        The records of one partition come in order. Raises `Disconnected` while Kafka is away, and
        what loading the positions raises; nothing is skipped then.
        """
        ...

    def rewind(self) -> None:
        """Have the next `poll` go back to the stored positions of all assigned partitions."""
        ...

    async def reached(self) -> Positions:
        """Give the next offset to read, per assigned partition, gaps skipped."""
        ...


class Log(Protocol):
    """A cluster, as one user of it."""

    async def __aenter__(self) -> Self:
        """Connect."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Disconnect."""
        ...

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Write records, in order per key, and return once all replicas have them.

        Raises `Retryable`; some of the records may then have been written.
        """
        ...

    def reader(self, group: str, topics: Collection[str], load: LoadPositions) -> Reader:
        """Make a member of a group; it starts each partition where `load` says, else at 0."""
        ...

    async def end_offsets(self, topics: Collection[str]) -> Positions:
        """Give each partition's end: the offset that its next record will get."""
        ...

    def read(self, start: Positions, ends: Positions) -> AsyncGenerator[list[Record]]:
        """Read what stands from `start` up to `ends`, outside any group; then it is over.

        What retention or compaction took away is left out. Raises `Retryable`. Who stops before the
        end closes it (`contextlib.aclosing`).
        """
        ...


_AT_ONCE = 250
"""Records decoded before whoever else waits for the processor has a turn: a few milliseconds."""

_QUIET_S = 10.0
"""How long reading between two positions waits for a record that must be there."""


def _connection(settings: KafkaSettings, client_id: str) -> dict[str, Any]:
    context = None
    if settings.protocol == "SASL_SSL":
        context = ssl.create_default_context(cafile=settings.ca_file)
    return {
        "bootstrap_servers": settings.bootstrap,
        "client_id": client_id,
        "security_protocol": settings.protocol,
        "ssl_context": context,
        "sasl_mechanism": settings.mechanism,
        "sasl_plain_username": settings.user,
        "sasl_plain_password": settings.password.get_secret_value(),
        "request_timeout_ms": 10_000,
    }


async def _start_whole(client: Any) -> None:
    """Start a client to the end even when cancelled meanwhile, so that stopping it closes all.

    Cancelled while it asks its first broker, aiokafka 0.14 forgets that connection.
    """
    starting = asyncio.ensure_future(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.gather(starting, return_exceptions=True)
        raise


class KafkaLog:
    """Apache Kafka through aiokafka: idempotent, acknowledged by all in-sync replicas."""

    def __init__(self, settings: KafkaSettings, client_id: str) -> None:
        """Keep the settings; nothing connects before `async with`."""
        self._settings = settings
        self._client_id = client_id
        self._producer: Any = None
        self._watcher: Any = None

    async def __aenter__(self) -> Self:
        """Connect. Raises `Retryable` with a hint where the cluster or the password is wrong."""
        connection = _connection(self._settings, self._client_id)
        # aiokafka is untyped: its objects are Any here and nowhere else
        self._producer = cast("Any", AIOKafkaProducer)(
            **connection,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=2,
            max_batch_size=256 * 1024,
        )
        self._watcher = cast("Any", AIOKafkaConsumer)(**connection, group_id=None)
        try:
            await _start_whole(self._producer)
            await _start_whole(self._watcher)
        except KafkaError as error:
            await self.__aexit__()
            message = (
                f"cannot connect to Kafka at {self._settings.bootstrap} as "
                f"{self._settings.user}: is it running, and is the password right?"
            )
            raise Retryable(message) from error
        except asyncio.CancelledError:
            await self.__aexit__()  # nobody else will: the caller never entered
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Flush and disconnect."""
        for client in (self._producer, self._watcher):
            if client is not None:
                await client.stop()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Write records; see the port."""
        by_key: dict[tuple[str, str], list[Outgoing]] = {}
        for record in records:
            by_key.setdefault((record.topic, record.key), []).append(record)
        try:
            waiting: list[Any] = []
            for (topic, key), group in by_key.items():
                waiting += await self._begin(topic, key.encode(), group)
            await asyncio.gather(*waiting)
        except KafkaError as error:
            message = f"Kafka did not acknowledge: {type(error).__name__}"
            raise Retryable(message) from error

    async def _begin(self, topic: str, key: bytes, records: Sequence[Outgoing]) -> list[Any]:
        """Hand records of one key to the producer, and give what tells that they are written."""
        if len(records) < _WORTH_A_BATCH:
            return [
                await self._producer.send(
                    topic, key=key, value=record.value, headers=list(record.headers)
                )
                for record in records
            ]
        # a batch of our own: a fifth of what one call of `send` costs for each
        numbers = sorted(await self._producer.partitions_for(topic))
        partition: int = cast("Any", _PARTITION_OF)(key, numbers, numbers)
        waiting: list[Any] = []
        batch: Any = self._producer.create_batch()
        for record in records:
            while (
                batch.append(
                    key=key, value=record.value, timestamp=None, headers=list(record.headers)
                )
                is None
            ):  # full
                waiting.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
        waiting.append(await self._producer.send_batch(batch, topic, partition=partition))
        return waiting

    def reader(self, group: str, topics: Collection[str], load: LoadPositions) -> Reader:
        """Make a member of a group; see the port."""
        return _KafkaReader(self._settings, self._client_id, group, topics, load)

    async def end_offsets(self, topics: Collection[str]) -> Positions:
        """Give each partition's end; see the port."""
        try:
            partitions = await self._partitions(topics)
            ends: dict[Any, int] = await self._watcher.end_offsets(partitions)
        except KafkaError as error:
            message = f"Kafka does not tell its end offsets: {type(error).__name__}"
            raise Retryable(message) from error
        return {Partition(tp.topic, tp.partition): end for tp, end in ends.items()}

    async def read(self, start: Positions, ends: Positions) -> AsyncGenerator[list[Record]]:
        """Read what stands between two positions; see the port."""
        left = {partition: end for partition, end in ends.items() if start.get(partition, 0) < end}
        if not left:
            return
        consumer = cast("Any", AIOKafkaConsumer)(
            **_connection(self._settings, self._client_id),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # what retention took away is skipped
        )
        try:
            await _start_whole(consumer)
            consumer.assign([_topic_partition(partition) for partition in left])
            for partition in left:
                consumer.seek(_topic_partition(partition), start.get(partition, 0))
            async for records in _until(consumer, start, left):
                yield records
        except KafkaError as error:
            message = f"Kafka does not answer: {type(error).__name__}"
            raise Retryable(message) from error
        finally:
            await consumer.stop()

    async def _partitions(self, topics: Collection[str]) -> list[Any]:
        client = self._watcher._client  # noqa: SLF001 - the public call needs a subscription
        found: list[Any] = []
        for topic in topics:
            await client.add_topic(topic)
            numbers: Iterable[int] | None = client.cluster.partitions_for_topic(topic)
            if not numbers:
                await client.force_metadata_update()
                numbers = client.cluster.partitions_for_topic(topic)
            if not numbers:
                message = f"topic {topic} does not exist: run `buurtbode topics apply`"
                raise Retryable(message)
            found += [_topic_partition(Partition(topic, number)) for number in numbers]
        return found


def _topic_partition(partition: Partition) -> Any:
    return cast("Any", TopicPartition)(*partition)


async def _until(consumer: Any, start: Positions, left: Positions) -> AsyncGenerator[list[Record]]:
    """Read an assigned consumer up to these ends; each partition rests once it is there."""
    ends, reached = dict(left), dict(start)
    quiet_since = monotonic()
    while left:
        try:
            records = await _bulk(consumer, 0.5, 2000)
        except UnicodeDecodeError:
            for partition in left:
                consumer.seek(_topic_partition(partition), reached.get(partition, 0))
            records = await _one_by_one(consumer, left)
        wanted = [record for record in records if record.offset < ends[record.source]]
        if wanted:
            yield wanted
        reached |= {record.source: record.offset + 1 for record in records}
        if records:
            quiet_since = monotonic()
        elif monotonic() - quiet_since > _QUIET_S:
            raise Retryable("Kafka stopped answering before everything was read")
        for partition, end in list(left.items()):
            at = _topic_partition(partition)
            if await consumer.position(at) >= end:
                del left[partition]
                consumer.pause(at)


async def _bulk(consumer: Any, wait: float, most: int) -> list[Record]:
    """Read what has come. After a `UnicodeDecodeError` the positions hold no longer."""
    records: list[Record] = []
    while len(records) < most:
        found: dict[Any, list[Any]] = await consumer.getmany(
            timeout_ms=0 if records else int(wait * 1000),
            max_records=min(most - len(records), _AT_ONCE),
        )
        if not found:
            break
        records += [_record(message) for messages in found.values() for message in messages]
        await asyncio.sleep(0)
    return records


async def _one_by_one(consumer: Any, partitions: Collection[Partition]) -> list[Record]:
    """Read the next record of each partition, and an empty one in the place of a malformed one.

    The name of a header is whatever bytes its writer chose, and aiokafka 0.14 fails on those that
    are not UTF-8: one such record would end every service that reads its topic, again and again.
    An empty one is refused in its place, as any record without headers is; and so is what its
    writer put behind it into the same batch, which aiokafka does not get to.
    """
    records: list[Record] = []
    ends: dict[Any, int] = await consumer.end_offsets(
        [_topic_partition(partition) for partition in partitions]
    )
    for at, end in ends.items():
        position: int = await consumer.position(at)
        if position >= end:
            continue
        try:
            found: dict[Any, list[Any]] = await consumer.getmany(at, timeout_ms=1000, max_records=1)
        except UnicodeDecodeError:
            consumer.seek(at, position + 1)
            records.append(Record(at.topic, at.partition, position, None, b"", ()))
        else:
            records += [_record(message) for messages in found.values() for message in messages]
    return records


class _KafkaReader(ConsumerRebalanceListener):
    """A group member that starts from stored positions and never commits to Kafka."""

    def __init__(
        self,
        settings: KafkaSettings,
        client_id: str,
        group: str,
        topics: Collection[str],
        load: LoadPositions,
    ) -> None:
        self._topics = list(topics)
        self._load = load
        self._assigned: frozenset[Partition] = frozenset()
        self._assignments = 0
        self._placed = 0
        """The assignment whose partitions stand at their stored positions."""

        self._consumer: Any = None
        session_ms = int(settings.session_timeout.total_seconds() * 1000)
        self._options: dict[str, Any] = {
            **_connection(settings, client_id),
            "group_id": group,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            # range gives one process the same partition of every topic with equal counts
            "partition_assignment_strategy": (RangePartitionAssignor,),
            "session_timeout_ms": session_ms,
            "heartbeat_interval_ms": session_ms // 5,
            "max_partition_fetch_bytes": 4 * 1024 * 1024,
            "fetch_max_wait_ms": 250,
        }

    async def __aenter__(self) -> Self:
        self._consumer = cast("Any", AIOKafkaConsumer)(**self._options)
        self._consumer.subscribe(self._topics, listener=self)
        try:
            await _start_whole(self._consumer)
        except KafkaError as error:
            await self.__aexit__()
            message = f"cannot join the consumer group: {type(error).__name__}"
            raise Retryable(message) from error
        except asyncio.CancelledError:
            await self.__aexit__()  # nobody else will: the caller never entered
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, revoked: Collection[Any]
    ) -> None:
        del revoked  # eager rebalancing: all of them
        self._assigned = frozenset()
        self._assignments += 1

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Collection[Any]
    ) -> None:
        # only noted: where a listener fails, aiokafka goes on from positions of its own choice
        self._assigned = frozenset(Partition(tp.topic, tp.partition) for tp in assigned)
        self._assignments += 1

    async def poll(self, most: int, wait: float) -> list[Record]:
        if self._placed != self._assignments:
            await self._place()
        try:
            records = await self._next(most, wait)
        except KafkaError as error:
            message = f"Kafka does not answer: {type(error).__name__}"
            raise Disconnected(message) from error
        if self._placed != self._assignments:
            # aiokafka fetches from a new assignment at once: what came meanwhile may stand before
            # the stored positions, so it is dropped and read again
            return []
        return records

    async def _next(self, most: int, wait: float) -> list[Record]:
        try:
            return await _bulk(self._consumer, wait, most)
        except UnicodeDecodeError:
            await self._place()
            return await _one_by_one(self._consumer, self._assigned & self._current())

    def rewind(self) -> None:
        self._placed = -1

    async def _place(self) -> None:
        placing = self._assignments
        await self._seek(self._assigned)
        self._placed = placing

    async def _seek(self, partitions: frozenset[Partition]) -> None:
        stored = await self._load(partitions)
        for partition in partitions & self._current():
            # a position that retention has passed is reset to the earliest
            self._consumer.seek(_topic_partition(partition), stored.get(partition, 0))

    def _current(self) -> frozenset[Partition]:
        """Tell what aiokafka holds now: a rebalance may have begun while positions were loaded."""
        return frozenset(Partition(tp.topic, tp.partition) for tp in self._consumer.assignment())

    async def reached(self) -> Positions:
        reached: Positions = {}
        if self._placed != self._assignments:
            return reached
        for partition in self._assigned & self._current():
            reached[partition] = await self._consumer.position(_topic_partition(partition))
        return reached


def _record(message: Any) -> Record:
    return Record(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value or b"",
        headers=tuple([(name, value or b"") for name, value in message.headers]),
    )
