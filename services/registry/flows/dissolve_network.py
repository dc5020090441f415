"""Dissolve a network for good: tell its officer and coordinators, and end what is open in it."""

from services.registry.domain.bulletin import withdraw_with_network
from services.registry.domain.network import NetworkRecord, dissolve
from services.registry.domain.notice import network_dissolved
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def dissolve_network(
    context: Context, actor: Actor, network_id: str, reason: str
) -> NetworkRecord:
    """Dissolve a network, with a reason. Nothing in it changes afterwards.

    Its members get no message any more, what waited is withdrawn on record, and its retention
    runs from `state_since`.
    """

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
            await _withdraw_open(context, session, network)
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


async def _withdraw_open(context: Context, session: Session, network: NetworkRecord) -> None:
    now = context.clock.now()
    for before in await context.bulletins.open_in(session, network.network_id):
        after = withdraw_with_network(before, now)
        await context.bulletins.replace(session, after)
        await context.record_bulletin(session, None, "bulletin.withdraw", after)
