"""No change without its event: events are written in the change's transaction, then published.

Order per key: each (topic, key) is a stream with a counter that is raised in the transaction, so
that two transactions on one stream exclude each other and a visible number implies all smaller
ones. (Topics of independent events have no counters, and go out as they come.) One process
publishes at a time, under a lease; a crash between publishing and deleting sends the same events
again, in the same order, which every consumer takes as one.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from time import monotonic

import structlog
from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from shared.clock import Clock
from shared.contracts import Event
from shared.envelope import encode
from shared.failures import Retryable
from shared.kafka import Log, Outgoing
from shared.mongo import Database, Document, Lease, Session
from shared.topics import SOURCE_TOPICS

_LEASE = timedelta(seconds=30)
_RENEW_S = 5.0
"""How long a lease is used before it is renewed: renewing is a durable write, too dear for each of
ten looks a second. What is left of it is still longer than a publish can take (a batch waits 10 s
at most, and is in flight for 10 s)."""

_WINDOW = 1000
_LOOK_BACK_S = 2.0
_FEW = 4
"""Streams up to which a command for each is no slower than the commands for many."""

_INDEPENDENT = frozenset(topic.name for topic in SOURCE_TOPICS if topic.independent)


class Outbox:
    """The outbox of one service, in its own database."""

    def __init__(self, database: Database, source: str, clock: Clock) -> None:
        """Bind to the service's database; `source` goes into `ce_source`."""
        self._rows = database["outbox"]
        self._counters = database["outbox_counters"]
        self.source = source
        self._clock = clock
        self.filled = asyncio.Event()

    async def prepare(self) -> None:
        """Create the index that publishing reads by."""
        await self._rows.create_index([("stream", 1), ("seq", 1)])

    async def add(
        self,
        session: Session,
        events: Sequence[Event],
        *,
        ce_ids: Sequence[str] | None = None,
        topic: str | None = None,
    ) -> None:
        """Write events in the caller's transaction, in the order given.

        `ce_ids` are given where the same event may be written again (it is then the same event).
        """
        if not events:
            return
        now = self._clock.now()
        ids = ce_ids or [self._clock.new_id() for _ in events]
        records = [
            encode(event, ce_id=ce_id, source=self.source, time=now, topic=topic)
            for event, ce_id in zip(events, ids, strict=True)
        ]
        await self._insert(session, records)
        self.filled.set()

    async def add_alone(self, event: Event, ce_id: str) -> None:
        """Write one event of an independent topic, durably, where no other change goes with it.

        One insert is as whole as a transaction, and one durable round trip instead of two. Raises
        `ValueError` for a topic whose events have an order.
        """
        record = encode(event, ce_id=ce_id, source=self.source, time=self._clock.now())
        if record.topic not in _INDEPENDENT:
            raise ValueError(record.topic)
        await self._rows.insert_one(_row(f"{record.topic}|{record.key}", 0, record))
        self.filled.set()

    async def _insert(self, session: Session, records: Sequence[Outgoing]) -> None:
        streams = [f"{record.topic}|{record.key}" for record in records]
        counted = Counter(
            stream
            for stream, record in zip(streams, records, strict=True)
            if record.topic not in _INDEPENDENT
        )
        next_seq = await self._raise(session, counted)
        rows: list[Document] = []
        for stream, record in zip(streams, records, strict=True):
            rows.append(_row(stream, next_seq.get(stream, 0), record))
            if stream in next_seq:
                next_seq[stream] += 1
        await self._rows.insert_many(rows, session=session)

    async def _raise(self, session: Session, counted: Mapping[str, int]) -> dict[str, int]:
        """Raise the counters by how many events come, and give each stream's first number."""
        if len(counted) > _FEW:
            return await self._raise_many(session, counted)
        first: dict[str, int] = {}
        for stream in sorted(counted):  # one order for all, so that no two deadlock
            counter = await self._counters.find_one_and_update(
                {"_id": stream},
                {"$inc": {"seq": counted[stream]}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            first[stream] = _seq(counter) - counted[stream] + 1
        return first

    async def _raise_many(self, session: Session, counted: Mapping[str, int]) -> dict[str, int]:
        """Do the same in a few commands, for an import or a page of a republish.

        What is read stays true until it is written: a transaction that raises one of these
        counters meanwhile makes this one, or the other, begin again.
        """
        found = self._counters.find({"_id": {"$in": list(counted)}}, session=session)
        there = {str(row["_id"]): _seq(row) async for row in found}
        for count in sorted({counted[stream] for stream in there}):
            same = sorted(stream for stream in there if counted[stream] == count)
            await self._counters.update_many(
                {"_id": {"$in": same}}, {"$inc": {"seq": count}}, session=session
            )
        new = [{"_id": s, "seq": n} for s, n in sorted(counted.items()) if s not in there]
        if new:
            await self._counters.insert_many(new, session=session)
        return {stream: there.get(stream, 0) + 1 for stream in counted}

    async def drop(self, session: Session, topic: str, key: str) -> None:
        """Forget what waits on a stream: a restored backup's is older than what was published."""
        await self._rows.delete_many({"stream": f"{topic}|{key}"}, session=session)

    async def oldest(self, since: ObjectId | None = None) -> list[Document]:
        """Give the next rows to publish, in order per stream.

        `since` leaves out streams whose rows were all written before that one: an index holds what
        was deleted for minutes more (the server's history window), and reading past all of it
        again and again would cost more than the rows.
        """
        later: Document = {} if since is None else {"_id": {"$gt": since}}
        window = self._rows.find(later, {"stream": 1}).sort("_id", 1).limit(_WINDOW)
        streams = list({row["stream"] async for row in window})
        if not streams:
            return []
        rows = self._rows.find({"stream": {"$in": streams}})
        return await rows.sort([("stream", 1), ("seq", 1)]).limit(5 * _WINDOW).to_list()

    async def remove(self, rows: Sequence[Document]) -> None:
        """Forget rows that Kafka acknowledged."""
        await self._rows.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})

    async def waiting(self) -> int:
        """Count the events that Kafka does not have yet."""
        return await self._rows.count_documents({})


