"""Take a measure against a member: reprimand, suspend, exclude; or reinstate them."""

from datetime import datetime

from services.registry.domain import discipline
from services.registry.domain.member import MemberRecord
from services.registry.flows.change_member import change_member
from services.registry.flows.context import Actor, Context


async def reprimand_member(
    context: Context, actor: Actor, network_id: str, member_id: str, reason: str
) -> MemberRecord:
    """Put a reprimand on record. Raises `NotThere`, `Conflict`."""
    now = context.clock.now()
    return await change_member(
        context,
        actor,
        network_id,
        member_id,
        action="member.reprimand",
        rule=lambda member: discipline.reprimand(member, reason, _by(actor), now),
        reason=reason,
    )


async def suspend_member(
    context: Context,
    actor: Actor,
    network_id: str,
    member_id: str,
    *,
    reason: str,
    until: datetime,
) -> MemberRecord:
    """Suspend a member until a date. Raises `NotThere`, `Invalid`, `Conflict`."""
    now = context.clock.now()
    return await change_member(
        context,
        actor,
        network_id,
        member_id,
        action="member.suspend",
        rule=lambda member: discipline.suspend(member, reason, _by(actor), now, until),
        reason=reason,
    )


async def reinstate_member(
    context: Context, actor: Actor, network_id: str, member_id: str, reason: str
) -> MemberRecord:
    """End a suspension before its time. Raises `NotThere`, `Conflict`."""
    now = context.clock.now()
    return await change_member(
        context,
        actor,
        network_id,
        member_id,
        action="member.reinstate",
        rule=lambda member: discipline.reinstate(member, reason, _by(actor), now),
        reason=reason,
    )


async def exclude_member(
    context: Context, actor: Actor, network_id: str, member_id: str, reason: str
) -> MemberRecord:
    """Exclude a member for good. Raises `NotThere`."""
    now = context.clock.now()
    return await change_member(
        context,
        actor,
        network_id,
        member_id,
        action="member.exclude",
        rule=lambda member: discipline.exclude(member, reason, _by(actor), now),
        reason=reason,
    )


def _by(actor: Actor) -> str:
    return actor.reader or actor.value
