"""Counting what was sent, from the changes that the dispatcher publishes: each counts once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.registry.domain.days import day_of
from shared.contracts import Send
from shared.contracts.base import Channel, Language, MessageType, SendState

Outcome = Literal["reached", "failed", "unknown", "unreachable", "not_sent"]
OUTCOMES: tuple[Outcome, ...] = ("reached", "failed", "unknown", "unreachable", "not_sent")

_OUTCOME: Mapping[SendState, Outcome] = {
    SendState.ACCEPTED: "reached",
    SendState.DELIVERED: "reached",
    SendState.UNDELIVERED: "failed",
    SendState.FAILED: "failed",
    SendState.UNKNOWN: "unknown",
    SendState.UNREACHABLE: "unreachable",
    SendState.SUPPRESSED: "not_sent",
    SendState.EXPIRED: "not_sent",
    SendState.CANCELLED: "not_sent",
}
"""How a send stands, by its state. What the provider accepted counts as reached until it is known
to be undelivered."""

_BILLED = frozenset({SendState.ACCEPTED, SendState.DELIVERED, SendState.UNDELIVERED})
"""The provider charges what it accepted, delivered or not."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How far one send was counted: its last change, and what it stands for in the counters."""

    seq: int
    outcome: Outcome
    day: date
    """Of its first change, Europe/Brussels: all of its changes count there."""

    billed: tuple[int, ...]
    """The attempts whose segments were counted."""


@dataclass(frozen=True, slots=True)
class Place:
    """One counter: a message in a network, on a day, in a language, by a channel."""

    zone_id: str
    message_id: str
    network_id: str
    day: date
    language: Language
    channel: Channel


@dataclass(frozen=True, slots=True)
class Change:
    """What to add to one counter."""

    place: Place
    outcomes: Mapping[Outcome, int]
    segments: int


def count(before: Counted | None, send: Send) -> tuple[Counted, list[Change]] | None:
    """Count one change of a send; None where it counts for nothing.

    That is a notice, which is no message of a network, a silent state, and whatever was counted
    before: `seq` grows with each change, so that a repeated or resent event adds nothing. A person
    in two networks counts in both; the segments are paid once and count in the first.
    """
    outcome = _OUTCOME.get(send.state)
    if outcome is None or send.message_type is MessageType.NOTICE or not send.network_ids:
        return None
    if before is not None and send.seq <= before.seq:
        return None
    billed = () if before is None else before.billed
    segments = 0
    if send.channel is Channel.SMS and send.state in _BILLED and send.attempt not in billed:
        billed = (*billed, send.attempt)
        segments = send.segments or 0
    day = day_of(send.time) if before is None else before.day
    outcomes: dict[Outcome, int] = {}
    if before is None or before.outcome != outcome:
        outcomes[outcome] = 1
        if before is not None:
            outcomes[before.outcome] = -1
    changes = [
        Change(_place(send, network_id, day), outcomes, segments if first else 0)
        for network_id, first in _in_order(send.network_ids)
    ]
    return Counted(send.seq, outcome, day, billed), changes


def _in_order(network_ids: tuple[str, ...]) -> list[tuple[str, bool]]:
    ordered = sorted(set(network_ids))
    return [(network_id, network_id == ordered[0]) for network_id in ordered]


def _place(send: Send, network_id: str, day: date) -> Place:
    return Place(
        zone_id=send.zone_id,
        message_id=send.message_id,
        network_id=network_id,
        day=day,
        language=send.language,
        channel=send.channel,
    )
