"""Compare what the registry once published with what it has: a restored backup knows less."""

from collections.abc import Collection, Sequence

from services.registry.flows.context import Context
from services.registry.store.ahead import AheadRow
from shared.contracts import Bulletin, Event, Member, Network, Verdict, Zone
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import VerdictKind
from shared.envelope import decode_any, header
from shared.kafka import Record
from shared.mongo import Session


async def compare_topics(context: Context, session: Session, records: Sequence[Record]) -> None:
    """Note what is ahead of the database. In a database that lost nothing, that is nothing.

    Only what the registry published itself can have been lost: what an operator or the other judge
    wrote to its topics was never in its database.
    """
    source = context.outbox.source
    ours = (record for record in records if header(record, "ce_source") == source)
    events = [decode_any(record).event for record in ours]
    found: dict[str, AheadRow] = {}
    for row in [
        *await _aggregates(context, session, events),
        *await _members(context, session, [e for e in events if isinstance(e, Member)]),
        *await _releases(context, session, [e for e in events if isinstance(e, Bulletin)]),
        *await _verdicts(context, session, [e for e in events if isinstance(e, Verdict)]),
    ]:
        if row.row_id not in found or found[row.row_id].version < row.version:
            found[row.row_id] = row
    if found:
        await context.ahead.note(session, found)


def _row(event: Event, key: str, version: int) -> AheadRow:
    return AheadRow(event.TOPIC.name, key, version, event.TYPE, event.to_json())


async def _aggregates(
    context: Context, session: Session, events: Sequence[Event]
) -> list[AheadRow]:
    zones = [event for event in events if isinstance(event, Zone)]
    networks = [event for event in events if isinstance(event, Network)]
    known = {
        **await context.zones.versions(session, _keys(zones)),
        **await context.networks.versions(session, _keys(networks)),
    }
    return [
        _row(event, event.key(), event.version)
        for event in (*zones, *networks)
        if event.version > known.get(event.key(), 0)
    ]


def _keys(events: Sequence[Event]) -> Collection[str]:
    return {event.key() for event in events}


async def _members(context: Context, session: Session, members: Sequence[Member]) -> list[AheadRow]:
    """Tell of members too, but not of the last state of somebody erased: it says nothing."""
    ids = _keys(members)
    known = await context.members.versions(session, ids)
    erased = await context.erasures.versions(session, ids)
    return [
        _row(event, event.member_id, event.version)
        for event in members
        if event.version > known.get(event.member_id, erased.get(event.member_id, 0))
    ]


async def _releases(
    context: Context, session: Session, bulletins: Sequence[Bulletin]
) -> list[AheadRow]:
    ids = {_row_id(event): event for event in bulletins}
    released = await context.bulletins.released(session, list(ids))
    return [_row(event, key, 0) for key, event in ids.items() if key not in released]


def _row_id(event: Bulletin) -> str:
    return f"{event.zone_id}|{event.bulletin_id}|{event.network_id}"


async def _verdicts(
    context: Context, session: Session, verdicts: Sequence[Verdict]
) -> list[AheadRow]:
    """Tell of ids that an accepted proposal took; the other judge's verdicts are not ours."""
    taken = {
        (str(verdict.zone_id), str(verdict.message_id)): verdict
        for verdict in verdicts
        if verdict.message_type is MessageType.BULLETIN and verdict.verdict is VerdictKind.ACCEPTED
    }
    if not taken:
        return []
    claims = await context.claims.find(session, list(taken))
    return [_row(v, f"{of[0]}|{of[1]}", 0) for of, v in taken.items() if of not in claims]
