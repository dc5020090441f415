"""List the bulletins of a network or of a zone, and show one."""

from services.registry.domain.bulletin import BulletinRecord, BulletinState, Origin
from services.registry.flows.context import Context
from shared.mongo import Document, Session


async def list_in_network(
    context: Context,
    network_id: str,
    state: BulletinState | None,
    after: str | None,
    limit: int,
    *,
    origin: Origin | None = None,
) -> list[BulletinRecord]:
    """Give a page of a network's bulletins, the latest first. Raises `Invalid`."""
    scope: Document = {"network_id": network_id}
    if origin is not None:
        scope["origin"] = origin
    return await _list(context, scope, state, after, limit)


async def list_in_zone(
    context: Context, zone_id: str, state: BulletinState | None, after: str | None, limit: int
) -> list[BulletinRecord]:
    """Give a page of a zone's bulletins, one item per network. Raises `Invalid`."""
    return await _list(context, {"zone_id": zone_id}, state, after, limit)


async def _list(
    context: Context, scope: Document, state: BulletinState | None, after: str | None, limit: int
) -> list[BulletinRecord]:
    async def work(session: Session) -> list[BulletinRecord]:
        return await context.bulletins.listed(session, scope, state, after, limit)

    return await context.transaction(work)
