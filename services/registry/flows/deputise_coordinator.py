"""Let a deputy stand in for a coordinator from one date to another."""

from services.registry.domain.coordinator import Coordinator
from services.registry.domain.network import deputise
from services.registry.flows.change_coordinators import change_coordinators
from services.registry.flows.context import Actor, Context


async def deputise_coordinator(
    context: Context, actor: Actor, network_id: str, deputy: Coordinator
) -> Coordinator:
    """Add a deputy, who is screened like any coordinator. Raises `NotThere`, `Invalid`, ..."""
    return await change_coordinators(
        context,
        actor,
        network_id,
        deputy.coordinator_id,
        action="coordinator.deputise",
        rule=lambda network: deputise(network, deputy, context.clock.now()),
    )
