"""What a closing statement is held against."""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import timedelta

CLOSED_WITHIN = timedelta(hours=25)
"""After a message's expiry (of a bulletin: its release); the dispatcher has 24 hours."""

_ALARMS = uuid.UUID("d0a3f1c6-58b7-5e0d-8a4e-91f5c27d6b08")


def alarm_id(row_id: str) -> str:
    """Name the one alarm that is raised for a missing statement, by the row that waits for it."""
    return str(uuid.uuid5(_ALARMS, row_id))


def digest(event_ids: Iterable[str]) -> str:
    """Give the SHA-256 over sorted event ids, each followed by a line feed, hexadecimal."""
    joined = "".join(f"{event_id}\n" for event_id in sorted(event_ids))
    return hashlib.sha256(joined.encode()).hexdigest()
