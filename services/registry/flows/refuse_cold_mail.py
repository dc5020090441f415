"""Refuse cold mail by the link in a mail, in one click; warm messages go on (RFC 8058)."""

from services.registry.domain.member import MemberRecord, refuse_cold
from services.registry.flows.change_member import store_change
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def refuse_cold_mail(context: Context, token: str) -> MemberRecord:
    """Refuse cold messages for whoever holds the link. Raises `NotThere`."""

    async def work(session: Session) -> MemberRecord:
        before = await context.members.by_token("unsubscribe_token", token, session)
        actor = Actor.member(before.member_id)
        return await store_change(
            context, session, actor, before, refuse_cold(before), action="member.refuse_cold"
        )

    return await context.transaction(work)
