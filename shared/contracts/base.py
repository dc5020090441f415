"""What all events share: frozen models, aware times, the words that several of them use."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.topics import Topic

Language = Literal["nl", "fr", "de", "en"]
LANGUAGES: tuple[Language, ...] = ("nl", "fr", "de", "en")


_YEARS = range(1970, 9000)


def _within_the_calendar(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        message = f"a year from {_YEARS.start} to {_YEARS.stop - 1}"
        raise ValueError(message)
    return moment


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_within_the_calendar)]
"""A time that others write. At the ends of the calendar adding a life or an offset overflows."""

UtcTime = Annotated[Moment, AfterValidator(_in_utc)]
ZoneId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
RESERVED_ZONE_IDS = frozenset({"operators"})
"""No zone may be called so: it is the name of the audit log of what belongs to no zone."""

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""An identifier that is safe as a URL segment, a database key and a Kafka key."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
MessageId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
]
"""A UUID in its canonical lower-case form."""


class Part(BaseModel):
    """A part of an event that one of our services writes."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Event(Part):
    """An event on a topic. Each class names its CloudEvents type and its topic.

    Between our services unknown fields are ignored, so that a rolling upgrade fills no DLQ.
    """

    TYPE: ClassVar[str]
    TOPIC: ClassVar[Topic]

    def key(self) -> str:
        """Give the record key that the topic table asks for."""
        raise NotImplementedError

    def message(self) -> str | None:
        """Name the message that it is about, whose id is its trace; None where there is none."""
        return None

    def to_json(self) -> bytes:
        """Serialise as compact UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> Self:
        """Parse and validate; raises pydantic's `ValidationError`."""
        return cls.model_validate_json(value)


class OutsideEvent(Event):
    """An event that outsiders write: a field we do not know is refused, never dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ZoneEvent(Event):
    """An event of one zone, keyed by it."""

    zone_id: ZoneId

    def key(self) -> str:
        """Give the zone."""
        return self.zone_id


class Status(StrEnum):
    """How serious a message is; `exercise` and `test` look different from the real thing."""

    ACTUAL = "actual"
    EXERCISE = "exercise"
    TEST = "test"


class AlertKind(StrEnum):
    """What an alert does: begins, replaces what is known, or ends it."""

    ALERT = "alert"
    UPDATE = "update"
    ALL_CLEAR = "all_clear"


class BulletinKind(StrEnum):
    """What a cold message is about (ministerial circular of 28 February 2019)."""

    FEEDBACK = "feedback"
    PREVENTION = "prevention"
    ORGANISATION = "organisation"


class MessageType(StrEnum):
    """What a message id belongs to."""

    ALERT = "alert"
    BULLETIN = "bulletin"
    NOTICE = "notice"


class Lane(StrEnum):
    """Warm is urgent, cold is not; each has its own workers and budgets."""

    WARM = "warm"
    COLD = "cold"


class Channel(StrEnum):
    """How a message reaches a person."""

    SMS = "sms"
    EMAIL = "email"


class SendState(StrEnum):
    """The states of a send; the transitions between them are a table of the dispatcher."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    ATTEMPTING = "attempting"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"


SILENT_STATES = frozenset({SendState.PLANNED, SendState.CLAIMED, SendState.ATTEMPTING})
"""Changes into these are no events of their own; they travel in the event that ends them."""


_FIRST_PRINTABLE = 0x20


def _no_control_characters(text: str) -> str:
    if any(ord(char) < _FIRST_PRINTABLE and char not in "\n\t" for char in text) or "\x7f" in text:
        message = "control characters are not allowed"
        raise ValueError(message)
    return text


LocalText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1200, strip_whitespace=True),
    AfterValidator(_no_control_characters),
]
"""The text of an SMS in one language; Twilio takes 1,600 characters, closing line included."""

LocalBody = Annotated[
    str,
    StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True),
    AfterValidator(_no_control_characters),
]


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text or "\r" in text:
        message = "a subject is one line"
        raise ValueError(message)
    return text


LocalSubject = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_no_control_characters),
    AfterValidator(_one_line),
]
Texts = Annotated[dict[Language, LocalText], Field(min_length=1)]
Bodies = Annotated[dict[Language, LocalBody], Field(min_length=1)]
Subjects = Annotated[dict[Language, LocalSubject], Field(min_length=1)]
