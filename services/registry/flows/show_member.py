"""Show one member, on record."""

from services.registry.domain.member import MemberRecord
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def show_member(
    context: Context, actor: Actor, network_id: str, member_id: str
) -> MemberRecord:
    """Give a member of a network. Raises `NotThere`."""

    async def work(session: Session) -> MemberRecord:
        member = await context.members.in_network(network_id, member_id, session)
        await context.record(
            session,
            actor,
            "read",
            "member.read",
            zone_id=member.zone_id,
            network_id=network_id,
            members=[member],
        )
        return member

    return await context.transaction(work)
