"""Take a provider's report on an attempt; twice, late or out of order it does no harm."""

import asyncio
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from services.dispatcher.domain.ledger import Evidence
from services.dispatcher.domain.states import Cause
from services.dispatcher.senders.base import parse_attempt_id
from services.dispatcher.senders.twilio import receipt_reason, receipt_state
from services.dispatcher.store.ledger import Ledger
from shared.clock import Clock

RECEIPTS = Counter("buurtbode_receipts", "Receipts by what they say", ["provider", "state"])

_MOST = 500


@dataclass(frozen=True, slots=True)
class _Waiting:
    report: tuple[str, int, Evidence]
    known: asyncio.Future[bool]


class TakeReceipt:
    """Folds receipts into the attempts that their URLs name.

    They come as fast as the sends go out, so those that come while one write is under way are
    written together next; each is answered once it is stored.
    """

    def __init__(self, *, ledger: Ledger, clock: Clock) -> None:
        """Wire."""
        self._ledger = ledger
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
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
        RECEIPTS.labels("twilio", str(state)).inc()
        waiting = _Waiting((send_id, number, evidence), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await waiting.known

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                known = await self._ledger.changes.learn_all([one.report for one in batch])
            except Exception as error:  # noqa: BLE001 - each request answers with it
                for one in batch:
                    if not one.known.done():
                        one.known.set_exception(error)
                continue
            for one, is_known in zip(batch, known, strict=True):
                if not one.known.done():
                    one.known.set_result(is_known)
