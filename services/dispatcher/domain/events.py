"""The events that the ledger's changes are, for `bin.sends`."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from services.dispatcher.domain.ledger import Row, event_id
from services.dispatcher.domain.message import Message
from shared.contracts import Send
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import Basis, SilentChange


def basis(message: Message, network_ids: Iterable[str]) -> Basis:
    """Say on what a send rests: the zone's legal basis, and the documents of its networks."""
    rules, plans = message.house_rules, message.communication_plan
    networks = tuple(network_ids)
    return Basis(
        legal=message.legal_basis,
        house_rules={network: rules[network] for network in networks if network in rules},
        communication_plan={network: plans[network] for network in networks if network in plans},
    )


def send_event(row: Row, message: Message, at: datetime) -> Send:
    """Describe the change into the row's state; the silent ones before it travel along."""
    return Send(
        event_id=event_id(row.send_id, row.seq),
        send_id=row.send_id,
        seq=row.seq,
        zone_id=row.key.zone_id,
        message_id=row.key.message_id,
        message_type=MessageType(row.key.message_type),
        network_ids=row.network_ids,
        member_ids=row.member_ids,
        recipient=row.recipient,
        recipient_year=row.recipient_year,
        lane=row.lane,
        channel=row.channel,
        state=row.state,
        reason=row.reason,
        attempt=len(row.attempts),
        possible_duplicate=row.flagged,
        language=row.language,
        template=row.template,
        segments=row.segments,
        provider_reference=row.reference,
        basis=basis(message, row.network_ids),
        time=at,
        before=tuple(
            SilentChange(state=silent.state, at=silent.at, attempt=silent.attempt)
            for silent in row.silent
        ),
    )


def digest(event_ids: Iterable[str]) -> str:
    """Give SHA-256 over the sorted ids, each followed by a line feed (the closing statement)."""
    total = sha256()
    for one in sorted(event_ids):
        total.update(one.encode() + b"\n")
    return total.hexdigest()
