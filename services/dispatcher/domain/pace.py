"""How fast a provider may be used: a token bucket, and rests after it said no. Pure."""

from collections.abc import Callable
from datetime import timedelta

Random = Callable[[float, float], float]
"""Gives a number between two others."""

_REST_FIRST = 0.2
_REST_MOST = 10.0


class Pace:
    """A token bucket with one second's worth of burst, which can be told to rest.

    All times are seconds of a monotonic clock that the caller reads.
    """

    def __init__(self, rate: float, now: float) -> None:
        """Start full; `rate` is tokens per second."""
        self._rate = rate
        self._most = max(1.0, rate)
        self._tokens = self._most
        self._at = now
        self._rests_until = now
        self._refusals = 0

    def available(self, now: float) -> int:
        """Give how many may begin right now."""
        if now < self._rests_until:
            return 0
        self._fill(now)
        return int(self._tokens)

    def take(self, count: int, now: float) -> None:
        """Use tokens that `available` gave."""
        self._fill(now)
        self._tokens -= count

    def give_back(self, count: int) -> None:
        """Return tokens that were not used."""
        self._tokens = min(self._most, self._tokens + count)

    def wait(self, now: float) -> float:
        """Give the seconds until something may begin."""
        self._fill(now)
        for_token = max(0.0, (1.0 - self._tokens) / self._rate)
        return max(for_token, self._rests_until - now)

    def refused(self, now: float, retry_after: timedelta | None) -> None:
        """Rest: as long as the provider asks, else longer with each refusal in a row."""
        rest = min(_REST_MOST, _REST_FIRST * 2**self._refusals)
        if retry_after is not None:
            rest = retry_after.total_seconds()
        if now >= self._rests_until:  # those that were under way together count once
            self._refusals += 1
        self._rests_until = max(self._rests_until, now + rest)

    def worked(self) -> None:
        """Note that the provider does its work again."""
        self._refusals = 0

    def _fill(self, now: float) -> None:
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now


def backoff(attempts: int, first: float, most: float, random: Random) -> timedelta:
    """Give an exponential pause with full jitter before the next attempt."""
    return timedelta(seconds=random(0.0, min(most, first * 2 ** min(attempts, 20))))
