"""Drop what has come to its date: the texts of originals, and private parts."""

from services.audit.store.originals import Originals
from services.audit.store.private import PrivateParts
from shared.clock import Clock


class DropEnded:
    """A job. Hash and verdict of an original stay, and every entry, with what it commits to."""

    def __init__(self, originals: Originals, private: PrivateParts, clock: Clock) -> None:
        """Wire."""
        self._originals = originals
        self._private = private
        self._clock = clock

    async def once(self) -> bool:
        """Drop what is due; tell whether there may be more."""
        now = self._clock.now()
        await self._originals.drop_texts(now)
        return await self._private.end(now)
