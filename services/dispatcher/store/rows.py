"""Sends as documents: the one place that knows the field names of collection `sends`."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from services.dispatcher.domain.ledger import AttemptRow, Row, Silent
from services.dispatcher.domain.message import MessageKey
from services.dispatcher.domain.send import PlannedSend
from shared.contracts.base import Channel, Lane, MessageType, SendState
from shared.mongo import Document

WITHOUT_EVENTS = {"events": 0}
GONE = "gone:"
"""What begins a destination that was dropped; `gone` makes it whole."""

KEPT: Document = {"$not": {"$regex": f"^{GONE}"}}
"""Finds the destinations that were not dropped."""

# looked up rather than called: a row has up to ten of them
_STATES = {str(one): one for one in SendState}
_LANES = {str(one): one for one in Lane}
_CHANNELS = {str(one): one for one in Channel}


def gone(send_id: str) -> str:
    """Give what stands in a destination's place once it was dropped; unique, as the index asks."""
    return GONE + send_id


def base(key: MessageKey) -> str:
    """Name a message without its release: what a person gets at most once."""
    return f"{key.zone_id}|{key.message_type}|{key.message_id}"


def row_of_plan(send: PlannedSend) -> Row:
    """Begin a row from a plan."""
    return Row(
        send_id=send.send_id,
        key=send.key,
        lane=send.lane,
        channel=send.channel,
        destination=send.destination,
        member_ids=send.member_ids,
        network_ids=send.network_ids,
        language=send.language,
        recipient=send.recipient,
        recipient_year=send.recipient_year,
        sender_name=send.sender_name,
        reply_to=send.reply_to,
        unsubscribe_token=send.unsubscribe_token,
        segments=send.segments,
        template=send.template,
        expires_at=send.expires_at,
        state=SendState(send.state),
        reason=send.reason,
    )


def to_document(row: Row) -> Document:
    """Give what never changes of a row, for its insertion."""
    return {
        "_id": row.send_id,
        "zone": row.key.zone_id,
        "type": str(row.key.message_type),
        "message_id": row.key.message_id,
        "release": row.key.release,
        "message": str(row.key),
        "lane": str(row.lane),
        "channel": str(row.channel),
        "destination": row.destination,
        "members": list(row.member_ids),
        "networks": list(row.network_ids),
        "language": row.language,
        "recipient": row.recipient,
        "year": row.recipient_year,
        "sender_name": row.sender_name,
        "reply_to": row.reply_to,
        "token": row.unsubscribe_token,
        "segments": row.segments,
        "template": row.template,
        "expires_at": row.expires_at,
        **changing(row),
    }


def changing(row: Row) -> Document:
    """Give the fields that a change may touch."""
    references = sorted({one.reference for one in row.attempts if one.reference is not None})
    return {
        # absent where there is none: the unique index would take an empty list for a value
        **({"references": references} if references else {}),
        "state": str(row.state),
        "reason": row.reason,
        "v": row.version,
        "seq": row.seq,
        "attempts": [_attempt(attempt) for attempt in row.attempts],
        "silent": [_silent(silent) for silent in row.silent],
        "unknown_since": row.unknown_since,
        "accepted_at": row.accepted_at,
        "delivered_at": row.delivered_at,
    }


def _attempt(attempt: AttemptRow) -> Document:
    return {
        "number": attempt.number,
        "at": attempt.at,
        "state": str(attempt.state),
        "reason": attempt.reason,
        "reference": attempt.reference,
        "flagged": attempt.flagged,
    }


def _silent(silent: Silent) -> Document:
    return {"state": str(silent.state), "at": silent.at, "attempt": silent.attempt}


def to_row(document: Document) -> Row:
    """Read a row."""
    destination: str = document["destination"]
    return Row(
        send_id=document["_id"],
        key=_key(document["zone"], document["type"], document["message_id"], document["release"]),
        lane=_LANES[document["lane"]],
        channel=_CHANNELS[document["channel"]],
        destination=None if destination.startswith(GONE) else destination,
        member_ids=tuple(document["members"]),
        network_ids=tuple(document["networks"]),
        language=document["language"],
        recipient=document["recipient"],
        recipient_year=document["year"],
        sender_name=document["sender_name"],
        reply_to=document["reply_to"],
        unsubscribe_token=document["token"],
        segments=document["segments"],
        template=document["template"],
        expires_at=document["expires_at"],
        state=_STATES[document["state"]],
        reason=document["reason"],
        version=document["v"],
        seq=document["seq"],
        fence=document.get("fence"),
        attempts=tuple(_to_attempt(item) for item in document["attempts"]),
        silent=tuple(
            Silent(_STATES[item["state"]], item["at"], item["attempt"])
            for item in document["silent"]
        ),
        unknown_since=document["unknown_since"],
        accepted_at=document["accepted_at"],
        delivered_at=document["delivered_at"],
    )


@lru_cache(maxsize=256)
def _key(zone_id: str, message_type: str, message_id: str, release: str | None) -> MessageKey:
    return MessageKey(zone_id, MessageType(message_type), message_id, release)


def _to_attempt(item: dict[str, Any]) -> AttemptRow:
    return AttemptRow(
        number=item["number"],
        at=item["at"],
        state=_STATES[item["state"]],
        reason=item["reason"],
        reference=item["reference"],
        flagged=item["flagged"],
    )


def silent_now(state: str, at: datetime, attempt: object) -> Document:
    """Give the note of a change that is no event, for a row's list of them."""
    return {"state": state, "at": at, "attempt": attempt}
