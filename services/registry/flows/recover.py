"""Go on after a backup was restored: take from the topics what the database does not know.

Each aggregate, release or verdict is taken in a transaction of its own, with a record, so that this
can be interrupted and asked for again. Erasures were applied before: their topic is read, and
nothing else is, while the database is behind (docs/decisions/0010).
"""

from collections.abc import Awaitable, Callable, Mapping

from services.registry.domain.failures import Conflict
from services.registry.domain.recovery import (
    lost_document,
    recover_member,
    recover_network,
    recover_release,
    recover_zone,
)
from services.registry.flows.context import Actor, Context
from services.registry.flows.hold_back import Gate
from services.registry.store.ahead import AheadRow
from shared.contracts import Bulletin, Member, Network, Verdict, Zone
from shared.failures import Retryable
from shared.mongo import Session
from shared.topics import BULLETINS, MEMBERS, NETWORKS, VERDICTS, ZONES

_SOME = 200

_Take = Callable[[Context, Session, AheadRow], Awaitable[str]]
"""Stores what an event says, and gives its zone."""


async def recover(context: Context, gate: Gate, actor: Actor, reason: str) -> dict[str, int]:
    """Take everything, and tell how much of which topic.

    Raises `Conflict` for a database that is behind of nothing, `Retryable` while the topics are
    still being read.
    """
    if not await gate.caught_up():
        raise Retryable("the topics are still being read")
    if not await gate.behind():
        raise Conflict(
            "not-behind", "The database knows all that was published: this is no old backup."
        )
    taken = dict.fromkeys(_TAKES, 0)
    for topic, take in _TAKES.items():
        while rows := await context.ahead.on(topic, _SOME):
            for row in rows:
                taken[topic] += await _take_one(context, actor, row, take, reason)
    return taken


async def _take_one(
    context: Context, actor: Actor, row: AheadRow, take: _Take, reason: str
) -> bool:
    """Take it, and tell whether it was still there."""

    async def work(session: Session) -> bool:
        if not await context.ahead.take(session, row):
            return False
        # what waits of it is older than what was published
        await context.outbox.drop(session, row.topic, row.key)
        zone_id = await take(context, session, row)
        action = f"recover.{row.topic}"
        await context.record(session, actor, "change", action, zone_id=zone_id, reason=reason)
        return True

    return await context.transaction(work)


async def _zone(context: Context, session: Session, row: AheadRow) -> str:
    event = Zone.from_json(row.value)
    known = await context.zones.find(event.zone_id, session)
    zone = recover_zone(known, event, context.clock.now())
    await context.zones.overwrite(session, zone)
    await context.outbox.add(session, [zone.event()])
    return event.zone_id


async def _network(context: Context, session: Session, row: AheadRow) -> str:
    event, now = Network.from_json(row.value), context.clock.now()
    known = await context.networks.find(event.network_id, session)
    zone = await context.zones.find(event.zone_id, session)
    network = recover_network(known, event, zone, now)
    for kind, number in network.documents.items():
        if await context.documents.get(network.network_id, kind, number, session) is None:
            lost = lost_document(network, kind, number, now)
            await context.documents.add(session, lost)
    await context.networks.overwrite(session, network)
    await context.networks.turn_at(session, network, now)
    await context.outbox.add(session, [network.event(now)])
    return event.zone_id


async def _member(context: Context, session: Session, row: AheadRow) -> str:
    event = Member.from_json(row.value)
    erased = await context.erasures.find(event.member_id, session)
    if erased is not None:
        gone = erased.model_copy(update={"version": event.version + 1})
        await context.erasures.add(session, gone)
        await context.outbox.add(session, [gone.last_state(event.network_id)])
        return event.zone_id
    known = await context.members.find(event.member_id, session)
    member = recover_member(known, event, context.clock.now())
    await context.members.overwrite(session, member)
    await context.outbox.add(session, [member.event()])
    return event.zone_id


async def _release(context: Context, session: Session, row: AheadRow) -> str:
    event = Bulletin.from_json(row.value)
    bulletin = recover_release(await context.bulletins.find(row.key, session), event)
    await context.bulletins.overwrite(session, bulletin)
    return event.zone_id


async def _verdict(context: Context, session: Session, row: AheadRow) -> str:
    verdict = Verdict.from_json(row.value)
    await context.claims.restore(session, verdict)
    return str(verdict.zone_id)


_TAKES: Mapping[str, _Take] = {
    ZONES.name: _zone,
    NETWORKS.name: _network,
    MEMBERS.name: _member,
    BULLETINS.name: _release,
    VERDICTS.name: _verdict,
}
"""In this order: a network names its zone's officers."""
