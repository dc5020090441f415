"""Drop the texts of originals whose date has come; private parts end by an index of their own."""

from services.audit.store.originals import Originals
from shared.clock import Clock


class DropTexts:
    """A job: hash and verdict stay, what was written goes."""

    def __init__(self, originals: Originals, clock: Clock) -> None:
        """Wire."""
        self._originals = originals
        self._clock = clock

    async def once(self) -> bool:
        """Drop what is due."""
        await self._originals.drop_texts(self._clock.now())
        return False
