"""The events that the ledger's changes are, for `bin.sends`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import orjson

from services.dispatcher.domain.ledger import Row, event_id, event_uuid
from services.dispatcher.domain.message import Message

SOURCE = "buurtbode/dispatcher"
"""Who our events say that they are from. By it a restored dispatcher knows its own again."""

_ID_BYTES = 16


def basis(message: Message, network_ids: Sequence[str]) -> dict[str, object]:
    """Say on what a send rests: the zone's legal basis, and the documents of its networks."""
    rules, plans = message.house_rules, message.communication_plan
    return {
        "legal": message.legal_basis,
        "house_rules": {one: rules[one] for one in network_ids if one in rules},
        "communication_plan": {one: plans[one] for one in network_ids if one in plans},
    }


def send_event(row: Row, message: Message, at: datetime, seq: int) -> tuple[str, bytes]:
    """Write the event of the change into the row's state: its id, and its bytes.

    The silent changes before it travel along. The bytes are those of `shared.contracts.Send`, as a
    test compares; making and validating the model would cost five times as much, for every send,
    of values that came from validated events.
    """
    named = event_id(row.send_id, seq)
    value = orjson.dumps(
        {
            "zone_id": row.key.zone_id,
            "event_id": named,
            "send_id": row.send_id,
            "seq": seq,
            "message_id": row.key.message_id,
            "message_type": row.key.message_type,
            "network_ids": row.network_ids,
            "member_ids": row.member_ids,
            "recipient": row.recipient,
            "recipient_year": row.recipient_year,
            "lane": row.lane,
            "channel": row.channel,
            "state": row.state,
            "reason": row.reason,
            "attempt": len(row.attempts),
            "possible_duplicate": row.flagged,
            "language": row.language,
            "template": row.template,
            "segments": row.segments,
            "provider_reference": row.reference,
            "basis": basis(message, row.network_ids),
            "time": at,
            "before": [
                {"state": silent.state, "at": silent.at, "attempt": silent.attempt}
                for silent in row.silent
            ],
        },
        option=orjson.OPT_UTC_Z,
    )
    return named, value


class EventIds:
    """Ids of a message's events, sixteen bytes each, given in order.

    A message to 100,000 people has 200,000 events and more; as strings in a list their ids take
    ten times the room. They are kept by their first byte, so that little is sorted at a time.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._by_first = [bytearray() for _ in range(256)]

    def add(self, sends: Iterable[tuple[str, int]]) -> None:
        """Add the ids of all events of these sends, each with its latest `seq`."""
        for send_id, last in sends:
            for seq in range(1, last + 1):
                value = event_uuid(send_id, seq).bytes
                self._by_first[value[0]] += value

    def __len__(self) -> int:
        """Count them."""
        return sum(map(len, self._by_first)) // _ID_BYTES

    def __iter__(self) -> Iterator[str]:
        """Give them as text, in order: the bytes' order is the text's."""
        for some in self._by_first:
            for one in sorted(
                bytes(some[at : at + _ID_BYTES]) for at in range(0, len(some), _ID_BYTES)
            ):
                yield str(UUID(bytes=one))


def digest(event_ids: Iterable[str]) -> str:
    """Give SHA-256 over the sorted ids, each followed by a line feed (the closing statement)."""
    total = sha256()
    for one in event_ids if isinstance(event_ids, EventIds) else sorted(event_ids):
        total.update(one.encode() + b"\n")
    return total.hexdigest()
