"""What the police write: warm alerts and proposals for cold bulletins. Both are signed."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import (
    AlertKind,
    Bodies,
    BulletinKind,
    Id,
    MessageId,
    OutsideEvent,
    Status,
    Subjects,
    Texts,
    UtcTime,
    ZoneId,
)
from shared.topics import ALERTS, PROPOSALS, Topic

SIGNATURE_HEADER = "bin-signature"
APPROVAL_HEADER = "bin-approval"

ALERT_LIFE = timedelta(minutes=30)
ALERT_LIFE_MAX = timedelta(hours=10)
"""Twilio's own queue gives up after 10 hours (`ValidityPeriod` is at most 36,000 s)."""

BULLETIN_LIFE = timedelta(days=14)

NetworkIds = Annotated[tuple[Id, ...], Field(min_length=1, max_length=500)]

AlertEvent = Literal[
    "burglary",
    "theft",
    "fraud",
    "missing_person",
    "wanted_vehicle",
    "suspicious_person",
    "fire",
    "road_blocked",
    "other",
]


class PoliceEvent(OutsideEvent):
    """What both police events have: a zone, its networks, a signer and a life."""

    zone_id: ZoneId
    network_ids: NetworkIds
    status: Status
    issued_by: Id
    issued_at: UtcTime
    expires_at: UtcTime | None = None
    references: MessageId | None = None

    def key(self) -> str:
        """Give the zone."""
        return self.zone_id

    @property
    def message_id(self) -> str:
        """Give the id that everything about this message carries."""
        raise NotImplementedError

    @property
    def ends_at(self) -> datetime:
        """Give the moment after which this is never sent."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _names_networks_once(self) -> Self:
        if len(set(self.network_ids)) != len(self.network_ids):
            message = "network_ids: a network is named twice"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.expires_at is not None and self.expires_at <= self.issued_at:
            message = "expires_at: must be later than issued_at"
            raise ValueError(message)
        return self


class Alert(PoliceEvent):
    """A warm message: urgent, by SMS, straight from the police to the members."""

    TYPE: ClassVar[str] = "be.bin.alert.v1"
    TOPIC: ClassVar[Topic] = ALERTS

    alert_id: MessageId
    kind: AlertKind
    event: AlertEvent
    text: Texts
    approved_by: Id | None = None

    @property
    def message_id(self) -> str:
        """Give the alert's own id."""
        return self.alert_id

    @property
    def ends_at(self) -> datetime:
        """Give `expires_at`, or 30 minutes after `issued_at`."""
        return self.expires_at or self.issued_at + ALERT_LIFE

    @model_validator(mode="after")
    def _refers_where_it_must(self) -> Self:
        if (self.kind is AlertKind.ALERT) != (self.references is None):
            message = "references: an update or all_clear names the first alert, an alert does not"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _lives_ten_hours_at_most(self) -> Self:
        if self.ends_at > self.issued_at + ALERT_LIFE_MAX:
            message = "expires_at: at most 10 hours after issued_at"
            raise ValueError(message)
        return self

    def message(self) -> str | None:
        """Name it."""
        return self.alert_id


class BulletinProposed(PoliceEvent):
    """A cold message that the police propose; a coordinator relays it."""

    TYPE: ClassVar[str] = "be.bin.bulletin.proposed.v1"
    TOPIC: ClassVar[Topic] = PROPOSALS

    bulletin_id: MessageId
    kind: BulletinKind
    subject: Subjects
    body: Bodies

    @property
    def message_id(self) -> str:
        """Give the bulletin's own id."""
        return self.bulletin_id

    @property
    def ends_at(self) -> datetime:
        """Give `expires_at`, or 14 days after `issued_at`."""
        return self.expires_at or self.issued_at + BULLETIN_LIFE

    @model_validator(mode="after")
    def _feedback_names_its_alert(self) -> Self:
        if self.kind is BulletinKind.FEEDBACK and self.references is None:
            message = "references: feedback names the alert it is about"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _is_whole_in_each_language(self) -> Self:
        if set(self.subject) != set(self.body):
            message = "body: subject and body must have the same languages"
            raise ValueError(message)
        return self

    def message(self) -> str | None:
        """Name it."""
        return self.bulletin_id
