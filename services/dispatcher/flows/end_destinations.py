"""End where messages went, and what they said, some time after their closing statement."""

from datetime import timedelta

from services.dispatcher.store.closings import Closings
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Messages
from shared.clock import Clock


class EndDestinations:
    """A ledger is there to send; what was sent is accounted for in the audit log."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        closings: Closings,
        messages: Messages,
        clock: Clock,
        kept_for: timedelta,
    ) -> None:
        """Wire; `kept_for` counts from the last closing statement."""
        self._ledger = ledger
        self._closings = closings
        self._messages = messages
        self._clock = clock
        self._kept_for = kept_for

    async def once(self) -> bool:
        """End those of some messages; tell whether there are more."""
        found = await self._closings.with_destinations(self._clock.now() - self._kept_for)
        for closing in found:
            await self._ledger.destinations.end(closing.key)
            await self._messages.end_content(closing.key)
            await self._closings.without_destinations(closing)
        return bool(found)
