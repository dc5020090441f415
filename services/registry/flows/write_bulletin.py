"""Write a coordinator's own bulletin: to the own network, released at once."""

from dataclasses import dataclass
from datetime import datetime

from services.registry.domain.bulletin import BulletinRecord, Step, release
from services.registry.domain.coordinator import Coordinator
from services.registry.domain.failures import Invalid, NotThere
from services.registry.domain.network import NetworkRecord
from services.registry.flows.context import Actor, Context
from services.registry.flows.relay_bulletin import publish_release
from shared.contracts.base import BulletinKind, Language, Status
from shared.contracts.police import BULLETIN_LIFE
from shared.mongo import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBulletin:
    """What a coordinator writes, or a municipality suggests."""

    kind: BulletinKind
    subject: dict[Language, str]
    body: dict[Language, str]
    expires_at: datetime | None
    attachment: str | None = None


async def write_bulletin(
    context: Context, subject: str, network_id: str, new: NewBulletin
) -> BulletinRecord:
    """Write and release an `organisation` bulletin; only the police write about crime.

    Raises `Invalid` naming the field, `Conflict`.
    """
    check_new(new, context.clock.now(), kind=BulletinKind.ORGANISATION)
    bulletin_id = context.clock.new_id()

    async def work(session: Session) -> BulletinRecord:
        return await send_own(
            context,
            session,
            new,
            subject=subject,
            network_id=network_id,
            bulletin_id=bulletin_id,
        )

    return await context.transaction(work)


async def send_own(
    context: Context,
    session: Session,
    new: NewBulletin,
    *,
    subject: str,
    network_id: str,
    bulletin_id: str,
) -> BulletinRecord:
    """Store and release a checked bulletin in the caller's transaction."""
    now = context.clock.now()
    network = await context.networks.get(network_id, session)
    author = _author(network, subject, now)
    draft = BulletinRecord(
        bulletin_id=bulletin_id,
        zone_id=network.zone_id,
        network_id=network_id,
        kind=new.kind,
        references=None,
        status=Status.ACTUAL,
        subject=new.subject,
        body=new.body,
        attachment=new.attachment,
        origin="coordinator",
        issued_by=author.coordinator_id,
        issued_at=now,
        expires_at=new.expires_at or now + BULLETIN_LIFE,
        timeline=(Step(what="written", at=now, by=subject),),
    )
    bulletin = release(draft, network, subject, now)
    await context.bulletins.add(session, bulletin)
    await publish_release(context, session, Actor.subject(subject), bulletin)
    return bulletin


def _author(network: NetworkRecord, subject: str, now: datetime) -> Coordinator:
    for person in network.active_coordinators(now):
        if person.subject == subject:
            return person
    raise NotThere


_YOUR_KIND = {
    BulletinKind.ORGANISATION: "A coordinator writes only `organisation` bulletins; the police "
    "write the others.",
    BulletinKind.PREVENTION: "A municipality suggests only `prevention` bulletins; the police "
    "write the others.",
}


def check_new(new: NewBulletin, now: datetime, *, kind: BulletinKind) -> None:
    """Raise `Invalid` for another kind than one's own, and for what cannot be sent."""
    if new.kind is not kind:
        raise Invalid("not-your-kind", _YOUR_KIND[kind], field="kind")
    if set(new.subject) != set(new.body):
        raise Invalid(
            "languages-differ", "Subject and body must have the same languages.", field="body"
        )
    if new.expires_at is not None and new.expires_at <= now:
        raise Invalid("already-over", "`expires_at` must lie ahead.", field="expires_at")
