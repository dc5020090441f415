"""Dissolve a network for good, and tell its officer and coordinators."""

from services.registry.domain.network import NetworkRecord, dissolve
from services.registry.domain.notice import network_dissolved
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def dissolve_network(
    context: Context, actor: Actor, network_id: str, reason: str
) -> NetworkRecord:
    """Dissolve a network, with a reason. Nothing in it changes afterwards."""

    async def work(session: Session) -> NetworkRecord:
        now = context.clock.now()
        before = await context.networks.get(network_id, session)
        network = dissolve(before, reason, now)
        if network is not before:
            await context.put_network(session, network)
            new_id = context.clock.new_id
            notices = [
                network_dissolved(new_id(), network, "officer", now),
                network_dissolved(new_id(), network, "coordinator", now),
            ]
            await context.outbox.add(session, notices)
            await context.record(
                session,
                actor,
                "change",
                "network.dissolve",
                zone_id=network.zone_id,
                network_id=network_id,
                reason=reason,
            )
        return network

    return await context.transaction(work)
