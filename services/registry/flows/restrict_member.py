"""Restrict the processing of a member's data, or lift that (GDPR, articles 18 and 21)."""

from datetime import date

from services.registry.domain.measure import Ground, Restriction
from services.registry.domain.member import MemberRecord
from services.registry.domain.privacy import lift_restriction, restrict
from services.registry.flows.change_member import change_member
from services.registry.flows.context import Actor, Context


async def restrict_member(
    context: Context,
    actor: Actor,
    network_id: str,
    member_id: str,
    *,
    ground: Ground,
    reason: str,
    asked_on: date,
) -> MemberRecord:
    """Restrict: nothing is sent until it is lifted. Raises `NotThere`, `Invalid`, `Conflict`."""
    restriction = Restriction(
        ground=ground,
        reason=reason,
        by=actor.reader or actor.value,
        at=context.clock.now(),
        asked_on=asked_on,
    )
    return await change_member(
        context,
        actor,
        network_id,
        member_id,
        action="member.restrict",
        rule=lambda member: restrict(member, restriction),
        reason=reason,
    )


async def lift_member_restriction(
    context: Context,
    actor: Actor,
    network_id: str,
    member_id: str,
    *,
    reason: str,
    informed_on: date | None,
) -> MemberRecord:
    """Lift a restriction of which the member was told. Raises `NotThere`, `Invalid`, `Conflict`."""
    now = context.clock.now()
    return await change_member(
        context,
        actor,
        network_id,
        member_id,
        action="member.lift_restriction",
        rule=lambda member: lift_restriction(member, informed_on, now),
        reason=reason,
    )
