"""What happens to a bulletin that waits: it is released, returned, or withdrawn."""

from services.registry.domain.bulletin import BulletinRecord, release, send_back, withdraw
from services.registry.domain.failures import NotThere
from services.registry.domain.network import NetworkRecord
from services.registry.domain.notice import bulletin_returned
from services.registry.domain.rights import may_relay
from services.registry.flows.context import Actor, Context
from shared.callers import Caller
from shared.contracts.base import BulletinKind, Status
from shared.mongo import Session


async def release_bulletin(
    context: Context, caller: Caller, network_id: str, bulletin_id: str
) -> BulletinRecord:
    """Relay a bulletin to the members; again is the same. Raises `NotThere`, `Conflict`."""

    async def work(session: Session) -> BulletinRecord:
        now = context.clock.now()
        network, before = await _relayed(context, session, caller, network_id, bulletin_id)
        after = release(before, network, caller.subject, now)
        if after is not before:
            await context.bulletins.replace(session, after)
            await publish_release(context, session, Actor.subject(caller.subject), after)
        return after

    return await context.transaction(work)


async def publish_release(
    context: Context, session: Session, actor: Actor, bulletin: BulletinRecord
) -> None:
    """Write what a release leads to: the message, its record, and feedback that is due no more."""
    released_by = context.pseudonym(bulletin.zone_id, actor)
    at = bulletin.timeline[-1].at
    message = bulletin.event(released_by, at)
    await context.outbox.add(session, [message])
    is_feedback = bulletin.kind is BulletinKind.FEEDBACK and bulletin.status is not Status.TEST
    if is_feedback and bulletin.references is not None:  # a test reaches no member
        await context.alerts.feed_back(
            session, bulletin.zone_id, bulletin.references, bulletin.network_id, at
        )
    await context.record_bulletin(session, actor, "bulletin.release", bulletin)


async def return_bulletin(
    context: Context, caller: Caller, network_id: str, bulletin_id: str, reason: str
) -> BulletinRecord:
    """Return a bulletin to its officer, with a reason. Raises `NotThere`, `Conflict`."""

    async def work(session: Session) -> BulletinRecord:
        now = context.clock.now()
        _, before = await _relayed(context, session, caller, network_id, bulletin_id)
        after = send_back(before, caller.subject, reason, now)
        if after is not before:
            await context.bulletins.replace(session, after)
            notice = bulletin_returned(context.clock.new_id(), after, now)
            await context.outbox.add(session, [notice])
            actor = Actor.subject(caller.subject)
            await context.record_bulletin(session, actor, "bulletin.return", after, reason)
        return after

    return await context.transaction(work)


async def withdraw_bulletin(
    context: Context, caller: Caller, network_id: str, bulletin_id: str, reason: str | None
) -> BulletinRecord:
    """Take a waiting bulletin back, as the police. Raises `NotThere`, `Conflict`."""

    async def work(session: Session) -> BulletinRecord:
        before = await context.bulletins.in_network(network_id, bulletin_id, session)
        after = withdraw(before, caller.subject, reason, context.clock.now())
        if after is not before:
            await context.bulletins.replace(session, after)
            actor = Actor.subject(caller.subject)
            await context.record_bulletin(session, actor, "bulletin.withdraw", after, reason)
        return after

    return await context.transaction(work)


async def _relayed(
    context: Context, session: Session, caller: Caller, network_id: str, bulletin_id: str
) -> tuple[NetworkRecord, BulletinRecord]:
    """Give what is to be relayed. Raises `NotThere` for who may not, as things stand now."""
    network = await context.networks.get(network_id, session)
    bulletin = await context.bulletins.in_network(network_id, bulletin_id, session)
    if not may_relay(caller, network, bulletin, context.clock.now()):
        raise NotThere
    return network, bulletin
