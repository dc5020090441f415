"""Take a provider's report on an attempt; twice, late or out of order it does no harm."""

import structlog
from prometheus_client import Counter

from services.dispatcher.domain.ledger import Evidence
from services.dispatcher.domain.states import Cause
from services.dispatcher.senders.base import parse_attempt_id
from services.dispatcher.senders.twilio import receipt_reason, receipt_state
from services.dispatcher.store.ledger import Ledger
from shared.clock import Clock

RECEIPTS = Counter("buurtbode_receipts", "Receipts by what they say", ["provider", "state"])


class TakeReceipt:
    """Folds a receipt into the attempt that its URL names."""

    def __init__(self, *, ledger: Ledger, clock: Clock) -> None:
        """Wire."""
        self._ledger = ledger
        self._clock = clock
        self._logger = structlog.get_logger(provider="twilio")

    async def take(self, attempt: str, status: str, reference: str, code: int | None) -> bool:
        """Take Twilio's `MessageStatus`; False where there is no such attempt."""
        state = receipt_state(status)
        if state is None:
            RECEIPTS.labels("twilio", "unknown_status").inc()
            self._logger.error("unknown message status")
            return True
        named = parse_attempt_id(attempt)
        if named is None:
            return False
        send_id, number = named
        evidence = Evidence(
            Cause.RECEIPT,
            state,
            self._clock.now(),
            receipt_reason(code, status),
            reference,
        )
        row = await self._ledger.learn(send_id, number, evidence)
        RECEIPTS.labels("twilio", str(state)).inc()
        return row is not None
