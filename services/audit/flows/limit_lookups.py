"""Limit how often one reader looks people up: a look-up answers a person, it is no export."""

from services.audit.store.lookups import WINDOW, LookUps
from shared.clock import Clock


class TooManyLookUps(Exception):  # noqa: N818 - an answer to a request
    """This reader asked too often; `seconds` until the next hour of the clock."""

    def __init__(self, seconds: int) -> None:
        """Say how long to wait."""
        super().__init__()
        self.seconds = seconds


class LimitLookUps:
    """So many an hour, per reader and log, however many processes serve them."""

    def __init__(self, lookups: LookUps, most: int, clock: Clock) -> None:
        """Wire."""
        self._lookups = lookups
        self._most = most
        self._clock = clock

    async def __call__(self, log: str, reader: str) -> None:
        """Count a look-up. Raises `TooManyLookUps`."""
        now = self._clock.now()
        if await self._lookups.add(log, reader, now) > self._most:
            into = now.minute * 60 + now.second
            raise TooManyLookUps(int(WINDOW.total_seconds()) - into)
