"""Make a network active, once nothing is missing."""

from services.registry.domain.network import NetworkRecord, activate
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def activate_network(context: Context, actor: Actor, network_id: str) -> NetworkRecord:
    """Activate a network. Raises `Conflict` naming everything that it lacks."""

    async def work(session: Session) -> NetworkRecord:
        now = context.clock.now()
        before = await context.networks.get(network_id, session)
        years = (now.year, now.year + 1)
        has_keys = all(context.keys.has(before.zone_id, year) for year in years)
        network = activate(before, now, has_pseudonym_keys=has_keys)
        if network is not before:
            await context.put_network(session, network)
            await context.record(
                session,
                actor,
                "change",
                "network.activate",
                zone_id=network.zone_id,
                network_id=network_id,
            )
        return network

    return await context.transaction(work)
