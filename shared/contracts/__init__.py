"""The events on the topics: CloudEvents 1.0 whose data are frozen pydantic models."""

from shared.contracts.audit import Checkpoint, Replay
from shared.contracts.base import Event
from shared.contracts.common import Access, DeadLetter
from shared.contracts.dispatcher import (
    CoverageAlarm,
    MessageClosed,
    MessagePlanned,
    Send,
    Verdict,
)
from shared.contracts.police import Alert, BulletinProposed
from shared.contracts.registry import Bulletin, Erasure, Member, Network, Notice, Zone

EVENTS: tuple[type[Event], ...] = (
    Alert,
    BulletinProposed,
    Verdict,
    Zone,
    Network,
    Member,
    Erasure,
    Bulletin,
    Notice,
    Send,
    MessagePlanned,
    MessageClosed,
    CoverageAlarm,
    Access,
    Replay,
    Checkpoint,
    DeadLetter,
)
"""Every event type there is; the contract tests replay an example of each."""

EVENT_BY_TYPE: dict[str, type[Event]] = {event.TYPE: event for event in EVENTS}

__all__ = [
    "EVENTS",
    "EVENT_BY_TYPE",
    "Access",
    "Alert",
    "Bulletin",
    "BulletinProposed",
    "Checkpoint",
    "CoverageAlarm",
    "DeadLetter",
    "Erasure",
    "Event",
    "Member",
    "MessageClosed",
    "MessagePlanned",
    "Network",
    "Notice",
    "Replay",
    "Send",
    "Verdict",
    "Zone",
]
