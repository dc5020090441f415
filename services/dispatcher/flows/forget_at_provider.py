"""Have the provider drop its copy of what was sent to an erased person."""

from datetime import timedelta

from services.dispatcher.domain.ledger import Row
from services.dispatcher.senders.base import Senders
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Messages
from shared.clock import Clock
from shared.failures import Retryable

_MOST = 50
_AGAIN = timedelta(minutes=5)
"""Twilio deletes no message that is still on its way; what it refuses waits behind the others."""


class ForgetAtProvider:
    """The job behind an erasure. Raises `Retryable` while the provider is away: it tries again."""

    def __init__(
        self, *, ledger: Ledger, messages: Messages, senders: Senders, clock: Clock
    ) -> None:
        """Wire."""
        self._clock = clock
        self._ledger = ledger
        self._messages = messages
        self._senders = senders

    async def once(self) -> bool:
        """Ask for a page of them; tell whether there is more."""
        rows = await self._ledger.destinations.to_forget(_MOST)
        for row in rows:
            try:
                await self._drop(row)
            except Retryable:
                await self._ledger.destinations.put_off(row, self._clock.now() + _AGAIN)
                raise
            await self._ledger.destinations.forgotten(row)
        return len(rows) == _MOST

    async def _drop(self, row: Row) -> None:
        message = await self._messages.get(row.key)
        if message is None:
            return
        sender = self._senders.of(row.channel, message.status)
        for attempt in row.attempts:
            if attempt.reference is not None:
                await sender.forget(attempt.reference)
