"""What a service's consumers gave up, for an operator: look, have it judged anew, or let it go.

A letter holds a position, a reason and a hash. The record itself stays on its topic and is read
again for a replay; nothing here shows what it says. Everything done is on record (`bin.access`).
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

import structlog

from shared.callers import Caller
from shared.clock import Clock
from shared.consume import Consumer
from shared.contracts import Access
from shared.envelope import sha256
from shared.failures import Fenced, Rejected, Retryable
from shared.kafka import Log
from shared.mongo import Client, Database, Document, Session, transaction
from shared.outbox import Outbox
from shared.records import Partition, Record

Service = Literal["registry", "dispatcher", "audit"]

_PATIENCE_S = 20.0
"""How long a replay waits for its turn, and for what the record depends on."""


@dataclass(frozen=True, slots=True)
class OpenLetter:
    """A record that was given up, and still is."""

    letter_id: str
    consumer: str
    topic: str
    partition: int
    offset: int
    reason: str
    field: str | None
    sha256: str
    at: datetime


class RecordGone(Exception):  # noqa: N818 - an answer to a request
    """The original cannot be had any more, so it cannot be replayed."""


class GivenUpAgain(Exception):  # noqa: N818 - an answer to a request
    """The record was judged anew, and given up again; the letter stays open."""

    def __init__(self, reason: str, field: str | None) -> None:
        """Keep the new reason."""
        super().__init__(reason)
        self.reason = reason
        self.field = field


def _nothing() -> None:
    """Require nothing."""


class LetterDesk:
    """The open letters of one service."""

    def __init__(
        self,
        *,
        service: Service,
        database: Database,
        client: Client,
        outbox: Outbox,
        log: Log,
        clock: Clock,
        consumers: Sequence[Consumer],
        require: Callable[[], None] = _nothing,
    ) -> None:
        """Wire; `consumers` are those of this process, which handle replays.

        `require` raises `Retryable` while none may be handled.
        """
        self._rows = database["dead_letters"]
        self._service: Service = service
        self._client = client
        self._outbox = outbox
        self._log = log
        self._clock = clock
        self._require = require
        self._consumers = {consumer.group: consumer for consumer in consumers}
        self._logger = structlog.get_logger(service=service)

    async def page(self, after: str | None, limit: int) -> tuple[list[OpenLetter], str | None]:
        """Give up to `limit` letters in the order of their ids, and the cursor of the next page."""
        query: Document = {} if after is None else {"_id": {"$gt": after}}
        rows = await self._rows.find(query).sort("_id", 1).limit(limit + 1).to_list()
        letters = [_letter(row) for row in rows]
        return letters[:limit], letters[limit - 1].letter_id if len(letters) > limit else None

    async def get(self, letter_id: str) -> OpenLetter | None:
        """Give one."""
        row = await self._rows.find_one({"_id": letter_id})
        return None if row is None else _letter(row)

    async def drop(self, caller: Caller, letter: OpenLetter, reason: str) -> None:
        """Let a record go for good: it is not handled, and no longer counts as open."""

        async def work(session: Session) -> None:
            await self._rows.delete_one({"_id": letter.letter_id}, session=session)
            await self._record(session, caller, "drop", letter, reason)

        await transaction(self._client, work)
        self._logger.warning("dead letter dropped", consumer=letter.consumer, topic=letter.topic)

    async def replay(self, caller: Caller, letter: OpenLetter, reason: str) -> None:
        """Read the original again and have its consumer handle it as if it came now.

        Raises `RecordGone`, `GivenUpAgain`, and `Retryable` while it cannot be handled here now.
        """
        self._require()
        consumer = self._consumers.get(letter.consumer)
        if consumer is None:
            raise RecordGone("no consumer of this service handles such records any more")
        original = await self._original(letter)

        async def also(session: Session) -> None:
            await self._rows.delete_one({"_id": letter.letter_id}, session=session)
            await self._record(session, caller, "replay", letter, reason)

        try:
            async with asyncio.timeout(_PATIENCE_S):
                await consumer.again(original, also)
        except Rejected as rejected:
            await self._refused(caller, letter, reason)
            raise GivenUpAgain(rejected.reason, rejected.field) from None
        except (Fenced, TimeoutError):
            raise Retryable("the record cannot be handled at this moment") from None
        again = await self.get(letter.letter_id)
        if again is not None:  # a judge gives up by itself, since there is a verdict to store
            raise GivenUpAgain(again.reason, again.field)
        self._logger.info("dead letter replayed", consumer=letter.consumer, topic=letter.topic)

    async def _original(self, letter: OpenLetter) -> Record:
        at = Partition(letter.topic, letter.partition)
        found = self._log.read({at: letter.offset}, {at: letter.offset + 1})
        async with aclosing(found) as pages:
            async for record, *_ in pages:
                if sha256(record.value) != letter.sha256:
                    raise RecordGone("another record stands there now: was the topic made anew?")
                return record
        raise RecordGone("the topic does not hold the record any more")

    async def _refused(self, caller: Caller, letter: OpenLetter, reason: str) -> None:
        async def work(session: Session) -> None:
            await self._record(session, caller, "replay", letter, reason)

        await transaction(self._client, work)

    async def _record(
        self, session: Session, caller: Caller, verb: str, letter: OpenLetter, reason: str
    ) -> None:
        access = Access(
            event_id=self._clock.new_id(),
            zone_id=None,  # an outsider's record belongs to no zone before it is judged
            service=self._service,
            kind="replay" if verb == "replay" else "dead_letter",
            action=f"dead_letter.{verb}.{letter.letter_id}",
            actor="operator",
            reader=caller.subject,
            reason=reason,
            time=self._clock.now(),
        )
        await self._outbox.add(session, [access], ce_ids=[access.event_id])


def _letter(row: Document) -> OpenLetter:
    return OpenLetter(
        letter_id=row["_id"],
        consumer=row["consumer"],
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        reason=row["reason"],
        field=row["field"],
        sha256=row["sha256"],
        at=cast("datetime", row["at"]),
    )
