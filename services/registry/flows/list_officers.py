"""List a zone's officers, on record."""

from services.registry.domain.zone import Officer
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def list_officers(context: Context, actor: Actor, zone_id: str) -> tuple[Officer, ...]:
    """Give all officers of a zone with their names and addresses."""

    async def work(session: Session) -> tuple[Officer, ...]:
        zone = await context.zones.get(zone_id, session)
        await context.record(session, actor, "read", "officer.list", zone_id=zone_id)
        return zone.officers

    return await context.transaction(work)
