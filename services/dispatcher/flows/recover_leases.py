"""Take over the sends of a process that did not come back before its leases ended."""

from dataclasses import replace
from datetime import datetime

import structlog

from services.dispatcher.domain.ledger import Evidence, Row, learn
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.states import Cause
from services.dispatcher.store.changes import Change, back
from services.dispatcher.store.ledger import Ledger
from shared.clock import Clock
from shared.contracts.base import SendState

_MOST = 500


class RecoverLeases:
    """A claimed send goes back to `planned`; of an attempted one nobody knows what became."""

    def __init__(self, *, ledger: Ledger, clock: Clock) -> None:
        """Wire."""
        self._ledger = ledger
        self._clock = clock
        self._logger = structlog.get_logger(job="leases")

    async def once(self) -> bool:
        """Take over what has lapsed; tell whether there is more."""
        rows = await self._ledger.claims.lapsed(_MOST)
        if not rows:
            return False
        now = self._clock.now()
        await self._ledger.changes.write(
            [change for row in rows if (change := _taken_over(row, now))]
        )
        self._logger.warning("leases lapsed", count=len(rows))
        self._ledger.plans.on_sendable()
        return len(rows) == _MOST


def _taken_over(row: Row, now: datetime) -> Change | None:
    if row.state is SendState.CLAIMED:
        return back(Cause.LEASE_OVER, row, now)
    if row.state is SendState.UNKNOWN:  # claimed for its second attempt, which has not begun
        return Change(Cause.RELEASE, row, replace(row, fence=None), now, second=True)
    running = next((a for a in row.attempts if a.state is SendState.ATTEMPTING), None)
    if running is None:
        return None
    evidence = Evidence(Cause.LEASE_OVER, SendState.UNKNOWN, now, SendReason.LEASE_OVER)
    after = learn(row, running.number, evidence)
    return None if after is None else Change(evidence.cause, row, after, now, check_at=now)
