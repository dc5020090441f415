"""Have the provider drop its copy of what was sent to an erased person."""

from services.dispatcher.senders.base import Senders
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Messages

_MOST = 50


class ForgetAtProvider:
    """The job behind an erasure. Raises `Retryable` while the provider is away: it tries again."""

    def __init__(self, *, ledger: Ledger, messages: Messages, senders: Senders) -> None:
        """Wire."""
        self._ledger = ledger
        self._messages = messages
        self._senders = senders

    async def once(self) -> bool:
        """Ask for a page of them; tell whether there is more."""
        rows = await self._ledger.destinations.to_forget(_MOST)
        for row in rows:
            message = await self._messages.get(row.key)
            if message is not None:
                sender = self._senders.of(row.channel, message.status)
                for attempt in row.attempts:
                    if attempt.reference is not None:
                        await sender.forget(attempt.reference)
            await self._ledger.destinations.forgotten(row)
        return len(rows) == _MOST
