"""Decide on the sends of a bulletin that wait behind another network's for the same person."""

from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.states import UNDECIDED, Cause
from services.dispatcher.store.changes import ended
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.waiting import WaitingSends
from shared.clock import Clock
from shared.contracts.base import SendState


class PassOn:
    """Nobody gets a bulletin twice, and nobody misses it who left only one of two networks.

    Where the other send got through, or was refused by the mailbox, this one is suppressed. Where
    it never went out (the person left that network, it expired, it was cancelled), this one goes.
    """

    def __init__(self, *, ledger: Ledger, waiting: WaitingSends, clock: Clock) -> None:
        """Wire."""
        self._ledger = ledger
        self._waiting = waiting
        self._clock = clock

    async def once(self) -> bool:
        """Look at all that wait; there is never more to do at once."""
        async for page in self._waiting.pages():
            now = self._clock.now()
            await self._ledger.changes.write(
                [
                    ended(Cause.SUPPRESS, row, SendState.SUPPRESSED, SendReason.OTHER_NETWORK, now)
                    for row, before in page
                    if before is not None and before not in UNDECIDED
                ]
            )
            for row, before in page:
                if before is None and await self._waiting.let_go(row):
                    self._ledger.plans.on_sendable()
        return False
