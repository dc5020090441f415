"""Record that a member accepted the house rules: by their own link, or on paper."""

from services.registry.domain.member import Acceptance, MemberRecord, accept, ask_newer
from services.registry.domain.network import check_alive
from services.registry.domain.notice import confirm_membership
from services.registry.flows.change_member import store_change
from services.registry.flows.context import Actor, Context
from services.registry.flows.create_member import (
    Paper,
    current_house_rules,
    notify_newer,
    paper_acceptance,
)
from shared.mongo import Session


async def accept_on_paper(
    context: Context, actor: Actor, network_id: str, member_id: str, paper: Paper
) -> MemberRecord:
    """Record a signed paper. Raises `NotThere`, `Invalid`, `Conflict`."""

    async def work(session: Session) -> MemberRecord:
        network = await context.networks.get(network_id, session)
        check_alive(network)
        member = await context.members.in_network(network_id, member_id, session)
        signed = await paper_acceptance(context, session, actor, network, paper)
        current = current_house_rules(network)
        return await _store(context, session, actor, member, signed, current=current)

    return await context.transaction(work)


async def accept_by_link(
    context: Context, token: str, version: int, *, adult: bool
) -> MemberRecord:
    """Record an acceptance by whoever holds the link, of the version that the page showed.

    Where newer house rules came since, nothing is recorded: the page is to be read again; nor
    where a newcomer does not say that they are an adult. Raises `NotThere`, `Conflict`.
    """

    async def work(session: Session) -> MemberRecord:
        member = await context.members.by_token("accept_token", token, session)
        network = await context.networks.get(member.network_id, session)
        check_alive(network)
        current = current_house_rules(network)
        if version != current or (member.state == "pending" and not adult):
            return member
        accepted = Acceptance(how="link", version=current, at=context.clock.now())
        actor = Actor.member(member.member_id)
        return await _store(context, session, actor, member, accepted, current=current)

    return await context.transaction(work)


async def _store(
    context: Context,
    session: Session,
    actor: Actor,
    before: MemberRecord,
    acceptance: Acceptance,
    *,
    current: int,
) -> MemberRecord:
    accepted = accept(before, acceptance)
    after = accepted if accepted is before else ask_newer(accepted, current)
    await store_change(context, session, actor, before, after, action="member.accept")
    await notify_newer(context, session, accepted, after)
    if after is not before and before.state == "pending":
        notice = confirm_membership(context.clock.new_id(), after, context.clock.now())
        await context.outbox.add(session, [notice])
    return after
