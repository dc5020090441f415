"""Take from the audit service that its log holds everything that was sent of a release."""

from services.registry.domain.bulletin import note_recorded
from services.registry.flows.context import Context
from shared.contracts import Replay
from shared.mongo import Session


async def take_answer(context: Context, session: Session, answer: Replay) -> None:
    """Put an agreement on the bulletin's timeline, once; whatever else it asks is the sender's."""
    if answer.answer != "agreed" or answer.release is None:
        return
    row_id = f"{answer.zone_id}|{answer.message_id}|{answer.release}"
    before = await context.bulletins.find(row_id, session)
    if before is None:
        return
    after = note_recorded(before, answer.answered_at)
    if after is before:
        return
    await context.bulletins.replace(session, after)
    await context.record_bulletin(session, None, "bulletin.recorded", after)
