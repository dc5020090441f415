"""What several services write: the record of who looked or acted, and dead letters."""

from typing import ClassVar, Literal

from shared.contracts.base import Event, Id, MessageId, Sha256, UtcTime, ZoneId
from shared.contracts.dispatcher import NO_ZONE_KEY
from shared.topics import ACCESS, Topic

AccessKind = Literal[
    "read", "change", "export", "lookup", "bulletin", "key", "erasure", "dead_letter", "replay"
]


class Access(Event):
    """Somebody read or changed personal data, or acted on a bulletin, a key or a dead letter."""

    TYPE: ClassVar[str] = "be.bin.access.v1"
    TOPIC: ClassVar[Topic] = ACCESS

    event_id: Id
    zone_id: ZoneId | None
    service: Literal["registry", "dispatcher", "audit"]
    kind: AccessKind
    action: str
    """A verb and its object, such as `member.list` or `bulletin.release`."""

    actor: str
    """Pseudonym of the subject that acted, or `system`."""

    reader: str | None = None
    """The token's subject; kept in the audit log's private part."""

    network_id: Id | None = None
    member_ids: tuple[Id, ...] = ()
    recipient: str | None = None
    """Pseudonym of the destination that was looked up."""

    message_id: MessageId | None = None
    reason: str | None = None
    """Free text of the reader; kept in the audit log's private part."""

    time: UtcTime

    def key(self) -> str:
        """Give the zone, or `-` for what belongs to none."""
        return self.zone_id or NO_ZONE_KEY

    def message(self) -> str | None:
        """Name it."""
        return self.message_id


class DeadLetter(Event):
    """A record that its consumer gave up: where it stands and why, never what it says."""

    TYPE: ClassVar[str] = "be.bin.dead-letter.v1"
    TOPIC: ClassVar[Topic]  # `<source>.dlq`, so it follows from the record

    event_id: Id
    source_topic: str
    source_partition: int
    source_offset: int
    source_key: str | None
    consumer: str
    reason: str
    field: str | None = None
    sha256: Sha256
    at: UtcTime

    def key(self) -> str:
        """Give the source's key."""
        return self.source_key or NO_ZONE_KEY
