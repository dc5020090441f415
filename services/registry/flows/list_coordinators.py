"""List a network's coordinators, on record."""

from services.registry.domain.coordinator import Coordinator
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def list_coordinators(
    context: Context, actor: Actor, network_id: str
) -> tuple[Coordinator, ...]:
    """Give everyone who is or was a coordinator or deputy of a network."""

    async def work(session: Session) -> tuple[Coordinator, ...]:
        network = await context.networks.get(network_id, session)
        await context.record(
            session,
            actor,
            "read",
            "coordinator.list",
            zone_id=network.zone_id,
            network_id=network_id,
        )
        return network.coordinators

    return await context.transaction(work)
