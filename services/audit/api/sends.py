"""`/v1/sends`: every send by its latest entry, and each one's whole history."""

from typing import Annotated

from fastapi import APIRouter, Path

from services.audit.api.scope import (
    DEFAULT_LIMIT,
    After,
    Auditor,
    Cursor,
    Limit,
    WantedSends,
    Wired,
    ZoneQuery,
    own_zone,
)
from services.audit.api.views import EntryView, FullEntryView, Page, entry_view, full_view
from shared.access import not_found
from shared.contracts.base import Id
from shared.http import View

router = APIRouter(prefix="/sends", tags=["sends"])


class SendHistory(View):
    """What is on record about one send, in order."""

    send_id: str
    entries: list[FullEntryView]
    next: int | None
    """The cursor of the page that follows; null at the end."""


@router.get("")
async def list_sends(
    caller: Auditor,
    flows: Wired,
    *,
    wanted: WantedSends,
    zone_id: ZoneQuery = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[EntryView]:
    """List sends by their latest entry; filters combine. The order does not change as they do."""
    page = await flows.list_sends(own_zone(caller, zone_id), wanted, cursor, limit)
    return Page[EntryView](items=[entry_view(body) for body in page.items], next=page.next)


@router.get("/{send_id}")
async def show_send(
    caller: Auditor,
    flows: Wired,
    *,
    send_id: Annotated[Id, Path(description="As a list of sends or a look-up names it.")],
    zone_id: ZoneQuery = None,
    cursor: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> SendHistory:
    """Show a send's history, the oldest first, with pseudonyms.

    The reading is recorded, with whom it was about: it stands in their own record too.
    """
    zone = own_zone(caller, zone_id)
    found = await flows.show_send(zone, send_id, cursor, limit)
    if found is None:
        raise not_found()
    await flows.record_access(
        zone,
        caller,
        "read",
        "send.show",
        message_id=found.message_id,
        member_ids=found.member_ids,
        recipient=found.recipient,
    )
    entries = [full_view(entry) for entry in found.entries]
    return SendHistory(send_id=send_id, entries=entries, next=found.next)
