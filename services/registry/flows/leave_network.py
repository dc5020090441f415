"""End a membership: warm and cold stop at once, and the event carries no contact detail."""

from services.registry.domain.member import MemberRecord, leave
from services.registry.flows.change_member import change_member, store_change
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def leave_by_coordinator(
    context: Context, actor: Actor, network_id: str, member_id: str, reason: str | None
) -> MemberRecord:
    """Let a member leave who asked the coordinator. Raises `NotThere`."""
    return await change_member(
        context,
        actor,
        network_id,
        member_id,
        action="member.leave",
        rule=lambda member: leave(member, "coordinator", context.clock.now()),
        reason=reason,
    )


async def leave_by_link(context: Context, token: str) -> MemberRecord:
    """Let whoever holds the link of a mail leave. Raises `NotThere`."""

    async def work(session: Session) -> MemberRecord:
        before = await context.members.by_token("unsubscribe_token", token, session)
        after = leave(before, "link", context.clock.now())
        actor = Actor.member(before.member_id)
        return await store_change(context, session, actor, before, after, action="member.leave")

    return await context.transaction(work)
