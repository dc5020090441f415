"""What the registry writes: whole aggregates on compacted topics, bulletins and notices."""

from datetime import time
from typing import ClassVar, Literal

from pydantic import EmailStr, JsonValue

from shared.contracts.base import (
    Bodies,
    BulletinKind,
    Event,
    Id,
    Language,
    MessageId,
    Moment,
    Part,
    Status,
    Subjects,
    UtcTime,
    ZoneEvent,
    ZoneId,
)
from shared.topics import BULLETINS, ERASURES, MEMBERS, NETWORKS, NOTICES, ZONES, Topic

NetworkKind = Literal["residents", "self_employed", "professional"]
NetworkState = Literal["draft", "active", "suspended", "dissolved"]
MemberKind = Literal["resident", "self_employed", "company", "professional"]
MemberState = Literal["pending", "active", "suspended", "left"]
DocumentKind = Literal["charter", "house_rules", "communication_plan"]


class PublisherKey(Part):
    """A public key of the zone (JWK, RFC 8037). It counts once confirmed, and until revoked."""

    kid: Id
    jwk: dict[str, str]
    officer_id: Id | None
    """None for a police system's key: its `issued_by` is the `kid`, and it cannot approve."""

    nbf: UtcTime
    exp: UtcTime
    enrolled_by: str
    confirmed_by: str | None = None
    confirmed_at: UtcTime | None = None
    revoked_at: UtcTime | None = None


class ZoneOfficer(Part):
    """A mandated police officer, by ids only."""

    officer_id: Id
    subject: str
    """The `sub` of the officer's token."""


class LegalBasis(Part):
    """The legal basis that the zone states for each class of message."""

    warm: str
    cold: str


class ZoneContact(Part):
    """Whom to turn to about a zone's processing: the addresses of an organisation, of no person."""

    address: str
    """Of the police zone, the controller."""

    data_protection_officer: str
    """How to reach the function, as the zone's privacy notice states it."""


class Zone(Event):
    """A police zone, the data controller."""

    TYPE: ClassVar[str] = "be.bin.zone.v1"
    TOPIC: ClassVar[Topic] = ZONES

    zone_id: ZoneId
    version: int
    name: str
    legal_basis: LegalBasis
    contact: ZoneContact | None = None
    """None where the zone has not stated it, and in records from before it was published."""

    officers: tuple[ZoneOfficer, ...] = ()
    keys: tuple[PublisherKey, ...] = ()

    def key(self) -> str:
        """Give the zone."""
        return self.zone_id


class Contact(Part):
    """Somebody a notice can go to: officer, coordinator or deputy of a network."""

    contact_id: Id
    role: Literal["officer", "coordinator", "co_coordinator", "deputy"]
    subject: str
    """The `sub` of the person's token; what a coordinator may see follows from it."""

    email: EmailStr | None = None
    language: Language
    active: bool


class QuietHours(Part):
    """When no cold mail goes out, in the network's local time (Europe/Brussels)."""

    start: time
    end: time


class Network(Event):
    """A neighbourhood information network, as the other services need it."""

    TYPE: ClassVar[str] = "be.bin.network.v1"
    TOPIC: ClassVar[Topic] = NETWORKS

    network_id: Id
    version: int
    zone_id: ZoneId
    name: str
    municipality: str
    """NIS code; the province follows from it."""

    kind: NetworkKind
    state: NetworkState
    languages: tuple[Language, ...]
    """The first is the network's own, used where a member's language has no text."""

    sender_name: str
    """Alphanumeric SMS sender: 1 to 11 of A-Z, a-z, 0-9 and space (one-way)."""

    exercises: bool
    """Whether the communication plan tells members to expect exercises."""

    warm_fallback: Literal["email"] | None = None
    quiet_hours: QuietHours | None = None
    documents: dict[DocumentKind, int]
    """The current version of each document."""

    contacts: tuple[Contact, ...] = ()
    reply_to: EmailStr | None = None
    """Where answers to cold mail go: the coordinator's address."""

    def key(self) -> str:
        """Give the network."""
        return self.network_id


class Member(Event):
    """One person in one network. Who left is published without any contact detail."""

    TYPE: ClassVar[str] = "be.bin.member.v1"
    TOPIC: ClassVar[Topic] = MEMBERS

    member_id: Id
    version: int
    zone_id: ZoneId
    network_id: Id
    state: MemberState
    kind: MemberKind = "resident"
    language: Language
    phone: str | None = None
    """E.164, mobile; a fixed line is no destination for SMS and stays in the registry."""

    email: str | None = None
    """Normalised address."""

    cold_mail: bool = True
    """False once the member refused cold messages; warm ones go on."""

    sms_stopped: bool = False
    """True once the member answered STOP (Twilio 21610): unreachable by SMS."""

    restricted: bool = False
    """True while processing is restricted (GDPR, article 18): nothing is sent."""

    house_rules_version: int | None = None
    unsubscribe_token: str | None = None
    accept_token: str | None = None

    def key(self) -> str:
        """Give the member."""
        return self.member_id


class Erasure(Event):
    """A person's data are to be dropped everywhere; kept for good, so that no backup undoes it."""

    TYPE: ClassVar[str] = "be.bin.erasure.v1"
    TOPIC: ClassVar[Topic] = ERASURES

    erasure_id: Id
    member_id: Id
    zone_id: ZoneId
    erased_at: UtcTime

    def key(self) -> str:
        """Give the member."""
        return self.member_id


class Bulletin(ZoneEvent):
    """A cold message, released to one network. Idempotent on bulletin and network."""

    TYPE: ClassVar[str] = "be.bin.bulletin.v1"
    TOPIC: ClassVar[Topic] = BULLETINS

    bulletin_id: MessageId
    network_id: Id
    kind: BulletinKind
    references: MessageId | None = None
    status: Status
    subject: Subjects
    body: Bodies
    attachment: str | None = None
    """An iCalendar object (RFC 5545), for a meeting."""

    issued_by: Id
    released_by: str
    """Pseudonym of whoever released it."""

    released_at: UtcTime
    expires_at: UtcTime

    def message(self) -> str | None:
        """Name it."""
        return self.bulletin_id


NoticeTemplate = Literal[
    "accept_house_rules",
    "membership_confirmed",
    "bulletin_waiting",
    "bulletin_reminder",
    "bulletin_escalated",
    "bulletin_returned",
    "bulletin_expired",
    "bulletin_suggested",
    "house_rules_changed",
    "member_unreachable",
    "network_without_coordinator",
    "network_dissolved",
    "feedback_due",
    "audit_alarm",
]


class RoleInNetwork(Part):
    """Everyone who holds a role in a network at the time of sending."""

    role: Literal["officer", "coordinator", "deputy"]
    network_id: Id


class Notice(ZoneEvent):
    """A mail that the registry or the audit service asks the dispatcher to send."""

    TYPE: ClassVar[str] = "be.bin.notice.v1"
    TOPIC: ClassVar[Topic] = NOTICES

    notice_id: MessageId
    to_role: RoleInNetwork | None = None
    to_member: Id | None = None
    template: NoticeTemplate
    about: dict[str, JsonValue] = {}
    """Ids, counts and dates that the template shows; never a name or a text."""

    issued_at: Moment
    expires_at: UtcTime

    def message(self) -> str | None:
        """Name it."""
        return self.notice_id
