"""Record why the members of an alert get no feedback: the other way to clear what is due."""

from collections.abc import Sequence

from services.registry.domain.failures import Invalid, NotThere
from services.registry.flows.context import Actor, Context
from services.registry.store.alerts import Due
from shared.mongo import Session


async def waive_feedback(
    context: Context,
    actor: Actor,
    zone_id: str,
    alert_id: str,
    *,
    network_ids: Sequence[str] | None,
    reason: str,
) -> Due:
    """Clear an alert for some networks (None: for all that are due), with the reason.

    Raises `NotThere`, or `Invalid` where a network is none that still waits for feedback.
    """

    async def work(session: Session) -> Due:
        due = await context.alerts.find(zone_id, alert_id, session)
        if due is None:
            raise NotThere
        wanted = due.network_ids if network_ids is None else tuple(network_ids)
        if not set(wanted) <= set(due.network_ids):
            raise Invalid(
                "no-feedback-due",
                "Feedback on this alert is not due in one of these networks; read the list again.",
                field="network_ids",
            )
        if not wanted:
            return due
        now = context.clock.now()
        await context.alerts.waive(
            session, zone_id, alert_id, network_ids=wanted, reason=reason, by=actor.value, at=now
        )
        for network_id in wanted:
            await context.record(
                session,
                actor,
                "bulletin",
                "feedback.waive",
                zone_id=zone_id,
                network_id=network_id,
                message_id=alert_id,
                reason=reason,
            )
        left = tuple(n for n in due.network_ids if n not in wanted)
        return Due(due.alert_id, left, due.status, due.accepted_at)

    return await context.transaction(work)
