"""What a closing statement is held against."""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import timedelta

CLOSED_WITHIN = timedelta(hours=25)
"""After a message's expiry (of a bulletin: its release); the dispatcher has 24 hours."""

MOST_REQUESTS = 10
"""How often a message's events are asked for before somebody is told: within eighteen hours."""

_FIRST_WAIT = timedelta(minutes=1)
"""How long after the first request the second one comes; after it, twice as long each time."""


def wait_after(requests: int) -> timedelta:
    """Give how long to wait after so many requests before the next one, or before the alarm."""
    return _FIRST_WAIT * 2 ** (requests - 1)


_ALARMS = uuid.UUID("d0a3f1c6-58b7-5e0d-8a4e-91f5c27d6b08")


def alarm_id(row_id: str) -> str:
    """Name the one alarm that is raised for a missing statement, by the row that waits for it."""
    return str(uuid.uuid5(_ALARMS, row_id))


def stays_different_id(row_id: str, answers: int) -> str:
    """Name the alarm for a statement that still differs after so many answers."""
    return alarm_id(f"stays_different|{row_id}|{answers}")


def digest(event_ids: Iterable[str]) -> str:
    """Give the SHA-256 over sorted event ids, each followed by a line feed, hexadecimal."""
    joined = "".join(f"{event_id}\n" for event_id in sorted(event_ids))
    return hashlib.sha256(joined.encode()).hexdigest()
