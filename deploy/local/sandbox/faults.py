"""Misbehaviour on purpose: what was asked for with `POST /faults`, and what is left of it."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Channel(StrEnum):
    """Which of the two providers misbehaves."""

    SMS = "sms"
    MAIL = "mail"


class Fault(StrEnum):
    """How a provider misbehaves."""

    REFUSE = "refuse"
    """It says no for good: HTTP 400 with code 21211, or SMTP 550."""

    SLOW = "slow"
    """It accepts the message at once and answers `seconds` later."""

    ACCEPT_THEN_DROP = "accept_then_drop"
    """It accepts the message and drops the connection in place of an answer."""

    STATUS_500 = "status_500"
    """It accepts nothing and answers HTTP 500, or SMTP 554."""

    STATUS_429 = "status_429"
    """It accepts nothing and asks to come back: HTTP 429, or SMTP 451."""

    UNDELIVERED = "undelivered"
    """It accepts the message, which then does not arrive: a receipt says so of an SMS (30003), a
    report to its return path of a mail."""


class FaultRequest(BaseModel):
    """What to do wrong, and for how long.

    The next `count` messages are hit (1 where neither is given). `seconds` is the delay of `slow`;
    for every other fault it is how long the fault lasts, and `count` may then be left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Channel
    fault: Fault
    count: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0, le=3600)] | None = None


@dataclass(slots=True)
class _Pending:
    fault: Fault
    left: int | None
    until: float | None
    delay: float


@dataclass(frozen=True, slots=True)
class Hit:
    """The fault that a message meets; `delay` in seconds, for `slow` only."""

    fault: Fault
    delay: float


_DEFAULT_DELAY = 5.0


class Faults:
    """The faults still to come, per channel, first asked first."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Start well-behaved; `monotonic` is seconds, for how long a fault lasts."""
        self._monotonic = monotonic
        self._pending: dict[Channel, deque[_Pending]] = {channel: deque() for channel in Channel}

    def add(self, request: FaultRequest) -> None:
        """Plan a fault after those already planned."""
        slow = request.fault is Fault.SLOW
        lasts = None if slow or request.seconds is None else self._monotonic() + request.seconds
        left = request.count if request.count or lasts else 1
        delay = (request.seconds or _DEFAULT_DELAY) if slow else 0.0
        self._pending[request.channel].append(_Pending(request.fault, left, lasts, delay))

    def clear(self) -> None:
        """Behave well again."""
        for pending in self._pending.values():
            pending.clear()

    def next(self, channel: Channel) -> Hit | None:
        """Take the fault that the next message of this channel meets, or None."""
        pending = self._pending[channel]
        while pending:
            first = pending[0]
            if first.until is not None and self._monotonic() > first.until:
                pending.popleft()
                continue
            if first.left is not None:
                first.left -= 1
                if first.left == 0:
                    pending.popleft()
            return Hit(first.fault, first.delay)
        return None
