"""Publish a network again where time alone changes who may act, or whom others know of.

A deputy's period begins or ends, or a dissolved network's people were told of its end.
"""

from services.registry.domain.notice import network_without_coordinator
from services.registry.flows.chase_bulletins import hand_to_officer
from services.registry.flows.context import Context
from shared.mongo import Session

_MOST = 50


async def turn_deputies(context: Context) -> bool:
    """Publish the networks whose next turn came; tell whether there may be more."""
    found = await context.networks.turned(context.clock.now(), _MOST)
    for network_id in found:
        await _turn(context, network_id)
    return len(found) == _MOST


async def _turn(context: Context, network_id: str) -> None:
    async def work(session: Session) -> None:
        now = context.clock.now()
        before = await context.networks.get(network_id, session)
        network = before.changed()
        await context.put_network(session, network, turned=True)
        if network.state in {"active", "suspended"} and not network.active_coordinators(now):
            notice = network_without_coordinator(context.clock.new_id(), network, now)
            await context.outbox.add(session, [notice])
            await hand_to_officer(context, session, network)
        await context.record(
            session,
            None,
            "change",
            "coordinator.turn",
            zone_id=network.zone_id,
            network_id=network_id,
        )

    await context.transaction(work)
