"""Decline a municipality's tip, with the reason that its municipality reads."""

from services.registry.domain.bulletin import BulletinRecord, decline
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def decline_bulletin(
    context: Context, subject: str, network_id: str, bulletin_id: str, reason: str
) -> BulletinRecord:
    """Decline a tip; again is the same. Raises `NotThere`, `Conflict`."""

    async def work(session: Session) -> BulletinRecord:
        before = await context.bulletins.in_network(network_id, bulletin_id, session)
        after = decline(before, subject, reason, context.clock.now())
        if after is not before:
            await context.bulletins.replace(session, after)
            actor = Actor.subject(subject)
            await context.record_bulletin(session, actor, "bulletin.decline", after, reason)
        return after

    return await context.transaction(work)
