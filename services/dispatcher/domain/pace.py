"""How fast a provider may be used: a token bucket, and a circuit breaker around it. Pure."""

from collections.abc import Callable
from datetime import timedelta

Random = Callable[[float, float], float]
"""Gives a number between two others."""

_REST_FIRST = 0.2
_REST_MOST = 10.0
_UNKNOWN_IN_A_ROW = 5
"""So many outcomes in a row that nobody can tell open the circuit: each costs somebody a flagged
second attempt, or an operator's time."""


class Bucket:
    """A token bucket with one second's worth of burst, and never less than one token.

    All times are seconds of a monotonic clock that the caller reads.
    """

    def __init__(self, rate: float, now: float) -> None:
        """Start full; `rate` is tokens per second."""
        self._whole = self._rate = rate
        self._most = max(1.0, rate)
        self._tokens = self._most
        self._at = now

    def share(self, among: int, now: float) -> None:
        """Take part of the rate from now on, since so many use it."""
        self._fill(now)
        self._rate = self._whole / among
        self._most = max(1.0, self._rate)
        self._tokens = min(self._most, self._tokens)

    def available(self, now: float) -> int:
        """Give how many tokens there are."""
        self._fill(now)
        return int(self._tokens)

    def take(self, count: int, now: float) -> None:
        """Use tokens that `available` gave."""
        self._fill(now)
        self._tokens -= count

    def give_back(self, count: int) -> None:
        """Return tokens that were not used."""
        self._tokens = min(self._most, self._tokens + count)

    def wait(self, now: float, count: int = 1) -> float:
        """Give the seconds until there are so many tokens, were there no limit to the burst."""
        self._fill(now)
        return max(0.0, (count - self._tokens) / self._rate)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now


class Pace:
    """A provider's token bucket, and a circuit breaker around it.

    The circuit opens when the provider refuses everyone, or says nothing that can be understood
    several times in a row. After a rest one attempt goes through to try it; only when that works
    is there room for more. All times are seconds of a monotonic clock that the caller reads.
    """

    def __init__(self, rate: float, now: float) -> None:
        """Start full; `rate` is tokens per second."""
        self._bucket = Bucket(rate, now)
        self._rests_until = now
        self._refusals = 0
        self._unknown = 0
        self._tries = False
        """Whether the provider has yet to show that it works again."""

        self._trying = False
        """Whether the one attempt that is to show it is under way."""

    def share(self, among: int, now: float) -> None:
        """Take part of the rate from now on, since so many use it."""
        self._bucket.share(among, now)

    def available(self, now: float) -> int:
        """Give how many may begin right now."""
        if now < self._rests_until:
            return 0
        most = self._bucket.available(now)
        if self._tries:
            return 0 if self._trying else min(1, most)
        return most

    def take(self, count: int, now: float) -> None:
        """Use tokens that `available` gave."""
        self._bucket.take(count, now)
        self._trying = self._tries and count > 0

    def give_back(self, count: int) -> None:
        """Return tokens that were not used."""
        self._trying = self._trying and count == 0
        self._bucket.give_back(count)

    def wait(self, now: float) -> float:
        """Give the seconds until something may begin."""
        if self._trying:
            return _REST_MOST  # or until the attempt that tries it ends, which wakes who waits
        return max(self._bucket.wait(now), self._rests_until - now)

    def refused(self, now: float, retry_after: timedelta | None) -> None:
        """Rest: as long as the provider asks, else longer with each refusal in a row."""
        rest = min(_REST_MOST, _REST_FIRST * 2**self._refusals)
        if retry_after is not None:
            rest = retry_after.total_seconds()
        if now >= self._rests_until:  # those that were under way together count once
            self._refusals += 1
        self._rests_until = max(self._rests_until, now + rest)
        self._tries, self._trying = True, False

    def unknown(self, now: float) -> None:
        """Note an outcome that nobody can tell; several in a row count as a refusal."""
        self._unknown += 1
        if self._tries or self._unknown >= _UNKNOWN_IN_A_ROW:
            self.refused(now, None)

    def worked(self) -> None:
        """Note that the provider does its work: it took a message, or refused one for a reason."""
        self._refusals = self._unknown = 0
        self._tries = self._trying = False

    def begins_anew(self) -> None:
        """Note that an attempt came to nothing of its own: it says nothing of the provider."""
        self._trying = False


def backoff(attempts: int, first: float, most: float, random: Random) -> timedelta:
    """Give an exponential pause with full jitter before the next attempt."""
    return timedelta(seconds=random(0.0, min(most, first * 2 ** min(attempts, 20))))
