"""Whether a planned send may still go out: asked at most a second before its attempt. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.message import Message, Thread
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.states import Cause
from shared.contracts import Member, Network
from shared.contracts.base import AlertKind, Channel, Lane, MessageType, SendState

BEGIN_WITHIN = 2.0
"""Seconds from writing `attempting` to the request's beginning, by a monotonic clock."""

CHECK_HOLDS = 1.0
"""Seconds for which a check may be relied on, up to the request's beginning."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a send ends without an attempt, and in which state."""

    cause: Cause
    state: SendState
    reason: SendReason


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known at the time of the check, for a whole batch."""

    now: datetime
    members: Mapping[str, Member]
    networks: Mapping[str, Network]
    ended: Collection[Thread]
    """Those that an all-clear has ended."""

    updates: Mapping[Thread, Collection[Message]]
    """The accepted updates by thread."""

    refusing: Collection[str]
    """Addresses that refused a mail for good, of late."""


def may_begin(
    expires_at: datetime, now: datetime, *, since_check: float, since_written: float
) -> bool:
    """Say whether a request may begin right now; seconds are by a monotonic clock.

    `since_check` is the age of the check, `since_written` that of the write of `attempting`.
    """
    return now < expires_at and since_check <= CHECK_HOLDS and since_written <= BEGIN_WITHIN


def begin_by(*, checked: float, written: float) -> float:
    """Give until when a request may begin, from when its check and its write were made."""
    return min(checked + CHECK_HOLDS, written + BEGIN_WITHIN)


def thread(message: Message) -> Thread | None:
    """Give the thread that a warm message belongs to; None for all others."""
    if message.key.message_type is not MessageType.ALERT:
        return None
    first = message.references or message.key.message_id
    return Thread(message.key.zone_id, first, message.status)


def refusal(row: Row, message: Message, situation: Situation) -> Refusal | None:
    """Say why a send must not go out, or None where it may."""
    if situation.now >= row.expires_at:
        return Refusal(Cause.EXPIRE, SendState.EXPIRED, SendReason.EXPIRED)
    if row.destination is None:
        return Refusal(Cause.SUPPRESS, SendState.SUPPRESSED, SendReason.ERASED)
    if row.key.message_type is MessageType.BULLETIN and row.destination in situation.refusing:
        # as with a STOP, nothing is left to reach them by; what is urgent, or asked for, is tried
        return Refusal(Cause.UNREACHABLE, SendState.UNREACHABLE, SendReason.MAILBOX_REFUSED)
    return _ended(row, message, situation) or _not_for_them(row, message, situation)


def _ended(row: Row, message: Message, situation: Situation) -> Refusal | None:
    about = thread(message)
    if about is None or message.kind == AlertKind.ALL_CLEAR:
        return None
    if about in situation.ended:
        return Refusal(Cause.CANCEL, SendState.CANCELLED, SendReason.ALL_CLEAR)
    for update in situation.updates.get(about, ()):
        if replaces(update, message) and not set(update.network_ids).isdisjoint(row.network_ids):
            return Refusal(Cause.CANCEL, SendState.CANCELLED, SendReason.UPDATED)
    return None


def replaces(update: Message, message: Message) -> bool:
    """Tell whether an update takes the place of an alert, or of an earlier update."""
    if update.key == message.key:
        return False
    return turn(update) > turn(message)


def turn(message: Message) -> tuple[bool, datetime, datetime, str]:
    """Give what a thread is ordered by: the alert first, even where it was read after its update.

    Records of one batch are accepted at the same moment; then the sender's time decides.
    """
    return (
        message.references is not None,
        message.accepted_at,
        message.issued_at,
        message.key.message_id,
    )


def _not_for_them(row: Row, message: Message, situation: Situation) -> Refusal | None:
    """Give the best reason among a destination's members; None where one of them may get it."""
    if not row.member_ids:  # a notice to somebody's office, no member
        return None
    reasons: list[SendReason] = []
    for member_id in row.member_ids:
        reason = _not_for(situation.members.get(member_id), row, message, situation)
        if reason is None:
            return None
        reasons.append(reason)
    if SendReason.STOPPED in reasons:
        return Refusal(Cause.UNREACHABLE, SendState.UNREACHABLE, SendReason.STOPPED)
    return Refusal(Cause.SUPPRESS, SendState.SUPPRESSED, reasons[0])


def _not_for(  # noqa: PLR0911 - a list of rules reads best as one
    member: Member | None, row: Row, message: Message, situation: Situation
) -> SendReason | None:
    if member is None:
        return SendReason.ERASED
    if member.state == "left":
        return SendReason.LEFT
    if member.restricted:
        return SendReason.RESTRICTED
    if row.channel is Channel.SMS and member.sms_stopped:
        return SendReason.STOPPED
    known = member.phone if row.channel is Channel.SMS else member.email
    if known != row.destination:
        return SendReason.CHANGED_DESTINATION
    if message.key.message_type is MessageType.NOTICE:
        return None  # a pending member gets the acceptance link, and nothing else is planned
    return _not_active(member, row, situation)


def _not_active(member: Member, row: Row, situation: Situation) -> SendReason | None:
    if member.state != "active":
        return SendReason.NOT_ACTIVE
    network = situation.networks.get(member.network_id)
    if network is not None and network.state != "active":
        return SendReason.NETWORK_NOT_ACTIVE
    if row.lane is Lane.COLD and not member.cold_mail:
        return SendReason.REFUSES_COLD
    return None
