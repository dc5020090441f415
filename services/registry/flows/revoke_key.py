"""Revoke a key: from then on nothing signed with it is accepted."""

from services.registry.domain.zone import revoke
from services.registry.flows.context import Actor, Context
from shared.contracts.registry import PublisherKey
from shared.mongo import Session


async def revoke_key(context: Context, actor: Actor, zone_id: str, kid: str) -> PublisherKey:
    """Revoke a key for good; it stays listed. Raises `NotThere`."""

    async def work(session: Session) -> PublisherKey:
        before = await context.zones.get(zone_id, session)
        zone = revoke(before, kid, context.clock.now())
        if zone is not before:
            await context.put_zone(session, zone)
            await context.record(session, actor, "key", "key.revoke", zone_id=zone_id)
        return zone.key(kid)

    return await context.transaction(work)
