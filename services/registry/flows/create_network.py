"""Create a network, as a draft."""

from dataclasses import dataclass

from services.registry.domain.failures import Conflict, Invalid
from services.registry.domain.network import Area, NetworkRecord
from services.registry.domain.zone import Officer, ZoneRecord
from services.registry.flows.context import Actor, Context
from shared.contracts.base import Language
from shared.contracts.registry import NetworkKind
from shared.mongo import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNetwork:
    """What is asked for; `network_id` is random where it is None."""

    zone_id: str
    network_id: str | None
    name: str
    municipality: str
    kind: NetworkKind
    languages: tuple[Language, ...]
    sender_name: str
    area: Area | None
    officer_id: str | None


async def create_network(context: Context, actor: Actor, new: NewNetwork) -> NetworkRecord:
    """Create a draft. Raises `NotThere` without its zone, `Invalid` without its officer."""
    now = context.clock.now()
    network_id = new.network_id or context.clock.new_id()

    async def work(session: Session) -> NetworkRecord:
        zone = await context.zones.get(new.zone_id, session)
        network = NetworkRecord(
            network_id=network_id,
            zone_id=new.zone_id,
            name=new.name,
            municipality=new.municipality,
            kind=new.kind,
            languages=new.languages,
            sender_name=new.sender_name,
            area=new.area,
            officer=find_officer(zone, new.officer_id),
            created_at=now,
            state_since=now,
        )
        await context.put_network(session, network)
        await context.record(
            session,
            actor,
            "change",
            "network.create",
            zone_id=new.zone_id,
            network_id=network_id,
        )
        return network

    return await context.transaction(work)


def find_officer(zone: ZoneRecord, officer_id: str | None) -> Officer | None:
    """Find the officer who is to mind a network. Raises `Invalid`, `Conflict`."""
    if officer_id is None:
        return None
    officer = zone.officer(officer_id)
    if officer is None:
        raise Invalid(
            "unknown-officer",
            "The zone has no such officer; an admin adds them first.",
            field="officer_id",
        )
    if officer.email is None:
        raise Conflict(
            "officer-without-address",
            "This officer has no e-mail address, so reminders could not reach them.",
            field="officer_id",
        )
    return officer
