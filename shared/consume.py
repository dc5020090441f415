"""The one policy by which every consumer acknowledges, backs off, gives up and stops.

Positions are stored in MongoDB in the transaction that stores what the records led to, under a
fence: a process that lost a partition cannot store anything for it. So each record's effect is
stored exactly once, whatever is killed when. The policies of frameworks either lose records or try
one bad record thousands of times a second (docs/decisions/0003).
"""

import asyncio
import random
from collections import Counter as Counts
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from aiokafka.errors import KafkaError  # pyright: ignore[reportMissingTypeStubs]
from prometheus_client import Counter, Gauge
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from shared.clock import Clock
from shared.contracts import DeadLetter
from shared.contracts.common import Access
from shared.envelope import sha256
from shared.failures import Disconnected, Fenced, Held, Rejected, Retryable, Stalled, doubled
from shared.kafka import Log, Partition, Positions, Reader, Record
from shared.mongo import DUPLICATE_KEY, Client, Database, Session, transaction
from shared.outbox import Outbox
from shared.topics import DLQ_SUFFIX, POLICE_TOPICS

RECORDS = Counter("buurtbode_records", "Records handled", ["group", "topic"])
DEAD_LETTERS = Counter("buurtbode_dead_letters", "Records given up", ["group", "topic", "reason"])

LAG = Gauge("buurtbode_lag", "Records that a group has not handled yet", ["group"])

_LIMIT = 10
"""Open dead letters of one consumer on our own topics, beyond which it stops: a fault of ours."""

_STALL = timedelta(seconds=60)
_LOOK_S = 5.0
_FIRST_S, _LONGEST_S = 0.2, 10.0
"""How long to back off, at most: far below the poll interval, so the partitions stay ours."""

_TOLD = 5
"""Failures in a row of which readiness tells: some seconds of them."""

_SHORTER = (
    "{topic} ends before what was read of it: was it made anew, or its broker restored from an "
    "older state? See docs/operations.md"
)
_POLICE = frozenset(topic.name for topic in POLICE_TOPICS)

Apply = Callable[[Session, Sequence[Record]], Awaitable[None]]
"""Stores what records lead to, in the given transaction. May run twice for the same records."""

Before = Callable[[Sequence[Record]], Awaitable[None]]
"""Waits, before the transaction begins, for what the records depend on."""

Also = Callable[[Session], Awaitable[None]]
"""Stores something more in the same transaction."""

After = Callable[[], None]
"""Told once the transaction is committed, so that whoever works on its rows need not poll."""

LetGo = Callable[[], Awaitable[None]]
"""Gives up what is kept for the sake of records to come: those may go to another process now."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is done to records while those before them are being stored."""

    prepare: Callable[[Sequence[Record]], Awaitable[None]]
    """Changes nothing, raises nothing."""

    spare: asyncio.Event
    """Set by whoever stores once nothing is left for the processor: then the next are read.

    Before, reading would keep what is being stored from the processor, and the database idle.
    """


