"""Take from the dispatcher that everything of a bulletin's release was sent or given up."""

from services.registry.domain.bulletin import note_sent
from services.registry.flows.context import Context
from shared.contracts import MessageClosed
from shared.contracts.base import MessageType
from shared.mongo import Session


async def take_closing(context: Context, session: Session, closed: MessageClosed) -> None:
    """Put it on the bulletin's timeline, once; a later revision adds nothing there."""
    if closed.message_type is not MessageType.BULLETIN or closed.release is None:
        return
    row_id = f"{closed.zone_id}|{closed.message_id}|{closed.release}"
    before = await context.bulletins.find(row_id, session)
    if before is None:
        return
    after = note_sent(before, closed.closed_at)
    if after is before:
        return
    await context.bulletins.replace(session, after)
    await context.record_bulletin(session, None, "bulletin.sent", after)
