"""Time, ids and randomness, injected so that a test can decide them."""

import os
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic


def utc_now() -> datetime:
    """Tell the time, aware and in UTC, cut to the millisecond that the database keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class Clock:
    """Everything that is different at each run. Tests replace single members.

    `now` is wall time (aware, UTC); `monotonic` is seconds for measuring durations; `new_id`
    gives a random UUID; `token` gives 32 random bytes as hexadecimal; `random` gives as many random
    bytes as it is asked for, for whoever needs thousands at once.
    """

    now: Callable[[], datetime] = field(default=utc_now)
    monotonic: Callable[[], float] = field(default=monotonic)
    new_id: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    token: Callable[[], str] = field(default=lambda: secrets.token_hex(32))
    random: Callable[[int], bytes] = field(default=os.urandom)
