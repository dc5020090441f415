"""What a restored ledger can know again of a send: what its events say, and no more. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from services.dispatcher.domain.ledger import AttemptRow, Row
from services.dispatcher.domain.message import MessageKey
from services.dispatcher.domain.reasons import SendReason
from shared.contracts import Send
from shared.contracts.base import MessageType, SendState

_OUTCOMES = frozenset(
    {
        SendState.ACCEPTED,
        SendState.DELIVERED,
        SendState.UNDELIVERED,
        SendState.FAILED,
        SendState.UNKNOWN,
    }
)
_GOT_THROUGH = _OUTCOMES - {SendState.FAILED, SendState.UNKNOWN}


def key_of(send: Send) -> MessageKey:
    """Name the message of an event; a bulletin's release is the one network that it went to."""
    bulletin = send.message_type is MessageType.BULLETIN
    release = next(iter(send.network_ids), None) if bulletin else None
    return MessageKey(send.zone_id, send.message_type, send.message_id, release)


def row_of_event(event: Send, destination: str, expires_at: datetime) -> Row:
    """Begin a row from an event; nothing of what happened to it is in it yet."""
    return Row(
        send_id=event.send_id,
        key=key_of(event),
        lane=event.lane,
        channel=event.channel,
        destination=destination,
        member_ids=event.member_ids,
        network_ids=event.network_ids,
        language=event.language,
        recipient=event.recipient,
        recipient_year=event.recipient_year,
        sender_name="",
        reply_to=None,
        unsubscribe_token=None,
        segments=event.segments,
        template=event.template,
        expires_at=expires_at,
        state=SendState.PLANNED,
    )


def replayed(row: Row, events: Iterable[Send]) -> Row:
    """Apply events that the row does not have yet, in order; what it has is left as it is."""
    for event in sorted(events, key=lambda event: event.seq):
        if event.seq > row.seq:
            row = _after(row, event)
    return row


def _after(row: Row, event: Send) -> Row:
    attempts = {attempt.number: attempt for attempt in row.attempts}
    begun = {one.attempt: one.at for one in event.before if one.state is SendState.ATTEMPTING}
    for number in range(1, event.attempt + 1):
        at = begun.get(number, event.time)
        # of an attempt that ended without an event, it is known that it was not sent
        known = attempts.get(number)
        if known is None or known.state is SendState.ATTEMPTING:
            attempts[number] = AttemptRow(number, at, SendState.PLANNED)
    if event.attempt and event.state in _OUTCOMES:
        attempts[event.attempt] = replace(
            attempts[event.attempt],
            state=event.state,
            reason=event.reason,
            reference=event.provider_reference,
            flagged=event.possible_duplicate,
        )
    got_through = event.state in _GOT_THROUGH
    unknown = event.state is SendState.UNKNOWN
    return replace(
        row,
        member_ids=tuple(sorted({*row.member_ids, *event.member_ids})),
        network_ids=tuple(sorted({*row.network_ids, *event.network_ids})),
        state=event.state,
        reason=event.reason,
        seq=event.seq,
        fence=None,
        silent=(),
        attempts=tuple(attempts[number] for number in sorted(attempts)),
        unknown_since=row.unknown_since or (event.time if unknown else None),
        accepted_at=row.accepted_at or (event.time if got_through else None),
        delivered_at=row.delivered_at
        or (event.time if event.state is SendState.DELIVERED else None),
    )


def forgotten(row: Row, since: datetime, now: datetime) -> Row:
    """Say that nobody knows what became of a send: it may have been attempted after `since`."""
    attempts = list(row.attempts)
    if not attempts or attempts[-1].state is not SendState.ATTEMPTING:
        attempts.append(AttemptRow(len(attempts) + 1, since, SendState.UNKNOWN))
    doubtful = replace(attempts.pop(), state=SendState.UNKNOWN, reason=SendReason.RESTORED)
    return replace(
        row,
        state=SendState.UNKNOWN,
        reason=SendReason.RESTORED,
        attempts=(*attempts, doubtful),
        unknown_since=row.unknown_since or now,
        fence=None,
    )


def no_second_attempt(row: Row) -> Row:
    """Mark an unknown send so that it is looked up and never tried again: it may have been."""
    attempts = tuple(
        replace(attempt, reason=SendReason.RESTORED)
        if attempt.state is SendState.UNKNOWN
        else attempt
        for attempt in row.attempts
    )
    return replace(row, attempts=attempts)
