"""Expire what is still planned of a message that is over: it is never delivered late."""

from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.states import Cause
from services.dispatcher.store.changes import ended
from services.dispatcher.store.closings import Closings
from services.dispatcher.store.ledger import Ledger
from shared.clock import Clock
from shared.contracts.base import SendState

_MOST = 1000


class ExpireSends:
    """Claims refuse what is over; this finds what nobody would claim any more."""

    def __init__(self, *, ledger: Ledger, closings: Closings, clock: Clock) -> None:
        """Wire."""
        self._ledger = ledger
        self._closings = closings
        self._clock = clock

    async def once(self) -> bool:
        """Expire a page; tell whether there is more."""
        more = False
        now = self._clock.now()
        for closing in await self._closings.over(now):
            rows = await self._ledger.duties.planned_of(closing.key, _MOST)
            await self._ledger.changes.write(
                [
                    ended(Cause.EXPIRE, row, SendState.EXPIRED, SendReason.EXPIRED, now)
                    for row in rows
                ]
            )
            if len(rows) < _MOST:
                await self._closings.expired(closing)
            else:
                more = True
        return more
