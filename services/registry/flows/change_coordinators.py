"""Change who coordinates a network, and tell the officer where nobody does any more."""

from collections.abc import Callable

from services.registry.domain.coordinator import Coordinator
from services.registry.domain.network import NetworkRecord
from services.registry.domain.notice import network_without_coordinator
from services.registry.flows.chase_bulletins import hand_to_officer
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def change_coordinators(
    context: Context,
    actor: Actor,
    network_id: str,
    coordinator_id: str,
    *,
    action: str,
    rule: Callable[[NetworkRecord], NetworkRecord],
    reason: str | None = None,
) -> Coordinator:
    """Apply a rule to a network's coordinators and give the one that it is about."""

    async def work(session: Session) -> Coordinator:
        before = await context.networks.get(network_id, session)
        network = rule(before)
        if network is not before:
            await context.put_network(session, network)
            await tell_if_abandoned(context, session, before, network)
            await context.record(
                session,
                actor,
                "change",
                action,
                zone_id=network.zone_id,
                network_id=network_id,
                address=network.coordinator(coordinator_id).email,
                reason=reason,
            )
        return network.coordinator(coordinator_id)

    return await context.transaction(work)


async def tell_if_abandoned(
    context: Context, session: Session, before: NetworkRecord, after: NetworkRecord
) -> None:
    """Tell the officer of a working network that its last active coordinator went.

    What waits goes to a deputy, who may relay already; without one, to the officer.
    """
    now = context.clock.now()
    if after.state not in {"active", "suspended"}:
        return
    if before.own_coordinators(now) and not after.own_coordinators(now):
        notice = network_without_coordinator(context.clock.new_id(), after, now)
        await context.outbox.add(session, [notice])
    if before.active_coordinators(now) and not after.active_coordinators(now):
        await hand_to_officer(context, session, after)
