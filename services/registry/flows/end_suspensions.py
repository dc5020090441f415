"""Let suspensions whose time is over end by themselves, on record."""

from services.registry.domain.discipline import end_suspension
from services.registry.flows.change_member import store_change
from services.registry.flows.context import Context
from shared.mongo import Session

_MOST = 100


async def end_suspensions(context: Context) -> bool:
    """End what is over; tell whether there may be more."""
    found = await context.members.suspended_till(context.clock.now(), _MOST)
    for member_id in found:
        await _end(context, member_id)
    return len(found) == _MOST


async def _end(context: Context, member_id: str) -> None:
    async def work(session: Session) -> None:
        before = await context.members.find(member_id, session)
        if before is None:
            return
        after = end_suspension(before, context.clock.now())
        await store_change(context, session, None, before, after, action="member.suspension_ends")

    await context.transaction(work)
