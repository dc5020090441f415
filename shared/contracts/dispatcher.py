"""What the dispatcher writes: verdicts (the registry writes them too), sends and their closing."""

from enum import StrEnum
from typing import ClassVar

from shared.contracts.base import (
    Channel,
    Event,
    Id,
    Lane,
    Language,
    MessageId,
    MessageType,
    Part,
    SendState,
    Sha256,
    Status,
    UtcTime,
    ZoneEvent,
    ZoneId,
)
from shared.topics import SENDS, VERDICTS, Topic

NO_ZONE_KEY = "-"
"""The key of a verdict on a record whose key names no known zone."""


class VerdictKind(StrEnum):
    """What a judge can say."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why a message was not accepted, or a network left out. Closed: systems branch on it."""

    NOT_JSON = "not_json"
    NOT_A_CLOUDEVENT = "not_a_cloudevent"
    WRONG_TYPE = "wrong_type"
    INVALID_FIELD = "invalid_field"
    UNKNOWN_ZONE = "unknown_zone"
    KEY_NOT_ZONE = "key_not_zone"
    NO_SIGNATURE = "no_signature"
    MALFORMED_SIGNATURE = "malformed_signature"
    WRONG_SIGNATURE = "wrong_signature"
    SIGNATURE_FOR_OTHER_ZONE = "signature_for_other_zone"
    SIGNATURE_FOR_OTHER_TOPIC = "signature_for_other_topic"
    UNKNOWN_KEY = "unknown_key"
    KEY_NOT_CONFIRMED = "key_not_confirmed"
    KEY_NOT_CURRENT = "key_not_current"
    KEY_REVOKED = "key_revoked"
    NOT_THE_SIGNER = "not_the_signer"
    APPROVAL_NEEDED = "approval_needed"
    APPROVAL_INVALID = "approval_invalid"
    APPROVER_IS_ISSUER = "approver_is_issuer"
    UNKNOWN_NETWORK = "unknown_network"
    NETWORK_NOT_ACTIVE = "network_not_active"
    NO_EXERCISES = "no_exercises"
    NO_NETWORK_LEFT = "no_network_left"
    ISSUED_IN_FUTURE = "issued_in_future"
    ISSUED_TOO_LONG_AGO = "issued_too_long_ago"
    EXPIRED = "expired"
    ID_TAKEN = "id_taken"
    TOO_LONG = "too_long"
    NOT_YOUR_KIND = "not_your_kind"
    STATUS_DIFFERS = "status_differs"


class Original(Part):
    """Where the judged record stands; the audit service joins on it."""

    topic: str
    partition: int
    offset: int
    sha256: Sha256
    """Of the value's exact bytes."""


class LeftOut(Part):
    """A network that cannot take the message, and why."""

    network_id: Id
    reason: Reason


class Verdict(Event):
    """A judge's answer to one police record."""

    TYPE: ClassVar[str] = "be.bin.verdict.v1"
    TOPIC: ClassVar[Topic] = VERDICTS

    event_id: Id
    """Derives from the original's position, so that the same record repeats its own verdict."""

    ce_id: str | None
    original: Original
    zone_id: ZoneId | None
    """None unless the record key names a known zone."""

    message_type: MessageType
    message_id: MessageId | None
    kind: str | None = None
    references: MessageId | None = None
    status: Status | None = None
    network_ids: tuple[Id, ...] = ()
    """The networks that take the message."""

    left_out: tuple[LeftOut, ...] = ()
    verdict: VerdictKind
    reason: Reason | None = None
    field: str | None = None
    explanation: str
    """What happened and what to do, in English, without a value of the original."""

    people: int | None = None
    signer: Id | None = None
    """The `kid` that signed, and the one that approved."""

    approver: Id | None = None
    judged_at: UtcTime
    expires_at: UtcTime | None = None

    def key(self) -> str:
        """Give the zone, or `-`."""
        return self.zone_id or NO_ZONE_KEY

    def message(self) -> str | None:
        """Name it."""
        return self.message_id


class Basis(Part):
    """On what a send rests at its moment."""

    legal: str
    house_rules: dict[str, int] = {}
    """Version by network."""

    communication_plan: dict[str, int] = {}


class SilentChange(Part):
    """A change into `planned`, `claimed` or `attempting`; travels in the event that ends it."""

    state: SendState
    at: UtcTime
    attempt: int


class Send(ZoneEvent):
    """One change of one send's state. `seq` counts from 1 without a gap per send."""

    TYPE: ClassVar[str] = "be.bin.send.v1"
    TOPIC: ClassVar[Topic] = SENDS

    event_id: Id
    send_id: Id
    seq: int
    message_id: MessageId
    message_type: MessageType
    network_ids: tuple[Id, ...]
    member_ids: tuple[Id, ...]
    recipient: str | None
    """HMAC-SHA-256 pseudonym of the destination, hexadecimal; None where there is none."""

    recipient_year: int
    lane: Lane
    channel: Channel
    state: SendState
    reason: str | None = None
    attempt: int
    possible_duplicate: bool = False
    language: Language
    template: str
    segments: int | None = None
    provider_reference: str | None = None
    basis: Basis
    time: UtcTime
    before: tuple[SilentChange, ...] = ()

    def message(self) -> str | None:
        """Name it."""
        return self.message_id


class MessagePlanned(ZoneEvent):
    """All sends of a message (of a bulletin: of one release) are in the ledger."""

    TYPE: ClassVar[str] = "be.bin.message.planned.v1"
    TOPIC: ClassVar[Topic] = SENDS

    event_id: Id
    message_id: MessageId
    message_type: MessageType
    release: Id | None
    """The network, for a bulletin."""

    revision: int
    """1, and one more each time the plan is completed after catching up."""

    network_ids: tuple[Id, ...]
    people: int
    sends: dict[Channel, int]
    unreachable: int
    behind: bool
    """Whether the copy was behind at planning; the plan is then run again."""

    basis: Basis | None = None
    """On what the whole message rests, also where it comes to no send."""

    planned_at: UtcTime
    expires_at: UtcTime

    def message(self) -> str | None:
        """Name it."""
        return self.message_id


class MessageClosed(ZoneEvent):
    """The closing statement: what the audit service must have on record."""

    TYPE: ClassVar[str] = "be.bin.message.closed.v1"
    TOPIC: ClassVar[Topic] = SENDS

    event_id: Id
    message_id: MessageId
    message_type: MessageType
    release: Id | None
    revision: int
    sends: int
    states: dict[SendState, int]
    events: int
    digest: Sha256
    """SHA-256 over the sorted event ids, each followed by a line feed."""

    closed_at: UtcTime

    def message(self) -> str | None:
        """Name it."""
        return self.message_id


class CoverageAlarm(ZoneEvent):
    """Too few of a warm message's sends were accepted in time; raised once per message."""

    TYPE: ClassVar[str] = "be.bin.message.alarm.v1"
    TOPIC: ClassVar[Topic] = SENDS

    event_id: Id
    message_id: MessageId
    message_type: MessageType
    network_ids: tuple[Id, ...]
    owed: int
    """Sends that should have reached somebody; 0 where the message was not even planned."""

    accepted: int
    """How many of them a provider had accepted in time."""

    threshold: float
    """The share that should have been, from 0 to 1."""

    within_seconds: float
    raised_at: UtcTime

    def message(self) -> str | None:
        """Name it."""
        return self.message_id
