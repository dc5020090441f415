"""Take a measure against a member: reprimand, suspend, exclude; or reinstate them."""

from collections.abc import Callable
from datetime import datetime

from services.registry.domain import discipline
from services.registry.domain.member import MemberRecord
from services.registry.flows.change_member import change_member
from services.registry.flows.context import Actor, Context

_Rule = Callable[[MemberRecord, str, str, datetime], MemberRecord]
"""Of a member, the reason, who decided, and now."""


async def reprimand_member(
    context: Context, actor: Actor, network_id: str, member_id: str, reason: str
) -> MemberRecord:
    """Put a reprimand on record. Raises `NotThere`, `Conflict`."""
    of = (network_id, member_id)
    return await _take(
        context, actor, of, action="member.reprimand", reason=reason, rule=discipline.reprimand
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

    def rule(member: MemberRecord, why: str, by: str, now: datetime) -> MemberRecord:
        return discipline.suspend(member, why, by, now, until)

    return await _take(
        context, actor, (network_id, member_id), action="member.suspend", reason=reason, rule=rule
    )


async def reinstate_member(
    context: Context, actor: Actor, network_id: str, member_id: str, reason: str
) -> MemberRecord:
    """End a suspension before its time. Raises `NotThere`, `Conflict`."""
    of = (network_id, member_id)
    return await _take(
        context, actor, of, action="member.reinstate", reason=reason, rule=discipline.reinstate
    )


async def exclude_member(
    context: Context, actor: Actor, network_id: str, member_id: str, reason: str
) -> MemberRecord:
    """Exclude a member for good. Raises `NotThere`."""
    of = (network_id, member_id)
    return await _take(
        context, actor, of, action="member.exclude", reason=reason, rule=discipline.exclude
    )


async def _take(
    context: Context,
    actor: Actor,
    of: tuple[str, str],
    *,
    action: str,
    reason: str,
    rule: _Rule,
) -> MemberRecord:
    """Apply a measure to the member of a network (`of`), its reason on record."""
    by, now = actor.reader or actor.value, context.clock.now()
    return await change_member(
        context,
        actor,
        *of,
        action=action,
        rule=lambda member: rule(member, reason, by, now),
        reason=reason,
    )
