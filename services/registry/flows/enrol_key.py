"""Enrol a public key with which the police of a zone sign."""

from services.registry.domain.zone import enrol
from services.registry.flows.context import Actor, Context
from shared.contracts.registry import PublisherKey
from shared.mongo import Session


async def enrol_key(
    context: Context, actor: Actor, zone_id: str, key: PublisherKey
) -> tuple[PublisherKey, bool]:
    """Enrol a key, not yet confirmed, and tell whether it is new. Raises `Invalid`, `Conflict`."""

    async def work(session: Session) -> tuple[PublisherKey, bool]:
        before = await context.zones.get(zone_id, session)
        zone = enrol(before, key)
        if zone is not before:
            await context.put_zone(session, zone)
            await context.record(session, actor, "key", "key.enrol", zone_id=zone_id)
        return zone.key(key.kid), zone is not before

    return await context.transaction(work)
