"""Add a mandated officer to a zone."""

from services.registry.domain.zone import Officer, appoint
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def appoint_officer(context: Context, actor: Actor, zone_id: str, officer: Officer) -> None:
    """Add an officer. Raises `Conflict` where the id or the person is there already."""

    async def work(session: Session) -> None:
        zone = await context.zones.get(zone_id, session)
        await context.put_zone(session, appoint(zone, officer))
        await context.record(
            session, actor, "change", "officer.appoint", zone_id=zone_id, address=officer.email
        )

    await context.transaction(work)
