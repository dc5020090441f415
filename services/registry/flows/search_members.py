"""Search a network's member list by a part of a name, a number or an address, on record."""

from services.registry.domain.member import MemberRecord
from services.registry.domain.network import NetworkRecord
from services.registry.domain.search import Wanted
from services.registry.flows.context import Actor, Context
from shared.contracts.registry import MemberState
from shared.mongo import Session


async def search_members(
    context: Context,
    actor: Actor,
    network: NetworkRecord,
    wanted: Wanted,
    *,
    state: MemberState | None,
    after: str | None,
    limit: int,
) -> list[MemberRecord]:
    """Give a page of whom the words fit, by name; `after` is the last of the page before.

    What was asked for is on no record, since it is somebody's name. Raises `Invalid`.
    """

    async def work(session: Session) -> list[MemberRecord]:
        network_id = network.network_id
        found = await context.members.listed(
            session, network_id, state, after, limit, wanted=wanted
        )
        await context.record(
            session,
            actor,
            "read",
            "member.search",
            zone_id=network.zone_id,
            network_id=network_id,
            members=found,
        )
        return found

    return await context.transaction(work)
