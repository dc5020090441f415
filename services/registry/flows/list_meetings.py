"""List the meetings of a network, on record: minutes may name people."""

from services.registry.domain.meeting import Meeting
from services.registry.domain.network import NetworkRecord
from services.registry.flows.context import Actor, Context
from shared.mongo import Session


async def list_meetings(
    context: Context, actor: Actor, network: NetworkRecord, after: str | None, limit: int
) -> list[Meeting]:
    """Give a page, the latest first. Raises `Invalid` for an unknown cursor."""

    async def work(session: Session) -> list[Meeting]:
        found = await context.meetings.listed(session, network.network_id, after, limit)
        await context.record(
            session,
            actor,
            "read",
            "meeting.list",
            zone_id=network.zone_id,
            network_id=network.network_id,
        )
        return found

    return await context.transaction(work)
