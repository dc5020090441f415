"""Let bulletins that nobody relayed or adopted in time end, on record, and tell their officer."""

from services.registry.domain.bulletin import expire
from services.registry.domain.notice import bulletin_expired
from services.registry.flows.context import Context
from shared.mongo import Session

_MOST = 100


async def expire_bulletins(context: Context) -> bool:
    """Expire what waits past its end; tell whether there may be more."""
    found = await context.bulletins.over(context.clock.now(), _MOST)
    for row_id in found:
        await _expire(context, row_id)
    return len(found) == _MOST


async def _expire(context: Context, row_id: str) -> None:
    async def work(session: Session) -> None:
        now = context.clock.now()
        before = await context.bulletins.get(row_id, session)
        after = expire(before, now)
        if after is before:
            return
        await context.bulletins.replace(session, after)
        notice = bulletin_expired(context.clock.new_id(), after, now)
        await context.outbox.add(session, [notice])
        await context.record_bulletin(session, None, "bulletin.expire", after)

    await context.transaction(work)
