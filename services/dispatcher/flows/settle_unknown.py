"""Show an operator what nobody knows the outcome of, and take their word for it, on record."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from services.dispatcher.domain.ledger import Evidence, Row, settle
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.states import Cause
from services.dispatcher.flows.record_access import RecordAccess
from services.dispatcher.store.changes import Change
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.unknown import Narrowed, UnknownSends
from shared.callers import Caller
from shared.clock import Clock
from shared.contracts.base import Lane, SendState
from shared.mongo import Client, Session, transaction

Outcome = Literal[SendState.ACCEPTED, SendState.FAILED]


class NotUnknown(Exception):  # noqa: N818 - an answer to a request
    """There is nothing to settle; the message says why."""


class _Overtaken(Exception):  # noqa: N818 - ends the transaction
    """The send was changed since it was read."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the sends, and after which one the next page begins; None at the end."""

    rows: list[Row]
    next: str | None


class SettleUnknown:
    """Cold sends wait for an operator; warm ones are reconciled, and settled at their expiry."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        unknown: UnknownSends,
        record: RecordAccess,
        client: Client,
        clock: Clock,
    ) -> None:
        """Wire."""
        self._ledger = ledger
        self._unknown = unknown
        self._record = record
        self._client = client
        self._clock = clock

    async def page(self, about: Narrowed, after: str | None, limit: int) -> Page:
        """List unknown sends; nothing in them names a person."""
        rows = await self._unknown.page(about, after, limit + 1)
        more = len(rows) > limit
        return Page(rows[:limit], rows[limit - 1].send_id if more else None)

    async def settle(self, caller: Caller, send_id: str, outcome: Outcome, reason: str) -> Row:
        """Take an operator's word on one send, together with its record.

        Where something else changes the send at the same moment (a look at its provider is due
        again and again), decides anew on what it is then. Raises `LookupError` where the caller may
        see no such send, `NotUnknown`.
        """
        while True:
            with suppress(_Overtaken):
                return await self._settle(caller, send_id, outcome, reason)

    async def _settle(self, caller: Caller, send_id: str, outcome: Outcome, reason: str) -> Row:
        row = await self._ledger.changes.get(send_id)
        if row is None or not caller.in_zone(row.key.zone_id):
            raise LookupError(send_id)
        if row.state is outcome and row.reason == SendReason.SETTLED:
            return row  # asked for twice
        if row.state is not SendState.UNKNOWN:
            message = f"the send is {row.state}"
            raise NotUnknown(message)
        if row.lane is Lane.WARM and not row.restored:
            raise NotUnknown("a warm send is looked up at the provider, and settled at its expiry")
        now = self._clock.now()
        evidence = Evidence(Cause.SETTLE, outcome, now, SendReason.SETTLED)
        after = settle(row, evidence)
        change = Change(Cause.SETTLE, row, after, now)

        async def work(session: Session) -> None:
            if await self._ledger.changes.write([change], session):
                raise _Overtaken
            await self._record(
                caller,
                row.key.zone_id,
                "change",
                f"send.settle.{outcome}",
                member_ids=row.member_ids,
                message_id=row.key.message_id,
                reason=reason,
                session=session,
            )

        await transaction(self._client, work)
        await self._ledger.changes.committed([change])
        return after
