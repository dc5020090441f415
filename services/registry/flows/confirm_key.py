"""Confirm a key that somebody else enrolled."""

from services.registry.domain.zone import confirm
from services.registry.flows.context import Actor, Context
from shared.contracts.registry import PublisherKey
from shared.mongo import Session


async def confirm_key(
    context: Context, actor: Actor, zone_id: str, kid: str, subject: str
) -> PublisherKey:
    """Confirm a key as another police user. Raises `NotThere`, `Conflict`."""

    async def work(session: Session) -> PublisherKey:
        before = await context.zones.get(zone_id, session)
        zone = confirm(before, kid, subject, context.clock.now())
        if zone is not before:
            await context.put_zone(session, zone)
            await context.record(session, actor, "key", "key.confirm", zone_id=zone_id)
        return zone.key(kid)

    return await context.transaction(work)
