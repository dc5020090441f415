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
    beside,
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
    """One page of counters; a send for two networks counts in both."""

    items: list[SendCountView]
    next: str | None
    """The cursor of the page that follows; null at the end."""


@router.get("/stats")
async def show_stats(
    caller: Counter,
    flows: Wired,
    *,
    zone_id: ZoneQuery = None,
    since: Annotated[
        date | None,
        Query(alias="from", description="A year before `to`, or today, where it is left out."),
    ] = None,
    until: Annotated[date | None, Query(alias="to", description="Inclusive.")] = None,
    cursor: Annotated[
        str | None,
        Query(max_length=200, description="`next` of the page before; none for the first page."),
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Stats:
    """Count sends by day, network, channel and state; federal oversight sees every zone's."""
    log = zone_id if caller.has(Role.FEDERAL) else own_zone(caller, zone_id)
    page = await flows.count_sends.page(log, since, until, cursor, limit)
    items = [SendCountView.model_validate(count, from_attributes=True) for count in page.counts]
    return Stats(items=items, next=page.next)


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
    record = flows.record_access(log, caller, "read", "access.list")
    page = await beside(record, flows.list_access(log, cursor, limit))
    return Page[FullEntryView](items=[full_view(entry) for entry in page.entries], next=page.next)
