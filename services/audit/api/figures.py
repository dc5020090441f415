"""`/v1/stats` and `/v1/access`: how much was sent, and who read what."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.audit.api.scope import (
    DEFAULT_LIMIT,
    Counter,
    Cursor,
    Limit,
    Reader,
    Wired,
    ZoneQuery,
    own_zone,
    readable_log,
)
from services.audit.api.views import FullEntryView, Page, full_view
from shared.access import Role, not_found

router = APIRouter(tags=["figures"])


class SendCountView(BaseModel):
    """How many sends that began on a day (UTC) are in a state now."""

    zone_id: str
    day: date
    network_id: str
    network_name: str | None
    channel: str
    state: str
    count: int


class Stats(BaseModel):
    """Counters; a send for two networks counts in both."""

    items: list[SendCountView]


@router.get("/stats")
async def show_stats(
    caller: Counter,
    flows: Wired,
    zone_id: ZoneQuery = None,
    since: Annotated[date | None, Query(alias="from")] = None,
    until: Annotated[date | None, Query(alias="to", description="Inclusive.")] = None,
) -> Stats:
    """Count sends by day, network, channel and state; federal oversight sees every zone's."""
    log = zone_id if caller.has(Role.FEDERAL) else own_zone(caller, zone_id)
    counts = await flows.count_sends(log, since, until)
    return Stats(
        items=[SendCountView.model_validate(count, from_attributes=True) for count in counts]
    )


@router.get("/access")
async def list_access(
    caller: Reader,
    flows: Wired,
    zone_id: ZoneQuery = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[FullEntryView]:
    """List who read, changed or looked up what, the newest first. The reading is recorded."""
    wanted = zone_id or caller.zone
    if wanted is None:
        raise not_found()
    log = readable_log(caller, wanted)
    await flows.record_access(log, caller, "read", "access.list")
    page = await flows.list_access(log, cursor, limit)
    return Page[FullEntryView](items=[full_view(entry) for entry in page.entries], next=page.next)
