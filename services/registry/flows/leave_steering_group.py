"""Take whoever leaves a network, or is erased, out of its steering group."""

from services.registry.domain.member import MemberRecord
from services.registry.domain.network import leave_steering_group
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def leave_group_in(
    context: Context, session: Session, actor: Actor | None, member: MemberRecord
) -> None:
    """Do so in the caller's transaction, in a dissolved network too; its event names nobody."""
    before = await context.networks.get(member.network_id, session)
    network = leave_steering_group(before, member.member_id)
    if network is before:
        return
    await context.put_network(session, network)
    await context.record(
        session,
        actor,
        "change",
        "steering_group.leave",
        zone_id=network.zone_id,
        network_id=network.network_id,
    )
