"""List a network's members by name, on record."""

from services.registry.domain.member import MemberRecord
from services.registry.domain.network import NetworkRecord
from services.registry.flows.context import Actor, Context
from shared.contracts.registry import MemberState
from shared.mongo import Session


async def list_members(
    context: Context,
    actor: Actor,
    network: NetworkRecord,
    *,
    state: MemberState | None,
    after: str | None,
    limit: int,
) -> list[MemberRecord]:
    """Give a page of the member list; `after` is the last member of the page before."""

    async def work(session: Session) -> list[MemberRecord]:
        members = await context.members.listed(session, network.network_id, state, after, limit)
        await context.record(
            session,
            actor,
            "read",
            "member.list",
            zone_id=network.zone_id,
            network_id=network.network_id,
            members=members,
        )
        return members

    return await context.transaction(work)
