"""`/v1/stats` and `/v1/access`: how much was sent, and who read what."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

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
from services.audit.domain.notes import OPERATORS
from shared.access import Caller, Role, not_found
from shared.http import Problem, View

router = APIRouter(tags=["figures"])


class SendCountView(View):
    """How many sends that began on a day (UTC) are in a state now."""

    zone_id: str
    day: date
    network_id: str
    network_name: str | None
    """As the registry told it last; null where it told none."""

    channel: str
    state: str
    count: int


class Stats(View):
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
    page = await flows.count_sends.recent(log, since, until, cursor, limit)
    items = [SendCountView.model_validate(count, from_attributes=True) for count in page.items]
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
    log = readable_log(caller, _named(caller, zone_id))
    record = flows.record_access(log, caller, "read", "access.list")
    page = await beside(record, flows.list_access(log, cursor, limit))
    return Page[FullEntryView](items=[full_view(entry) for entry in page.items], next=page.next)


def _named(caller: Caller, zone_id: str | None) -> str:
    """Give the log that is asked for; whoever is for no single zone has to name it."""
    named = zone_id or caller.zone
    if named is not None:
        return named
    if not caller.has(Role.OPERATOR):
        raise not_found()
    raise Problem(
        422,
        "invalid-request",
        f"zone_id: your token is for no single zone, so name a log; `{OPERATORS}` is that of "
        "what belongs to no zone.",
        field="zone_id",
    )
