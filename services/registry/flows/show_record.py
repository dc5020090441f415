"""Give everything that is held on a member, on record (GDPR, article 15)."""

from dataclasses import dataclass

from services.registry.domain.member import MemberRecord
from services.registry.domain.network import NetworkRecord
from services.registry.domain.zone import ZoneRecord
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


@dataclass(frozen=True, slots=True)
class Held:
    """A member, with the network and zone that the record names."""

    member: MemberRecord
    network: NetworkRecord
    zone: ZoneRecord


async def show_record(context: Context, actor: Actor, network_id: str, member_id: str) -> Held:
    """Give what is held on a member. Raises `NotThere`."""

    async def work(session: Session) -> Held:
        member = await context.members.in_network(network_id, member_id, session)
        network = await context.networks.get(network_id, session)
        zone = await context.zones.get(network.zone_id, session)
        await context.record(
            session,
            actor,
            "export",
            "member.record",
            zone_id=member.zone_id,
            network_id=network_id,
            members=[member],
        )
        return Held(member, network, zone)

    return await context.transaction(work)
