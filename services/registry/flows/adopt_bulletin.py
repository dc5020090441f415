"""Adopt a municipality's tip, edited: from then on it waits for the coordinator."""

from services.registry.domain.bulletin import BulletinRecord, Edit, adopt
from services.registry.domain.failures import Conflict
from services.registry.domain.network import check_alive
from services.registry.flows.chase_bulletins import put_in_relay
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def adopt_bulletin(
    context: Context, subject: str, network_id: str, bulletin_id: str, edit: Edit
) -> BulletinRecord:
    """Adopt a tip as a mandated officer of the zone.

    Raises `NotThere`, `Invalid`, or `Conflict`, also for police who are no mandated officer: it is
    the officer who answers for what is spread.
    """

    async def work(session: Session) -> BulletinRecord:
        now = context.clock.now()
        network = await context.networks.get(network_id, session)
        check_alive(network)
        before = await context.bulletins.in_network(network_id, bulletin_id, session)
        zone = await context.zones.get(network.zone_id, session)
        officer = zone.officer_of(subject)
        if officer is None:
            raise Conflict(
                "no-officer",
                "A mandated officer of the zone adopts a tip; an admin adds officers.",
            )
        after = adopt(
            before, officer.officer_id, edit, by=subject, now=now, times=context.policy.relay
        )
        actor = Actor.subject(subject)
        await put_in_relay(context, session, after, network, actor=actor, action="bulletin.adopt")
        return await context.bulletins.get(after.row_id, session)

    return await context.transaction(work)
