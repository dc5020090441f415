"""Take accepted alerts from the verdicts: each owes its members feedback."""

from services.registry.flows.context import Context
from shared.contracts import Verdict
from shared.contracts.base import AlertKind, MessageType, Status
from shared.contracts.dispatcher import VerdictKind
from shared.mongo import Session


async def take_verdict(context: Context, session: Session, verdict: Verdict) -> None:
    """Note an accepted alert; updates, all-clears and tests owe nothing of their own."""
    if (
        verdict.verdict is not VerdictKind.ACCEPTED
        or verdict.message_type is not MessageType.ALERT
        or verdict.kind != AlertKind.ALERT
        or verdict.status is Status.TEST
        or verdict.zone_id is None
        or verdict.message_id is None
    ):
        return
    await context.alerts.accept(
        session,
        verdict.zone_id,
        verdict.message_id,
        network_ids=verdict.network_ids,
        status=str(verdict.status),
        at=verdict.judged_at,
    )
