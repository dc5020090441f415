"""Remind officers of alerts on which members wait for feedback."""

from services.registry.domain.notice import feedback_due
from services.registry.flows.context import Context
from shared.mongo import Session

_MOST = 50


async def remind_feedback(context: Context) -> bool:
    """Remind once of what is due for long; tell whether there may be more."""
    before = context.clock.now() - context.policy.feedback_after
    found = await context.alerts.overdue(before, _MOST)
    for zone_id, alert_id in found:
        await _remind(context, zone_id, alert_id)
    return len(found) == _MOST


async def _remind(context: Context, zone_id: str, alert_id: str) -> None:
    """Write to each officer once, however many of their networks are concerned."""

    async def work(session: Session) -> None:
        now = context.clock.now()
        due = await context.alerts.find(zone_id, alert_id, session)
        if due is None or not await context.alerts.reminded(session, zone_id, alert_id, now):
            return
        told: set[str | None] = set()
        for network in await context.networks.many(list(due.network_ids), session):
            officer_id = None if network.officer is None else network.officer.officer_id
            if officer_id in told:
                continue
            told.add(officer_id)
            of = (zone_id, network.network_id)
            notice = feedback_due(context.clock.new_id(), of, alert_id, now)
            await context.outbox.add(session, [notice])

    await context.transaction(work)
