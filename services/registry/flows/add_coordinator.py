"""Add a coordinator, whom the police have yet to screen."""

from services.registry.domain.coordinator import Coordinator
from services.registry.domain.network import add_coordinator as with_coordinator
from services.registry.flows.change_coordinators import change_coordinators
from services.registry.flows.context import Actor, Context


async def add_coordinator(
    context: Context, actor: Actor, network_id: str, newcomer: Coordinator
) -> Coordinator:
    """Add a coordinator or co-coordinator. Raises `Conflict`."""
    return await change_coordinators(
        context,
        actor,
        network_id,
        newcomer.coordinator_id,
        action="coordinator.add",
        rule=lambda network: with_coordinator(network, newcomer),
    )
