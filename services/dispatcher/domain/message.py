"""A message that the dispatcher has to send: an accepted alert, one release, or a notice."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.contracts.base import Lane, Language, MessageType, Status

RESOLVED_WITHIN = timedelta(seconds=60)
"""An all-clear waits so long for attempts of its alert; then it also goes to whoever's is still
unresolved."""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """What identifies a message; every index and marker includes the zone."""

    zone_id: str
    message_type: MessageType
    message_id: str
    release: str | None = None
    """The network that a bulletin was released to; None for alerts and notices."""

    def __str__(self) -> str:
        """Give the key as the database's `_id`."""
        return f"{self.zone_id}|{self.message_type}|{self.message_id}|{self.release or ''}"


class Thread(NamedTuple):
    """An alert, its updates and its all-clear: all of one status.

    A test never ends or replaces what is real, nor does what is real follow on a test.
    """

    zone_id: str
    alert_id: str
    """The first alert's, known or not."""

    status: Status


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says, by language. An SMS has no subject."""

    body: dict[Language, str]
    subject: dict[Language, str] = field(default_factory=dict[Language, str])
    attachment: str | None = None
    """An iCalendar object, for a meeting."""


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message, as the planner and the senders need it."""

    key: MessageKey
    lane: Lane
    status: Status
    kind: str
    """`alert`, `update`, `all_clear`; or the bulletin's kind; or the notice's template."""

    references: str | None
    """The first alert, for an update, an all-clear and feedback."""

    network_ids: tuple[str, ...]
    """The networks that take it, those left out already removed."""

    content: Content
    template: str
    """What dresses the text: `alert`, `update`, `all_clear`, `bulletin` or a notice template."""

    issued_at: datetime
    accepted_at: datetime
    expires_at: datetime
    legal_basis: str
    house_rules: dict[str, int]
    """Version by network, at acceptance; the same for the communication plan."""

    communication_plan: dict[str, int]
