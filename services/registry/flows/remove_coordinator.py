"""End somebody's coordinating, with the reason."""

from services.registry.domain.coordinator import Coordinator, Removal
from services.registry.domain.network import remove
from services.registry.flows.change_coordinators import change_coordinators
from services.registry.flows.context import Actor, Context


async def remove_coordinator(
    context: Context, actor: Actor, network_id: str, coordinator_id: str, removal: Removal
) -> Coordinator:
    """Remove a coordinator; they have three weeks to appeal. Raises `NotThere`."""
    return await change_coordinators(
        context,
        actor,
        network_id,
        coordinator_id,
        action="coordinator.remove",
        rule=lambda network: remove(network, coordinator_id, removal),
        reason=removal.reason,
    )
