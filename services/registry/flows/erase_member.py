"""Erase a person: here at once, and everywhere by way of `bin.erasures` (GDPR, article 17)."""

from services.registry.domain.failures import NotThere
from services.registry.domain.member import MemberRecord
from services.registry.domain.privacy import Erased, ErasedBecause, erase
from services.registry.flows.context import Actor, Context
from services.registry.flows.leave_steering_group import leave_group_in
from shared.contracts import Erasure
from shared.mongo import Session


async def erase_member(
    context: Context, actor: Actor, network_id: str, member_id: str, reason: str | None
) -> Erased:
    """Erase a member of a network; again changes nothing. Raises `NotThere`."""

    async def work(session: Session) -> Erased:
        already = await context.erasures.find(member_id, session)
        if already is not None and already.network_id == network_id:
            return already
        if already is not None:
            raise NotThere
        member = await context.members.in_network(network_id, member_id, session)
        return await erase_in(context, session, actor, member, because="request", reason=reason)

    return await context.transaction(work)


async def erase_in(
    context: Context,
    session: Session,
    actor: Actor | None,
    member: MemberRecord,
    *,
    because: ErasedBecause,
    reason: str | None = None,
) -> Erased:
    """Erase a member in the caller's transaction; `actor` is None where their time was over."""
    erased = erase(member, because, context.clock.now())
    await context.members.remove(session, member)
    await leave_group_in(context, session, actor, member)
    await context.erasures.add(session, erased)
    order = erased.event(context.clock.new_id())
    await context.outbox.add(session, [erased.last_state(member.network_id), order])
    await context.record(
        session,
        actor,
        "erasure",
        "member.erase",
        zone_id=member.zone_id,
        network_id=member.network_id,
        members=[_nameless(member)],
        reason=reason,
    )
    return erased


async def apply_erasure(context: Context, session: Session, order: Erasure) -> None:
    """Take an erasure from its topic: somebody whom a backup brought back is erased again.

    What was published of them meanwhile is overwritten too, since a compacted topic keeps it.
    """
    member = await context.members.find(order.member_id, session)
    known = await context.erasures.find(order.member_id, session)
    if member is not None and member.zone_id != order.zone_id:
        return
    if member is not None:
        erased = erase(member, "request", order.erased_at)
        await context.members.remove(session, member)
        await leave_group_in(context, session, None, member)
        await context.erasures.add(session, erased)
        await context.outbox.add(session, [erased.last_state(member.network_id)])
    elif known is None:
        await context.erasures.add(session, _from_order(order))
    await context.record_erasure(session, order)


def _from_order(order: Erasure) -> Erased:
    return Erased(
        member_id=order.member_id,
        zone_id=order.zone_id,
        network_id=None,
        joined_at=None,
        left_at=None,
        erased_at=order.erased_at,
        because="request",
        version=1,
    )


def _nameless(member: MemberRecord) -> MemberRecord:
    """Leave out the destination: its pseudonym has no place in the record of its erasure."""
    return member.model_copy(update={"phone": None, "email": None})
