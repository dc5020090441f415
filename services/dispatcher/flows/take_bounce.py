"""Take a mail server's report on an attempt, as a receipt; twice or late it does no harm."""

import structlog
from prometheus_client import Counter

from services.dispatcher.domain import bounces
from services.dispatcher.domain.ledger import Evidence
from services.dispatcher.domain.reasons import DEAD_MAILBOX, SendReason
from services.dispatcher.domain.states import Cause
from services.dispatcher.flows.check_history import CheckHistory
from services.dispatcher.senders.base import parse_attempt_id
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.mailboxes import Mailboxes
from shared.clock import Clock

BOUNCES = Counter("buurtbode_bounces", "Reports of mail servers", ["state", "reason"])


class TakeBounce:
    """Folds a delivery status notification into the attempt that its address names."""

    def __init__(
        self, *, ledger: Ledger, mailboxes: Mailboxes, history: CheckHistory, clock: Clock
    ) -> None:
        """Wire."""
        self._mailboxes = mailboxes
        self._ledger = ledger
        self._history = history
        self._clock = clock
        self._logger = structlog.get_logger(provider="smtp")

    async def take(self, attempt: str, report: bytes) -> bool:
        """Take a report; False where there is no such attempt. Raises `Retryable`."""
        self._history.require()
        named = parse_attempt_id(attempt)
        if named is None:
            return False
        said = bounces.read(report)
        if said is None:
            BOUNCES.labels("nothing", "").inc()
            return True
        state, reason = said
        if reason is SendReason.UNKNOWN_CODE:
            self._logger.error("unknown provider code", reason="status of a bounce")
        BOUNCES.labels(str(state), reason or "").inc()
        now = self._clock.now()
        row = await self._ledger.changes.learn(*named, Evidence(Cause.RECEIPT, state, now, reason))
        if row is not None and reason in DEAD_MAILBOX:
            await self._mailboxes.refused([row], now)
        return row is not None
