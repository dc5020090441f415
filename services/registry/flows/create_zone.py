"""Create a police zone."""

from services.registry.domain.zone import ZonePrivacy, ZoneRecord, check_zone_id
from services.registry.flows.context import Actor, Context
from shared.contracts.registry import LegalBasis
from shared.mongo import Session


async def create_zone(
    context: Context,
    actor: Actor,
    *,
    zone_id: str,
    name: str,
    legal_basis: LegalBasis,
    privacy: ZonePrivacy | None = None,
) -> ZoneRecord:
    """Create a zone. Raises `Invalid` for a reserved id, `Conflict` where it is taken."""
    check_zone_id(zone_id)
    zone = ZoneRecord(
        zone_id=zone_id,
        name=name,
        legal_basis=legal_basis,
        privacy=privacy,
        created_at=context.clock.now(),
    )

    async def work(session: Session) -> None:
        await context.put_zone(session, zone)
        await context.record(session, actor, "change", "zone.create", zone_id=zone_id)

    await context.transaction(work)
    return zone
