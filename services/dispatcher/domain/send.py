"""A send: one message to one destination, as it is planned. The ledger keeps its states."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.dispatcher.domain.message import MessageKey
from shared.contracts.base import Channel, Lane, Language, SendState

InitialState = Literal[
    SendState.PLANNED, SendState.SUPPRESSED, SendState.UNREACHABLE, SendState.EXPIRED
]


@dataclass(frozen=True, slots=True)
class PlannedSend:
    """One row of a plan.

    Planning twice plans once: the ledger's unique index is on zone, message, channel and
    `destination` (`member:<id>` where there is none).
    """

    send_id: str
    key: MessageKey
    lane: Lane
    channel: Channel
    destination: str
    """E.164 number, normalised address, or `member:<id>` for who cannot be reached."""

    member_ids: tuple[str, ...]
    network_ids: tuple[str, ...]
    language: Language
    """The language of the text that goes out (not always the member's own)."""

    recipient: str | None
    """Pseudonym of the destination; None where there is none."""

    recipient_year: int
    sender_name: str
    reply_to: str | None
    unsubscribe_token: str | None
    """For the List-Unsubscribe link of a mail."""

    segments: int | None
    template: str
    expires_at: datetime
    state: InitialState = SendState.PLANNED
    reason: str | None = None
