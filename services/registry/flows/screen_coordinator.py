"""Record that the police screened a coordinator: who, when and the outcome."""

from services.registry.domain.coordinator import Coordinator, Screening
from services.registry.domain.network import screen
from services.registry.flows.change_coordinators import change_coordinators
from services.registry.flows.context import Actor, Context


async def screen_coordinator(
    context: Context, actor: Actor, network_id: str, coordinator_id: str, screening: Screening
) -> Coordinator:
    """Record a screening; the latest counts. Raises `NotThere`, `Conflict`."""
    return await change_coordinators(
        context,
        actor,
        network_id,
        coordinator_id,
        action="coordinator.screen",
        rule=lambda network: screen(network, coordinator_id, screening),
    )
