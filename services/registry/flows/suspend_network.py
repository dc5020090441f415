"""Suspend a network: its members get no messages until it is active again."""

from services.registry.domain.network import NetworkRecord, suspend
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def suspend_network(
    context: Context, actor: Actor, network_id: str, reason: str
) -> NetworkRecord:
    """Suspend an active network, with a reason. Raises `Conflict`."""

    async def work(session: Session) -> NetworkRecord:
        before = await context.networks.get(network_id, session)
        network = suspend(before, reason, context.clock.now())
        if network is not before:
            await context.put_network(session, network)
            await context.record(
                session,
                actor,
                "change",
                "network.suspend",
                zone_id=network.zone_id,
                network_id=network_id,
                reason=reason,
            )
        return network

    return await context.transaction(work)
