"""What one entry of the log is, and how it commits to its private part.

An entry holds no personal data. `private` is the SHA-256 over a random salt and the canonical
private part; part and salt live beside the log and can be erased, and the proof stays whole.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from services.audit.domain.canonical import canonical, canonical_plain
from services.audit.domain.notes import OPERATORS

NO_ZONE = "-"
SALT_SIZE = 32

FIELDS = frozenset(
    {
        "index",
        "event_id",
        "time",
        "type",
        "zone_id",
        "message_id",
        "send_id",
        "seq",
        "network_ids",
        "lane",
        "channel",
        "state",
        "reason",
        "attempt",
        "language",
        "template",
        "segments",
        "basis",
        "actor",
        "private",
    }
)
"""Exactly these, in every entry; what does not apply is null."""


class EntryType(StrEnum):
    """What an entry tells of."""

    ORIGINAL = "original"
    """What the police wrote, joined to the verdict on it."""

    VERDICT = "verdict"
    BULLETIN = "bulletin"
    """A bulletin released to one network."""

    NOTICE = "notice"
    SEND = "send"
    PLANNED = "planned"
    CLOSED = "closed"
    ANSWER = "answer"
    """What came of a closing statement: `agreed` or `resend`."""

    ACCESS = "access"
    KEY = "key"
    ERASURE = "erasure"
    ALARM = "alarm"


LASTING = frozenset(
    {
        EntryType.VERDICT,
        EntryType.PLANNED,
        EntryType.CLOSED,
        EntryType.ANSWER,
        EntryType.KEY,
        EntryType.ERASURE,
        EntryType.ALARM,
    }
)
"""What is about no member and holds no text, so that neither an erasure nor a date ends it.

It may name officers: who could sign for the police stays provable.
"""

OF_MEMBERS = frozenset({EntryType.SEND, EntryType.ACCESS, EntryType.NOTICE})
"""What may be about members, so that an erasure may end it."""

TEXTS = frozenset({EntryType.ORIGINAL, EntryType.BULLETIN})
"""What holds a text, and so ends with the texts."""


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry before it has its place in a log."""

    event_id: str
    type: EntryType
    time: datetime
    message_id: str | None = None
    send_id: str | None = None
    seq: int | None = None
    network_ids: tuple[str, ...] = ()
    lane: str | None = None
    channel: str | None = None
    state: str | None = None
    reason: str | None = None
    attempt: int | None = None
    language: str | None = None
    template: str | None = None
    segments: int | None = None
    basis: dict[str, Any] | None = None
    actor: str | None = None
    private: dict[str, Any] | None = None
    members: tuple[str, ...] = ()
    """Whom the private part is about: erased once all of them are; nobody's is never erased."""

    recipient: str | None = None
    """The pseudonym by which the private part is found."""

    is_text: bool = False
    """Whether the private part holds a message's text, and so ends with the texts."""


def without_private(draft: Draft) -> Draft:
    """Give the entry of something whose members were all erased before it came.

    It commits to nothing, so that nothing of it is ever missing.
    """
    return msgspec.structs.replace(draft, private=None, members=(), recipient=None)


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """An entry with its place: the bytes that are hashed, and what lives beside them."""

    index: int
    draft: Draft
    body: bytes
    part: bytes | None
    salt: bytes


def log_of(zone_id: str | None) -> str:
    """Name the log of a zone, or the operators' log."""
    return OPERATORS if zone_id is None or zone_id == NO_ZONE else zone_id


def zone_of(log: str) -> str:
    """Give what the entries of a log say in `zone_id`."""
    return NO_ZONE if log == OPERATORS else log


def in_utc(moment: datetime) -> datetime:
    """Give the same time in UTC, which most are in already."""
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def timestamp(moment: datetime) -> str:
    """Write a time as entries have it: UTC, milliseconds."""
    return in_utc(moment).isoformat(timespec="milliseconds")[:-6] + "Z"  # in the place of +00:00


def year_of(entry: Mapping[str, Any]) -> str:
    """Give the year (UTC) of an entry's time."""
    return str(entry["time"])[:4]


def private_hash(salt: bytes, part: bytes) -> str:
    """Commit to a canonical private part."""
    return hashlib.sha256(salt + part).hexdigest()


def _part(draft: Draft) -> bytes:
    # a send's part holds fixed keys, texts and whole numbers: most of a log, so the short way
    return (canonical_plain if draft.type is EntryType.SEND else canonical)(draft.private)


def seal(draft: Draft, index: int, log: str, salt: bytes) -> Sealed:
    """Give an entry its place and its bytes."""
    part = None if draft.private is None else _part(draft)
    body = canonical_plain(
        {
            "index": index,
            "event_id": draft.event_id,
            "time": timestamp(draft.time),
            "type": draft.type,
            "zone_id": zone_of(log),
            "message_id": draft.message_id,
            "send_id": draft.send_id,
            "seq": draft.seq,
            "network_ids": draft.network_ids,
            "lane": draft.lane,
            "channel": draft.channel,
            "state": draft.state,
            "reason": draft.reason,
            "attempt": draft.attempt,
            "language": draft.language,
            "template": draft.template,
            "segments": draft.segments,
            "basis": draft.basis,
            "actor": draft.actor,
            "private": None if part is None else private_hash(salt, part),
        }
    )
    return Sealed(index, draft, body, part, salt)
