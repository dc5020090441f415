"""Reading a send's event: most of what a log consists of, so for a fifth of what its model costs.

`SendEvent` mirrors the contract `shared.contracts.Send`, which stays the rule: what is refused here
is read the long way, and a property test holds that both read the same.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

State = Literal[
    "planned",
    "claimed",
    "attempting",
    "accepted",
    "delivered",
    "undelivered",
    "failed",
    "unknown",
    "suppressed",
    "expired",
    "cancelled",
    "unreachable",
]
UtcMoment = Annotated[datetime, msgspec.Meta(tz=True)]

_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_FORMS = re.compile(
    r"[a-z0-9][a-z0-9-]{0,31}\n"  # zone_id
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # message_id
    rf"(?:\n{_ID}){{2,}}"  # event_id, send_id, network_ids, member_ids
)
"""The patterns of the contract's identifiers, in one match: one each costs five times as much."""


class BasisPart(msgspec.Struct, frozen=True, gc=False):
    """On what the send rests; see the contract."""

    legal: str
    house_rules: dict[str, int] = {}
    communication_plan: dict[str, int] = {}


class SilentPart(msgspec.Struct, frozen=True, gc=False):
    """A change that travels in the event that ends it; see the contract."""

    state: State
    at: UtcMoment
    attempt: int


class SendEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of one send's state; see the contract for its fields."""

    zone_id: str
    event_id: str
    send_id: str
    seq: int
    message_id: str
    message_type: Literal["alert", "bulletin", "notice"]
    network_ids: tuple[str, ...]
    member_ids: tuple[str, ...]
    recipient: str | None
    recipient_year: int
    lane: Literal["warm", "cold"]
    channel: Literal["sms", "email"]
    state: State
    reason: str | None = None
    attempt: int
    possible_duplicate: bool = False
    language: Literal["nl", "fr", "de", "en"]
    template: str
    segments: int | None = None
    provider_reference: str | None = None
    basis: BasisPart
    time: UtcMoment
    before: tuple[SilentPart, ...] = ()


_DECODE = msgspec.json.Decoder(SendEvent).decode


def read_send(value: bytes) -> SendEvent | None:
    """Read a send's event; None for what the contract's own model has to judge.

    Digits beyond the microsecond, which no service of ours writes, are rounded, not cut off.
    """
    try:
        send = _DECODE(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    ids = (send.event_id, send.send_id, *send.network_ids, *send.member_ids)
    forms = "\n".join((send.zone_id, send.message_id, *ids))
    if _FORMS.fullmatch(forms) is None or send.time.tzinfo is not UTC:
        return None
    return send if all(change.at.tzinfo is UTC for change in send.before) else None
