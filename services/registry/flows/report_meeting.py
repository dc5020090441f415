"""Note a meeting's attendance and minutes, for the yearly evaluation."""

from services.registry.domain.failures import Stale
from services.registry.domain.meeting import Meeting, report
from services.registry.domain.network import check_alive
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def report_meeting(
    context: Context,
    actor: Actor,
    network_id: str,
    meeting_id: str,
    *,
    version: int,
    attendance: int | None,
    minutes: str | None,
) -> Meeting:
    """Change the version that the caller read. Raises `Stale`, `NotThere`, `Conflict`."""

    async def work(session: Session) -> Meeting:
        network = await context.networks.get(network_id, session)
        check_alive(network)
        before = await context.meetings.in_network(network_id, meeting_id, session)
        if before.version != version:
            raise Stale
        after = report(before, attendance, minutes, context.clock.now())
        if after is not before:
            await context.meetings.replace(session, after)
            await context.record(
                session,
                actor,
                "change",
                "meeting.report",
                zone_id=network.zone_id,
                network_id=network_id,
                message_id=after.bulletin_id,
            )
        return after

    return await context.transaction(work)
