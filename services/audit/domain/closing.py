"""What must have a closing statement by when, and what such a statement is held against."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts import Bulletin, Event, MessagePlanned, Verdict
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import VerdictKind

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


@dataclass(frozen=True, slots=True)
class Expected:
    """A message (of a bulletin: one release) that must have a closing statement by `due_at`."""

    message_type: MessageType
    message_id: str
    release: str | None
    due_at: datetime
    network_ids: tuple[str, ...]


def expected_of(events: Iterable[Event]) -> list[Expected]:
    """Give what events say must be closed: what goes out as a whole, or one release of it."""
    return [item for event in events if (item := _expected(event)) is not None]


def _expected(event: Event) -> Expected | None:
    match event:
        case Verdict(verdict=VerdictKind.ACCEPTED, message_type=MessageType.ALERT):
            if event.message_id is None:
                return None
            ends = event.expires_at or event.judged_at
            return Expected(
                event.message_type, event.message_id, None, ends + CLOSED_WITHIN, event.network_ids
            )
        case Bulletin():
            return Expected(
                MessageType.BULLETIN,
                event.bulletin_id,
                event.network_id,
                event.released_at + CLOSED_WITHIN,
                (event.network_id,),
            )
        case MessagePlanned(message_type=MessageType.ALERT | MessageType.NOTICE):
            return Expected(
                event.message_type,
                event.message_id,
                event.release,
                event.expires_at + CLOSED_WITHIN,
                event.network_ids,
            )
        case _:
            return None
