"""`/v1/sends`: every send by its latest entry, and each one's whole history."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.audit.api.scope import (
    DEFAULT_LIMIT,
    Auditor,
    Cursor,
    Limit,
    Wired,
    ZoneQuery,
    beside,
    own_zone,
)
from services.audit.api.views import EntryView, FullEntryView, Page, entry_view, full_view
from services.audit.store.sends import SendFilter
from shared.access import not_found
from shared.contracts.base import Channel, Id, MessageId, Moment, SendState

router = APIRouter(prefix="/sends", tags=["sends"])


class SendHistory(BaseModel):
    """Everything on record about one send, in order."""

    send_id: str
    entries: list[FullEntryView]


@router.get("")
async def list_sends(
    caller: Auditor,
    flows: Wired,
    *,
    zone_id: ZoneQuery = None,
    network_id: Annotated[Id | None, Query()] = None,
    message_id: Annotated[MessageId | None, Query()] = None,
    channel: Annotated[Channel | None, Query()] = None,
    state: Annotated[SendState | None, Query()] = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Exclusive.")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[EntryView]:
    """List sends by their latest entry; filters combine. The order does not change as they do."""
    wanted = SendFilter(
        network_id=network_id,
        message_id=message_id,
        channel=channel,
        state=state,
        since=since,
        until=until,
    )
    page = await flows.list_sends(own_zone(caller, zone_id), wanted, cursor, limit)
    return Page[EntryView](items=[entry_view(body) for body in page.bodies], next=page.next)


@router.get("/{send_id}")
async def show_send(
    caller: Auditor, flows: Wired, send_id: Id, zone_id: ZoneQuery = None
) -> SendHistory:
    """Show a send's whole history, with pseudonyms. The reading is recorded."""
    zone = own_zone(caller, zone_id)
    row = await flows.show_send.row(zone, send_id)
    if row is None:
        raise not_found()
    record = flows.record_access(zone, caller, "read", "send.show")
    entries = await beside(record, flows.show_send.entries(row))
    return SendHistory(send_id=send_id, entries=[full_view(entry) for entry in entries])
