"""Suggest a bulletin, as the municipality of a network: a tip of its prevention service."""

from services.registry.domain.bulletin import BulletinRecord, Step, check_suggestion
from services.registry.domain.notice import bulletin_suggested
from services.registry.flows.context import Actor, Context
from services.registry.flows.write_bulletin import NewBulletin, check_new
from shared.contracts.base import BulletinKind, Status
from shared.contracts.police import BULLETIN_LIFE
from shared.mongo import Session

ISSUER = "municipality-{nis}"
"""Who a tip is from, until an officer answers for it."""


async def suggest_bulletin(
    context: Context, subject: str, network_id: str, new: NewBulletin
) -> BulletinRecord:
    """Store a tip and tell the network's officer, who adopts or declines it.

    Raises `Invalid` naming the field, `Conflict` where the network is not active.
    """
    now = context.clock.now()
    check_new(new, now, kind=BulletinKind.PREVENTION)
    bulletin_id = context.clock.new_id()

    async def work(session: Session) -> BulletinRecord:
        network = await context.networks.get(network_id, session)
        check_suggestion(network)
        tip = BulletinRecord(
            bulletin_id=bulletin_id,
            zone_id=network.zone_id,
            network_id=network_id,
            kind=new.kind,
            references=None,
            status=Status.ACTUAL,
            subject=new.subject,
            body=new.body,
            origin="municipality",
            issued_by=ISSUER.format(nis=network.municipality),
            issued_at=now,
            expires_at=new.expires_at or now + BULLETIN_LIFE,
            state="suggested",
            timeline=(Step(what="suggested", at=now, by=subject),),
        )
        await context.bulletins.add(session, tip)
        notice = bulletin_suggested(context.clock.new_id(), tip, now)
        await context.outbox.add(session, [notice])
        actor = Actor.subject(subject)
        await context.record_bulletin(session, actor, "bulletin.suggest", tip)
        return tip

    return await context.transaction(work)
