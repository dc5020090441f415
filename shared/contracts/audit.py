"""What the audit service writes: answers to closing statements, and checkpoints."""

from typing import ClassVar, Literal

from shared.contracts.base import Id, MessageId, Sha256, UtcTime, ZoneEvent
from shared.topics import CHECKPOINTS, REPLAYS, Topic


class Replay(ZoneEvent):
    """The answer to a closing statement: `agreed`, or `resend` the message's events."""

    TYPE: ClassVar[str] = "be.bin.replay.v1"
    TOPIC: ClassVar[Topic] = REPLAYS

    event_id: Id
    message_id: MessageId
    release: Id | None
    revision: int
    answer: Literal["agreed", "resend"]
    events_seen: int
    digest_seen: Sha256
    answered_at: UtcTime

    def message(self) -> str | None:
        """Name it."""
        return self.message_id


class Checkpoint(ZoneEvent):
    """A signed head of one zone's log: a C2SP signed note in `note`."""

    TYPE: ClassVar[str] = "be.bin.checkpoint.v1"
    TOPIC: ClassVar[Topic] = CHECKPOINTS

    size: int
    root: Sha256
    note: str
    signed_at: UtcTime
