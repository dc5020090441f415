"""Take somebody into a network: pending until they accept the house rules themselves."""

from dataclasses import dataclass
from datetime import date

from services.registry.domain import contact
from services.registry.domain.days import day_of
from services.registry.domain.documents import version_on
from services.registry.domain.failures import Conflict, Invalid
from services.registry.domain.member import Acceptance, MemberRecord, Tie, ask_newer
from services.registry.domain.network import NetworkRecord, check_alive
from services.registry.domain.notice import ask_acceptance, house_rules_changed
from services.registry.flows.context import Actor, Context
from shared.contracts.base import Language
from shared.contracts.registry import MemberKind
from shared.mongo import Session


@dataclass(frozen=True, slots=True)
class Paper:
    """House rules signed on paper: when, and who saw it."""

    signed_on: date
    witness: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """What is known of a newcomer; `phone` and `email` as they were written."""

    name: str
    kind: MemberKind
    tie: Tie
    language: Language
    phone: str | None
    email: str | None
    paper: Paper | None


async def create_member(
    context: Context, actor: Actor, network_id: str, new: NewMember
) -> MemberRecord:
    """Add a member, and mail them their acceptance link unless they signed on paper.

    Raises `Invalid` naming the field, `Conflict` where the number is in the network already.
    """
    now = context.clock.now()
    phone = None if new.phone is None else contact.phone(new.phone)
    email = None if new.email is None else contact.email(new.email)
    contact.check_reachable(phone, email)
    ids = (context.clock.new_id(), context.clock.token(), context.clock.token())

    async def work(session: Session) -> MemberRecord:
        network = await context.networks.get(network_id, session)
        check_alive(network)
        paper = new.paper
        signed = None
        if paper is not None:
            signed = await paper_acceptance(context, session, actor, network, paper)
        member_id, unsubscribe_token, accept_token = ids
        joined = MemberRecord(
            member_id=member_id,
            zone_id=network.zone_id,
            network_id=network_id,
            state="pending" if signed is None else "active",
            kind=new.kind,
            tie=new.tie,
            name=new.name,
            language=new.language,
            phone=None if phone is None else phone.e164,
            phone_kind=None if phone is None else phone.kind,
            email=email,
            acceptance=signed,
            unsubscribe_token=unsubscribe_token,
            accept_token=accept_token,
            created_at=now,
        )
        member = ask_newer(joined, network.documents.get("house_rules", 0))
        await context.put_member(session, member)
        await notify_newer(context, session, joined, member)
        await ask(context, session, network, member)
        await context.record(
            session,
            actor,
            "change",
            "member.create",
            zone_id=network.zone_id,
            network_id=network_id,
            members=[member],
        )
        return member

    return await context.transaction(work)


async def ask(
    context: Context, session: Session, network: NetworkRecord, member: MemberRecord
) -> None:
    """Mail somebody who is pending their acceptance link, where there are rules to accept."""
    if member.state == "pending" and "house_rules" in network.documents:
        new_id, now = context.clock.new_id(), context.clock.now()
        await context.outbox.add(session, [ask_acceptance(new_id, member, now)])


async def ask_again(context: Context, session: Session, member: MemberRecord) -> None:
    """Mail the link to house rules that somebody has not accepted yet, if there are any."""
    network = await context.networks.get(member.network_id, session)
    await ask(context, session, network, member)
    if member.asked_rules is not None:
        new_id, now = context.clock.new_id(), context.clock.now()
        notice = house_rules_changed(new_id, member, member.asked_rules, now)
        await context.outbox.add(session, [notice])


def current_house_rules(network: NetworkRecord) -> int:
    """Give the version that is to be accepted. Raises `Conflict` where there is none yet."""
    version = network.documents.get("house_rules")
    if version is None:
        raise Conflict(
            "no-house-rules",
            "The network has no house rules yet; its coordinator adds them first.",
        )
    return version


async def notify_newer(
    context: Context, session: Session, before: MemberRecord, after: MemberRecord
) -> None:
    """Mail who signed older house rules the link to the current ones."""
    if after is not before and after.asked_rules is not None:
        new_id, now = context.clock.new_id(), context.clock.now()
        await context.outbox.add(
            session, [house_rules_changed(new_id, after, after.asked_rules, now)]
        )


async def paper_acceptance(
    context: Context, session: Session, actor: Actor, network: NetworkRecord, paper: Paper
) -> Acceptance:
    """Describe an acceptance on paper, of the house rules that held on the day of signing.

    Raises `Invalid`, `Conflict`.
    """
    now = context.clock.now()
    if paper.signed_on > day_of(now):
        raise Invalid(
            "signed-in-future", "The paper cannot have been signed after today.", field="signed_on"
        )
    current_house_rules(network)
    versions = await context.documents.versions(network.network_id, "house_rules", session)
    version = version_on(versions, paper.signed_on)
    if version is None:
        raise Invalid(
            "paper-before-rules",
            "The paper was signed before the first house rules held. Correct the date, or add the "
            "house rules with the day from which they held.",
            field="signed_on",
        )
    return Acceptance(
        how="paper",
        version=version,
        at=now,
        signed_on=paper.signed_on,
        witness=paper.witness,
        recorded_by=actor.reader,
    )
