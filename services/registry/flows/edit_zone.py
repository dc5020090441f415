"""Change a zone's settings: its name, legal basis and what its privacy notice states."""

from typing import Any

from services.registry.domain.failures import Stale
from services.registry.domain.zone import ZoneRecord
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def edit_zone(
    context: Context, actor: Actor, zone_id: str, version: int, changes: dict[str, Any]
) -> ZoneRecord:
    """Change the given fields of the version that the caller read. Raises `NotThere`, `Stale`."""

    async def work(session: Session) -> ZoneRecord:
        before = await context.zones.get(zone_id, session)
        if before.version != version:
            raise Stale
        if all(getattr(before, name) == value for name, value in changes.items()):
            return before
        zone = before.changed(**changes)
        await context.put_zone(session, zone)
        await context.record(session, actor, "change", "zone.edit", zone_id=zone_id)
        return zone

    return await context.transaction(work)
