"""Find out what became of sends that nobody knows enough about, before anything is tried again."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from services.dispatcher.domain.ledger import AttemptRow, Evidence, Row
from services.dispatcher.domain.message import Message
from services.dispatcher.domain.states import Cause
from services.dispatcher.senders.base import Delivery, Known, Sender, Senders, attempt_id
from services.dispatcher.store.changes import Change
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Messages
from shared.clock import Clock
from shared.contracts.base import Lane, SendState
from shared.failures import Retryable

_MOST = 200
_AT_ONCE = 10
_ASK_AGAIN = timedelta(seconds=60)
_WORTH_WHILE = timedelta(seconds=5)
"""A second attempt needs at least this much of the message's life."""


class ReconcileUnknown:
    """The job behind `unknown`, and behind accepted SMS whose final receipt never came."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        messages: Messages,
        senders: Senders,
        clock: Clock,
        reconcile_after: timedelta,
        second_attempt_after: timedelta,
    ) -> None:
        """Wire; for the durations see the settings of the same names."""
        self._ledger = ledger
        self._messages = messages
        self._senders = senders
        self._clock = clock
        self._again = reconcile_after
        self._second_after = second_attempt_after
        self._logger = structlog.get_logger(job="reconcile")

    async def once(self) -> bool:
        """Look at what is due; tell whether there is more."""
        rows = await self._ledger.duties.to_check(_MOST)
        limit = asyncio.Semaphore(_AT_ONCE)

        async def look(row: Row) -> None:
            async with limit:
                await self._look(row)

        await asyncio.gather(*(look(row) for row in rows))
        return len(rows) == _MOST

    async def _look(self, row: Row) -> None:
        message = await self._messages.get(row.key)
        if message is None:
            raise RuntimeError("a send without its message")
        sender = self._senders.of(row.channel, message.status)
        if row.state is SendState.ACCEPTED:
            await self._ask_for_receipt(row, sender)
        elif row.state is SendState.UNKNOWN:
            await self._resolve(row, message, sender)

    # ---- accepted, without a final receipt

    async def _ask_for_receipt(self, row: Row, sender: Sender) -> None:
        now = self._clock.now()
        for attempt in row.attempts:
            if attempt.state is not SendState.ACCEPTED or attempt.reference is None:
                continue
            try:
                known = await sender.fetch(attempt.reference)
            except Retryable:
                later = now + _ASK_AGAIN
                await self._ledger.changes.write([_unchanged(row, now, check_at=later)])
                return
            if known is not None and known.state is not SendState.ACCEPTED:
                await self._ledger.changes.learn(row.send_id, attempt.number, _evidence(known, now))
        current = await self._ledger.changes.get(row.send_id)
        if current is not None and current.state is SendState.ACCEPTED:
            await self._ledger.changes.write([replace(_unchanged(current, now), asked=True)])

    # ---- unknown

    async def _resolve(self, row: Row, message: Message, sender: Sender) -> None:
        now = self._clock.now()
        if row.destination is not None and await self._found(row, message, sender, now):
            return
        if now >= row.expires_at:  # settled as it stands; late evidence may still move it
            await self._ledger.changes.write([_unchanged(row, now)])
        elif self._deserves_second(row, now):
            if not await self._ledger.changes.write([replace(_unchanged(row, now), second=True)]):
                self._logger.warning("second attempt", send_id=row.send_id, lane=row.lane)
                self._ledger.plans.on_sendable()
        else:
            await self._ledger.changes.write([_unchanged(row, now, check_at=self._next(row, now))])

    async def _found(self, row: Row, message: Message, sender: Sender, now: datetime) -> bool:
        """Look for the open attempts in the provider's list; tell whether one was there."""
        found = False
        for attempt in row.attempts:
            if attempt.state is not SendState.UNKNOWN:
                continue
            known = await self._in_list(row, message, sender, attempt)
            if known is not None:
                evidence = replace(_evidence(known, now), found=True)
                after = await self._ledger.changes.learn(row.send_id, attempt.number, evidence)
                # another send may have bound the same message meanwhile
                found = found or _is_bound(after, attempt.number, known.reference)
        return found

    async def _in_list(
        self, row: Row, message: Message, sender: Sender, attempt: AttemptRow
    ) -> Known | None:
        delivery = Delivery(
            attempt_id(row.send_id, attempt.number), row, message, row.destination or ""
        )
        try:
            listed = await sender.find(delivery, attempt.at)
        except Retryable:
            return None
        taken = await self._ledger.duties.bound([known.reference for known in listed])
        free = [known for known in listed if known.reference not in taken]
        return min(free, key=lambda known: known.created_at or attempt.at, default=None)

    def _deserves_second(self, row: Row, now: datetime) -> bool:
        since = row.unknown_since or now
        return (
            row.lane is Lane.WARM
            and not row.flagged
            and not row.restored
            and now - since >= self._second_after
            and row.expires_at - now >= _WORTH_WHILE
        )

    def _next(self, row: Row, now: datetime) -> datetime:
        """Say when to look again: soon while a second attempt is ahead, else now and then."""
        since = row.unknown_since or now
        if row.lane is Lane.WARM and not row.flagged and not row.restored:
            decides = since + self._second_after
            return min(max(decides, now), now + self._again) if decides > now else now + self._again
        return min(row.expires_at, now + _ASK_AGAIN)


def _evidence(known: Known, now: datetime) -> Evidence:
    return Evidence(Cause.RECEIPT, known.state, now, known.reason, known.reference)


def _is_bound(row: Row | None, number: int, reference: str) -> bool:
    attempts = () if row is None else row.attempts
    return any(one.number == number and one.reference == reference for one in attempts)


def _unchanged(row: Row, now: datetime, check_at: datetime | None = None) -> Change:
    return Change(Cause.RECEIPT, row, replace(row, fence=None), now, check_at=check_at)
