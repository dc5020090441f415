"""Change a network's own facts."""

from typing import Any

from services.registry.domain.failures import Stale
from services.registry.domain.network import NetworkRecord, check_alive, check_minded
from services.registry.flows.context import Actor, Context
from services.registry.flows.create_network import find_officer
from shared.mongo import Session


async def edit_network(
    context: Context, actor: Actor, network_id: str, version: int, changes: dict[str, Any]
) -> NetworkRecord:
    """Change the given fields of the version that the caller read; `officer_id` names its officer.

    Raises `Stale` where there is a newer version, `Invalid`, `Conflict`.
    """

    async def work(session: Session) -> NetworkRecord:
        before = await context.networks.get(network_id, session)
        if before.version != version:
            raise Stale
        check_alive(before)
        values = dict(changes)
        if "officer_id" in values:
            zone = await context.zones.get(before.zone_id, session)
            values["officer"] = find_officer(zone, values.pop("officer_id"))
            check_minded(before, values["officer"])
        if all(getattr(before, name) == value for name, value in values.items()):
            return before
        network = before.changed(**values)
        await context.put_network(session, network)
        await context.record(
            session,
            actor,
            "change",
            "network.edit",
            zone_id=network.zone_id,
            network_id=network_id,
        )
        return network

    return await context.transaction(work)
