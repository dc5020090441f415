"""Name the members of a network's steering group, and show them."""

from services.registry.domain.failures import Invalid, Stale
from services.registry.domain.member import MemberRecord
from services.registry.domain.network import NetworkRecord, set_steering_group
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def name_steering_group(
    context: Context,
    actor: Actor,
    network_id: str,
    member_ids: tuple[str, ...],
    *,
    version: int,
) -> tuple[NetworkRecord, list[MemberRecord]]:
    """Name the steering group from the network's active members; `version` is the network's.

    Raises `Invalid` where somebody is no active member of this network, `Stale`, `Conflict`.
    """

    async def work(session: Session) -> tuple[NetworkRecord, list[MemberRecord]]:
        before = await context.networks.get(network_id, session)
        members = await _active(context, session, network_id, member_ids)
        if {member.member_id for member in members} != set(member_ids):
            raise Invalid(
                "not-a-member",
                "A steering group is made of active members of this network.",
                field="member_ids",
            )
        if before.version != version:
            raise Stale
        network = set_steering_group(before, member_ids)
        if network is not before:
            await context.put_network(session, network)
            await context.record(
                session,
                actor,
                "change",
                "network.steering_group",
                zone_id=network.zone_id,
                network_id=network_id,
                members=members,
            )
        return network, members

    return await context.transaction(work)


async def show_steering_group(
    context: Context, actor: Actor, network_id: str
) -> tuple[NetworkRecord, list[MemberRecord]]:
    """Give who is in the steering group, on record; who left or is suspended is not shown."""

    async def work(session: Session) -> tuple[NetworkRecord, list[MemberRecord]]:
        network = await context.networks.get(network_id, session)
        members = await _active(context, session, network_id, network.steering_group)
        await context.record(
            session,
            actor,
            "read",
            "steering_group.read",
            zone_id=network.zone_id,
            network_id=network_id,
            members=members,
        )
        return network, members

    return await context.transaction(work)


async def _active(
    context: Context, session: Session, network_id: str, member_ids: tuple[str, ...]
) -> list[MemberRecord]:
    found = await context.members.many(session, list(member_ids))
    there = {m.member_id: m for m in found if m.network_id == network_id and m.state == "active"}
    return [there[member_id] for member_id in dict.fromkeys(member_ids) if member_id in there]
