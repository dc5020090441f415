"""Show the figures of a year to the zone's police, a municipality, or federal oversight."""

from collections.abc import Sequence

from services.registry.domain.figures import (
    Activity,
    By,
    Figure,
    figures,
    for_outsiders,
    year_bounds,
)
from services.registry.domain.network import NetworkRecord
from services.registry.flows.context import Context
from services.registry.store.networks import in_municipality, in_zone
from shared.callers import Caller, Role
from shared.mongo import Document, Session

_NONE: Document = {"_id": {"$in": []}}


async def show_figures(context: Context, caller: Caller, year: int, by: By) -> list[Figure]:
    """Give the lines that a caller's role sets the scope of; only police see small groups."""

    async def work(session: Session) -> list[Figure]:
        networks = await context.networks.all_of(session, _scope(caller))
        lines = figures(await gather(context, session, networks, year), by, context.policy.tariff)
        return lines if _is_police(caller) else for_outsiders(lines, by)

    return await context.transaction(work)


async def gather(
    context: Context, session: Session, networks: Sequence[NetworkRecord], year: int
) -> list[Activity]:
    """Collect what networks did in a year."""
    ids = [network.network_id for network in networks]
    since, until = year_bounds(year)
    people = await context.figures.people(session, ids, since, until)
    alerts = await context.figures.alerts(session, ids, since, until)
    bulletins = await context.figures.bulletins(session, ids, since, until)
    sent = await context.figures.sent(session, ids, since, until)
    return [
        Activity(
            network=network,
            people=tuple(people.get(network.network_id, ())),
            alerts=frozenset(alerts.get(network.network_id, ())),
            bulletins=frozenset(bulletins.get(network.network_id, ())),
            sent=tuple(sent.get(network.network_id, ())),
        )
        for network in networks
    ]


def _is_police(caller: Caller) -> bool:
    return caller.has(Role.POLICE) and caller.zone is not None


def _scope(caller: Caller) -> Document:
    if _is_police(caller):
        scope = in_zone(caller.zone or "")
    elif caller.has(Role.FEDERAL):
        scope = {}
    elif caller.has(Role.MUNICIPALITY) and caller.municipality is not None:
        scope = in_municipality(caller.municipality)
    else:
        return _NONE
    return {**scope, "state": {"$ne": "draft"}}
