"""List the meetings of a network."""

from services.registry.domain.meeting import Meeting
from services.registry.flows.context import Context
from shared.mongo import Session


async def list_meetings(
    context: Context, network_id: str, after: str | None, limit: int
) -> list[Meeting]:
    """Give a page, the latest first. Raises `Invalid` for an unknown cursor."""

    async def work(session: Session) -> list[Meeting]:
        return await context.meetings.listed(session, network_id, after, limit)

    return await context.transaction(work)
