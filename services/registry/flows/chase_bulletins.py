"""See that what waits is relayed: remind its coordinator, then a deputy, then the officer.

Nothing is silently dropped: each step is a mail, a line on the timeline and a record.
"""

from typing import Literal

from services.registry.domain.bulletin import BulletinRecord, Chase, chase, escalate
from services.registry.domain.network import NetworkRecord
from services.registry.domain.notice import (
    bulletin_escalated,
    bulletin_reminder,
    bulletin_waiting,
)
from services.registry.flows.context import Actor, Context
from shared.contracts import Notice
from shared.mongo import Session

_MOST = 100


async def chase_bulletins(context: Context) -> bool:
    """Take the steps that are due; tell whether there may be more."""
    found = await context.bulletins.chased(context.clock.now(), _MOST)
    for row_id in found:
        await _chase(context, row_id)
    return len(found) == _MOST


async def _chase(context: Context, row_id: str) -> None:
    async def work(session: Session) -> None:
        now = context.clock.now()
        before = await context.bulletins.get(row_id, session)
        network = await context.networks.get(before.network_id, session)
        after, what = chase(before, network, context.policy.relay, now)
        if after is before:
            return
        await context.bulletins.replace(session, after)
        if what is not None:
            await context.outbox.add(session, [_notice(context, after, network, what)])
            await context.record_bulletin(session, None, _ACTIONS[what], after)

    await context.transaction(work)


_ACTIONS: dict[Chase, str] = {
    "reminded": "bulletin.remind",
    "passed_to_deputy": "bulletin.pass_to_deputy",
    "escalated": "bulletin.escalate",
}


def _notice(
    context: Context, bulletin: BulletinRecord, network: NetworkRecord, what: Chase
) -> Notice:
    now, notice_id = context.clock.now(), context.clock.new_id()
    if what == "reminded":
        return bulletin_reminder(notice_id, bulletin, _relayer(network, context), now)
    to = "deputy" if what == "passed_to_deputy" else "officer"
    return bulletin_escalated(notice_id, bulletin, to, now)


def _relayer(network: NetworkRecord, context: Context) -> Literal["coordinator", "deputy"]:
    return "coordinator" if network.own_coordinators(context.clock.now()) else "deputy"


async def put_in_relay(
    context: Context,
    session: Session,
    bulletin: BulletinRecord,
    network: NetworkRecord,
    *,
    actor: Actor | None = None,
    action: str = "bulletin.wait",
) -> None:
    """Store a bulletin that begins to wait, and tell whoever is to relay it.

    These are the coordinators, without one a deputy, without one the officer.
    """
    now = context.clock.now()
    waits = bulletin
    notice_id = context.clock.new_id()
    if network.active_coordinators(now):
        notice = bulletin_waiting(notice_id, waits, _relayer(network, context), now)
    else:
        # no version of its own: it is stored once, with both steps
        waits = escalate(bulletin, now).model_copy(update={"version": bulletin.version})
        notice = bulletin_escalated(notice_id, waits, "officer", now)
    if waits.version == 1:
        await context.bulletins.add(session, waits)
    else:
        await context.bulletins.replace(session, waits)
    await context.outbox.add(session, [notice])
    await context.record_bulletin(session, actor, action, waits)
    if waits.has("escalated"):
        await context.record_bulletin(session, None, _ACTIONS["escalated"], waits)


async def hand_to_officer(context: Context, session: Session, network: NetworkRecord) -> None:
    """Escalate at once what waits in a network where nobody is left to relay it."""
    now = context.clock.now()
    for before in await context.bulletins.open_in(session, network.network_id):
        after = escalate(before, now)
        if after is before:
            continue
        await context.bulletins.replace(session, after)
        notice = bulletin_escalated(context.clock.new_id(), after, "officer", now)
        await context.outbox.add(session, [notice])
        await context.record_bulletin(session, None, _ACTIONS["escalated"], after)
