"""Give a network's member list as rows, on record."""

from services.registry.domain.member import MemberRecord
from services.registry.domain.network import NetworkRecord
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def export_members(
    context: Context, actor: Actor, network: NetworkRecord
) -> tuple[list[MemberRecord], int]:
    """Give all members who are in the network, and how many others are left out.

    Left out is whose processing is restricted: it is stored and nothing else (GDPR, article 18(2)).
    """

    async def work(session: Session) -> tuple[list[MemberRecord], int]:
        everyone = await context.members.everyone(session, network.network_id)
        given = [member for member in everyone if not member.restricted]
        await context.record_many(
            session, actor, "export", "member.export", network=network, members=given
        )
        return given, len(everyone) - len(given)

    return await context.transaction(work)
