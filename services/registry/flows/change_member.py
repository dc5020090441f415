"""Apply a rule to one member, with its event and its record, in one transaction."""

from collections.abc import Awaitable, Callable

from services.registry.domain.member import MemberRecord
from services.registry.flows.context import Actor, Context
from services.registry.flows.leave_steering_group import leave_group_in
from shared.mongo import Session

Rule = Callable[[MemberRecord], MemberRecord]

Also = Callable[[Session, MemberRecord, MemberRecord], Awaitable[None]]
"""Does in the same transaction what follows from the change of a member into another version."""


async def change_member(
    context: Context,
    actor: Actor,
    network_id: str,
    member_id: str,
    *,
    action: str,
    rule: Rule,
    reason: str | None = None,
    also: Also | None = None,
) -> MemberRecord:
    """Change a member of a network. Raises `NotThere`, and what the rule raises."""

    async def work(session: Session) -> MemberRecord:
        before = await context.members.in_network(network_id, member_id, session)
        after = await store_change(
            context, session, actor, before, rule(before), action=action, reason=reason
        )
        if also is not None:
            await also(session, before, after)
        return after

    return await context.transaction(work)


async def store_change(
    context: Context,
    session: Session,
    actor: Actor | None,
    before: MemberRecord,
    after: MemberRecord,
    *,
    action: str,
    reason: str | None = None,
) -> MemberRecord:
    """Store a member's change where there is one; what changes nothing leaves no trace.

    But for who stands in for the coordinators: to them it shows a member, which is a look.
    """
    if after is before:
        if actor is not None and actor.escalation is not None:
            await _look(context, session, actor, before, reason)
        return before
    await context.put_member(session, after)
    if after.state == "left":
        await leave_group_in(context, session, actor, after)
    await context.record(
        session,
        actor,
        "change",
        action,
        zone_id=after.zone_id,
        network_id=after.network_id,
        members=[after],
        reason=reason,
    )
    return after


async def _look(
    context: Context, session: Session, actor: Actor, member: MemberRecord, reason: str | None
) -> None:
    await context.record(
        session,
        actor,
        "read",
        "member.read",
        zone_id=member.zone_id,
        network_id=member.network_id,
        members=[member],
        reason=reason,
    )
