"""Count an accepted warm message for the figures."""

from services.registry.flows.context import Context
from shared.contracts import Verdict
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import VerdictKind
from shared.mongo import Session


async def count_alert(context: Context, session: Session, verdict: Verdict) -> None:
    """Note an accepted alert, update or all-clear, and whether it was a test."""
    if (
        verdict.verdict is VerdictKind.ACCEPTED
        and verdict.message_type is MessageType.ALERT
        and verdict.zone_id is not None
        and verdict.message_id is not None
    ):
        await context.figures.note_alert(session, verdict)