class PositionStore:
    """Where each consumer group stands, in collection `positions`."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["positions"]

    async def load(self, group: str, partitions: Collection[Partition]) -> Positions:
        """Give the next offset of each partition that has one."""
        by_id = {_row_id(group, partition): partition for partition in partitions}
        rows = self._rows.find({"_id": {"$in": list(by_id)}})
        return {by_id[row["_id"]]: int(row["next"]) async for row in rows}

    async def advance(
        self, session: Session, group: str, before: Positions, after: Positions
    ) -> None:
        """Move positions inside a transaction. Raises `Fenced` where another process moved them."""
        moves: list[UpdateOne] = []
        for partition, position in sorted(after.items()):
            row: dict[str, object] = {"_id": _row_id(group, partition)}
            known = before.get(partition)
            if known is not None:
                row["next"] = known
            else:
                row["next"] = {"$exists": False}
            moves.append(UpdateOne(row, {"$set": {"next": position}}, upsert=known is None))
        try:
            result = await self._rows.bulk_write(moves, session=session)
        except BulkWriteError as error:
            if any(
                item.get("code") == DUPLICATE_KEY for item in error.details.get("writeErrors", [])
            ):
                raise Fenced(group) from error
            raise
        if result.matched_count + result.upserted_count != len(moves):
            raise Fenced(group)

    async def passed(self, group: str, ends: Positions) -> bool:
        """Tell whether a group stands at or beyond the given ends."""
        stored = await self.load(group, ends.keys())
        return all(stored.get(partition, 0) >= end for partition, end in ends.items())


def _row_id(group: str, partition: Partition) -> str:
    return f"{group}|{partition.topic}|{partition.number}"


class DeadLetters:
    """What one consumer gave up: a row, an event on the DLQ and one on `bin.access`, together."""

    def __init__(self, group: str, database: Database, outbox: Outbox, service: str) -> None:
        """Bind to the service's database; `group` is the consumer's."""
        self._rows = database["dead_letters"]
        self._group = group
        self._outbox = outbox
        self._service = service
        self._logger = structlog.get_logger(consumer=group)

    async def add(self, session: Session, letter: DeadLetter) -> None:
        """Store a letter in the transaction that moves the position; again is the same letter."""
        await self._rows.update_one(
            {"_id": letter.event_id},
            {
                "$set": {
                    "consumer": self._group,
                    "topic": letter.source_topic,
                    "partition": letter.source_partition,
                    "offset": letter.source_offset,
                    "reason": letter.reason,
                    "field": letter.field,
                    "sha256": letter.sha256,
                    "at": letter.at,
                }
            },
            upsert=True,
            session=session,
        )
        ids = [letter.event_id]
        dlq = letter.source_topic + DLQ_SUFFIX
        await self._outbox.add(session, [letter], ce_ids=ids, topic=dlq)
        await self._outbox.add(session, [self._access(letter)], ce_ids=ids)

    def _access(self, letter: DeadLetter) -> Access:
        return Access.model_validate(
            {
                "event_id": f"{letter.event_id}-access",
                "zone_id": None,
                "service": self._service,
                "kind": "dead_letter",
                "action": f"dead_letter.{letter.source_topic}",
                "actor": "system",
                "time": letter.at,
            }
        )

    def tell(self, letter: DeadLetter) -> None:
        """Count and log a letter, once it is stored."""
        DEAD_LETTERS.labels(self._group, letter.source_topic, letter.reason).inc()
        self._logger.error(
            "dead letter",
            topic=letter.source_topic,
            partition=letter.source_partition,
            offset=letter.source_offset,
            reason=letter.reason,
        )

    async def count(self, topics: Sequence[str], *, most: int) -> int:
        """Count the open letters of these topics, up to `most`."""
        if not topics:
            return 0
        query = {"consumer": self._group, "topic": {"$in": list(topics)}}
        return await self._rows.count_documents(query, limit=most)


@dataclass(slots=True)
class ConsumerHealth:
    """What readiness says about one consumer."""

    stopped: str | None = None
    """Why it waits, whatever comes."""

    failures: int = 0
    """How often in a row what it has to do failed, and by what it did the last time."""

    error: type[Exception] | None = None
    last_progress: float = 0.0
    positions: Positions = field(default_factory=dict[Partition, int])

    @property
    def why(self) -> str | None:
        """Say what stands in its way, or None. Quotes nothing of the input."""
        if self.stopped is not None or self.failures < _TOLD:
            return self.stopped
        kind = "" if self.error is None else self.error.__name__
        return f"failed {self.failures} times in a row ({kind}), and tries again; see its log"

    @property
    def waits_on_purpose(self) -> bool:
        """Tell whether a new process would not get further."""
        return self.stopped is not None or (self.error is not None and issubclass(self.error, Held))

    def failed(self, error: Exception) -> None:
        """Take notice of a failure."""
        self.failures += 1
        self.error = type(error)

    def went_well(self) -> None:
        """Take notice that what failed is done."""
        self.failures, self.error = 0, None


class Consumer:
    """Reads topics as one group and stores what they lead to. See the module for the policy."""

    def __init__(
        self,
        *,
        group: str,
        topics: Collection[str],
        apply: Apply,
        log: Log,
        client: Client,
        database: Database,
        outbox: Outbox,
        service: str,
        clock: Clock,
        before: Before | None = None,
        after: After | None = None,
        ahead: Ahead | None = None,
        let_go: LetGo | None = None,
        most: int = 500,
    ) -> None:
        """Wire; `most` is the largest batch that `apply` gets in one transaction.

        With `ahead`, the next batch is read and prepared while one is being stored. `let_go` is
        called between two batches where this process may have lost partitions.
        """
        self.group = group
        self.health = ConsumerHealth()
        self._topics = tuple(topics)
        self._apply = apply
        self._before = before
        self._after = after
        self._ahead = ahead
        self._let_go = let_go
        self._log = log
        self._client = client
        self._outbox = outbox
        self._clock = clock
        self._most = most
        self._positions = PositionStore(database)
        self._dead = DeadLetters(group, database, outbox, service)
        self._turn = asyncio.Lock()
        self._assigned: frozenset[Partition] = frozenset()
        self._logger = structlog.get_logger(consumer=group)

    async def run(self) -> None:
        """Consume until cancelled. Raises `Stalled` when only a new process can help."""
        while True:
            try:
                await self._run_once()
            except (Retryable, PyMongoError) as error:
                self.health.failed(error)
                self._logger.warning("reader starts again", error=type(error).__name__)
                async with self._turn:
                    await self._part()  # the group goes on without us
                await asyncio.sleep(1)

    async def _run_once(self) -> None:
        async with self._log.reader(self.group, self._topics, self._load) as reader:
            await self._read(reader)

    async def _load(self, partitions: Collection[Partition]) -> Positions:
        assigned = frozenset(partitions)
        if assigned != self._assigned:
            async with self._turn:  # what is being stored may need it
                await self._part()
        stored = await self._positions.load(self.group, partitions)
        while (short := await self._shorter(stored)) is not None:
            if self.health.stopped is None:
                self._logger.critical("stopped: a topic ends before its position", topic=short)
            self.health.stopped = _SHORTER.format(topic=short)
            await asyncio.sleep(_LOOK_S)
            stored = await self._positions.load(self.group, partitions)
        self.health.stopped = None
        if assigned != self._assigned or stored != self.health.positions:
            # going back to the same positions is no progress: every back-off ends with it
            self.health.last_progress = self._clock.monotonic()
        self._assigned = assigned
        self.health.positions = dict(stored)
        return stored

    async def _part(self) -> None:
        if self._let_go is not None:
            with suppress(PyMongoError):  # it ends by itself, only later
                await self._let_go()

    async def _shorter(self, stored: Positions) -> str | None:
        """Name a topic that ends before what was read of it: its records would be taken for known.

        A broker that has just become a partition's leader may say so too, for a moment.
        """
        ends = await self._log.end_offsets({partition.topic for partition in stored})
        short = (partition.topic for partition, at in stored.items() if ends.get(partition, 0) < at)
        return min(short, default=None)

    async def _read(self, reader: Reader) -> None:
        coming: asyncio.Task[list[Record]] | None = None
        try:
            while True:
                try:
                    await self._stop_at_limit()
                    records = await (self._poll(reader) if coming is None else coming)
                    coming = None
                    if records and self._ahead is not None:
                        self._ahead.spare.clear()
                        coming = asyncio.create_task(self._poll_ahead(reader, self._ahead))
                    await self._work(reader, records)
                    if self._ahead is not None:
                        self._ahead.spare.set()  # where nothing was sealed, nobody else did
                    if self.health.failures and (records or not await self._lags()):
                        self.health.went_well()  # what waits may only not have come back yet
                except Fenced:
                    self._logger.info("lost partitions")
                    coming = await _dropped(coming)
                    reader.rewind()
                except Disconnected:
                    raise
                except (Retryable, PyMongoError) as error:
                    self.health.failed(error)
                    failures = self.health.failures
                    self._logger.warning("backs off", error=type(error).__name__, failures=failures)
                    coming = await _dropped(coming)
                    await asyncio.sleep(_backoff(failures))
                    reader.rewind()
        finally:
            await _dropped(coming)

    async def _poll(self, reader: Reader) -> list[Record]:
        return await reader.poll(self._most, wait=0.5)

    async def _poll_ahead(self, reader: Reader, ahead: Ahead) -> list[Record]:
        await ahead.spare.wait()
        records = await self._poll(reader)
        if records:
            await ahead.prepare(records)
        return records

    async def _work(self, reader: Reader, records: list[Record]) -> None:
        if not records:
            await self._skip_gaps(reader)
            return
        fresh = self._fresh(records)
        if fresh:
            await self._handle(fresh)

    def _fresh(self, records: list[Record]) -> list[Record]:
        """Leave out what is stored already.

        A reader that is placed anew while a transaction runs reads from the positions before it.
        """
        known = self.health.positions
        if all(offset >= known.get(part, 0) for part, offset in _starts(records).items()):
            return records
        return [record for record in records if record.offset >= known.get(record.source, 0)]

    async def _handle(self, records: Sequence[Record]) -> None:
        """Store records, and give up those that are rejected.

        A batch that is rejected is halved, so that finding a bad record among thousands takes some
        twenty transactions: one by one they would take minutes, in which nothing is read.
        """
        rejected = await self._refused(records)
        if rejected is None:
            return
        if len(records) == 1:
            await self._give_up(records[0], rejected)
            return
        middle = len(records) // 2
        await self._handle(records[:middle])
        await self._handle(records[middle:])

    async def _refused(self, records: Sequence[Record]) -> Rejected | None:
        try:
            await self._store(records, self._apply)
        except Rejected as rejected:
            return rejected
        return None

    async def again(self, record: Record, also: Also) -> None:
        """Handle a record once more that was given up: anew, and outside the order of the topic.

        `also` comes first in the same transaction. Raises `Rejected` where it is given up again;
        then nothing is stored.
        """

        async def work(session: Session) -> None:
            await also(session)
            await self._apply(session, [record])

        async with self._turn:
            try:
                if self._before is not None:
                    await self._before([record])
                await transaction(self._client, work)
            finally:
                await self._part()  # it may be of a partition that another process reads
            self._outbox.filled.set()
            if self._after is not None:
                self._after()

    async def _store(self, records: Sequence[Record], apply: Apply) -> None:
        # a flow keeps what it waited for until it applies: nothing may come in between
        async with self._turn:
            await self._store_in_turn(records, apply)

    async def _store_in_turn(self, records: Sequence[Record], apply: Apply) -> None:
        if self._before is not None and apply is self._apply:  # giving up waits for nothing
            await self._before(records)
        after = _positions_after(records)
        before = {p: self.health.positions[p] for p in after if p in self.health.positions}

        async def work(session: Session) -> None:
            await apply(session, records)
            await self._positions.advance(session, self.group, before, after)

        await transaction(self._client, work)
        self._moved(after)
        self._outbox.filled.set()  # set before, it may have been looked at before the commit
        if self._after is not None:
            self._after()
        for topic, count in Counts(record.topic for record in records).items():
            RECORDS.labels(self.group, topic).inc(count)

    def _moved(self, after: Positions) -> None:
        self.health.positions.update(after)
        self.health.last_progress = self._clock.monotonic()

    async def _skip_gaps(self, reader: Reader) -> None:
        """Store positions that moved without a record (compaction leaves gaps at a log's end)."""
        reached = await reader.reached()
        known = self.health.positions
        moved = {p: position for p, position in reached.items() if position > known.get(p, 0)}
        if not moved:
            return
        before = {p: known[p] for p in moved if p in known}

        async def work(session: Session) -> None:
            await self._positions.advance(session, self.group, before, moved)

        await transaction(self._client, work)
        self._moved(moved)

    async def _give_up(self, record: Record, rejected: Rejected) -> None:
        if record.topic not in _POLICE:
            await self._stop_at_limit()
        letter = dead_letter(record, self.group, rejected, self._clock.now())

        async def store(session: Session, _records: Sequence[Record]) -> None:
            await self._dead.add(session, letter)

        await self._store([record], store)
        self._dead.tell(letter)

    async def _stop_at_limit(self) -> None:
        """Wait while too many of our own records are given up: going on would hide a fault."""
        while (await self._open_letters()) > _LIMIT:
            if self.health.stopped is None:
                self._logger.critical("stopped: the DLQ is over its limit", limit=_LIMIT)
            self.health.stopped = "the DLQ is over its limit; see `buurtbode dlq list`"
            await asyncio.sleep(_LOOK_S)
        self.health.stopped = None

    async def _open_letters(self) -> int:
        own = [topic for topic in self._topics if topic not in _POLICE]
        return await self._dead.count(own, most=_LIMIT + 1)

    async def watch(self) -> None:
        """Raise `Stalled` when there is lag and no progress for a minute, other than on purpose.

        A new process helps against what is wrong within this one (a connection, a wake-up that was
        lost), and a supervisor sees that it ends again and again. It helps nobody while Kafka or
        the database is away, the DLQ is over its limit, a topic is shorter than what was read of
        it, or something is `Held`: readiness names all of these, the new process would not get
        further, or not even start, and what this one still does (answer, sign, send what is in its
        ledger) would be cut off each minute.
        """
        since: float | None = None
        while True:
            await asyncio.sleep(_LOOK_S)
            if not await self._lags() or self.health.waits_on_purpose:
                since = None  # what comes after a quiet hour has its own minute
                continue
            now = self._clock.monotonic()
            since = now if since is None else max(since, self.health.last_progress)
            if now - since >= _STALL.total_seconds():
                raise Stalled(self.group)

    async def _lags(self) -> bool:
        """Tell whether records of ours wait, and count what the whole group has not handled.

        False where nobody can tell, since Kafka or the database is away.
        """
        try:
            ends = await self._log.end_offsets(self._topics)
            stored = await self._positions.load(self.group, ends.keys())
        except (Retryable, KafkaError, PyMongoError):
            return False
        LAG.labels(self.group).set(
            sum(max(0, end - stored.get(partition, 0)) for partition, end in ends.items())
        )
        mine = self.health.positions
        return any(ends.get(part, 0) > mine.get(part, 0) for part in self._assigned)


def _positions_after(records: Sequence[Record]) -> Positions:
    # the records of one partition come in order, so its last one counts
    last = {(record.topic, record.partition): record.offset for record in records}
    return {Partition(*part): offset + 1 for part, offset in last.items()}


def _starts(records: Sequence[Record]) -> Positions:
    first = {(record.topic, record.partition): record.offset for record in reversed(records)}
    return {Partition(*part): offset for part, offset in first.items()}


async def _dropped(coming: asyncio.Task[list[Record]] | None) -> None:
    """End reading ahead; what it read is read again from the stored positions."""
    if coming is not None:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


def _backoff(failures: int) -> float:
    """Give the seconds to back off after so many failures in a row, with full jitter."""
    return random.uniform(0, doubled(_FIRST_S, failures, _LONGEST_S))  # noqa: S311 - not for secrets


def dead_letter(record: Record, consumer: str, rejected: Rejected, now: datetime) -> DeadLetter:
    """Describe a record that is given up, without anything that it says."""
    return DeadLetter(
        event_id=f"{consumer}.{record.topic}.{record.partition}.{record.offset}",
        source_topic=record.topic,
        source_partition=record.partition,
        source_offset=record.offset,
        source_key=None,  # an outsider's key could hold anything
        consumer=consumer,
        reason=rejected.reason,
        field=rejected.field,
        sha256=sha256(record.value),
        at=now,
    )
