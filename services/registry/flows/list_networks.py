"""List the networks that a caller may see."""

from datetime import datetime

from services.registry.domain.network import NetworkRecord
from services.registry.domain.rights import Right, stands
from services.registry.flows.context import Context
from services.registry.store.networks import coordinated_by, in_municipality, in_zone
from shared.callers import Caller, Role
from shared.mongo import Document, Session

_BATCH = 200


async def list_networks(
    context: Context, caller: Caller, after: str | None, limit: int
) -> list[NetworkRecord]:
    """Give networks by id: all or the zone's, one's own, or those of a municipality."""
    now = context.clock.now()

    async def work(session: Session) -> list[NetworkRecord]:
        found: list[NetworkRecord] = []
        last = after
        while len(found) < limit:
            page = await context.networks.listed(_scope(caller), last, _BATCH, session)
            found += [network for network in page if _sees(caller, network, now)]
            if len(page) < _BATCH:
                break
            last = page[-1].network_id
        return found[:limit]

    return await context.transaction(work)


def _scope(caller: Caller) -> Document:
    """Narrow to what the token allows; what the record says is judged in `_sees`."""
    scopes: list[Document] = []
    if caller.has(Role.ADMIN) and caller.zone is None:
        return {}
    if caller.has(Role.ADMIN, Role.POLICE) and caller.zone is not None:
        scopes.append(in_zone(caller.zone))
    if caller.has(Role.COORDINATOR):
        scopes.append(coordinated_by(caller.subject))
    if caller.has(Role.MUNICIPALITY) and caller.municipality is not None:
        scopes.append(in_municipality(caller.municipality))
    return {"$or": scopes} if scopes else {"_id": {"$in": []}}


def _sees(caller: Caller, network: NetworkRecord, now: datetime) -> bool:
    own = any(stands(caller, right, network.zone_id, network, now) for right in Right)
    return own or (caller.has(Role.MUNICIPALITY) and caller.municipality == network.municipality)