def _seq(counter: Document | None) -> int:
    return 0 if counter is None else int(counter["seq"])  # upserted, so never None


def _row(stream: str, seq: int, record: Outgoing) -> Document:
    return {
        "stream": stream,
        "seq": seq,
        "topic": record.topic,
        "key": record.key,
        "headers": dict(record.headers),  # `encode` writes each of them once
        "value": record.value,
    }


def _outgoing(row: Document) -> Outgoing:
    told: dict[str, bytes] = dict(row["headers"])  # pairs, where an earlier version wrote it
    headers = tuple((name, bytes(value)) for name, value in told.items())
    return Outgoing(row["topic"], row["key"], bytes(row["value"]), headers)


class OutboxPublisher:
    """The job that publishes an outbox. Run it in every process; one of them works at a time."""

    def __init__(
        self,
        outbox: Outbox,
        log: Log,
        database: Database,
        owner: str,
        gather: timedelta = timedelta(0),
    ) -> None:
        """Bind; `owner` names this process, and its successor after a restart (`instance_name`).

        `gather` is how long the first of some events waits for the others: for a service whose
        events nobody waits for, and cost every reader of the topic a transaction of its own.
        """
        self._outbox = outbox
        self._gather_s = gather.total_seconds()
        self._renew_at = 0.0
        self._log = log
        self._lease = Lease(database["leases"], "outbox", owner, _LEASE)
        self._logger = structlog.get_logger(job="outbox")
        self._last: ObjectId | None = None
        self._looked = 0.0

    async def publish_once(self) -> int:
        """Publish what stands first and give how many; 0 where there is nothing, or no lease."""
        if not await self._hold():
            return 0
        rows = await self._next()
        if rows:
            await self._log.publish([_outgoing(row) for row in rows])
            await self._outbox.remove(rows)
            self._last = max(row["_id"] for row in rows)
        return len(rows)

    async def _hold(self) -> bool:
        now = monotonic()
        if now < self._renew_at:
            return True
        held = await self._lease.hold()
        self._renew_at = now + _RENEW_S if held else 0.0
        return held

    async def _next(self) -> list[Document]:
        """Go on behind what was published last; look from the start where nothing is there.

        And every few seconds: a transaction may commit rows that are older than what is behind.
        """
        now = monotonic()
        if self._last is not None and now - self._looked < _LOOK_BACK_S:
            rows = await self._outbox.oldest(self._last)
            if rows:
                return rows
        self._looked = now
        return await self._outbox.oldest()

    async def run(self) -> None:
        """Publish until cancelled, woken by `Outbox.filled`; what is away only delays it."""
        pause = 0.1
        try:
            while True:
                self._outbox.filled.clear()
                try:
                    count = await self.publish_once()
                    pause = 0.1
                except (Retryable, PyMongoError) as error:
                    count = 0
                    pause = min(pause * 2, 5.0)
                    self._logger.warning("publishing waits", error=type(error).__name__)
                if count == 0:
                    await _wait(self._outbox.filled, pause)
                    if self._gather_s and self._outbox.filled.is_set():
                        await asyncio.sleep(self._gather_s)
        finally:
            self._renew_at = 0.0  # whoever runs this again asks first: somebody else may have it
            with suppress(PyMongoError):  # it ends by itself, only later
                await asyncio.shield(self._lease.release())


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
