"""`/v1/messages`: what the police and the coordinators said, and what came of it."""

from datetime import datetime

from fastapi import APIRouter
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
from services.audit.api.views import FullEntryView, Page, full_view
from services.audit.flows.show_message import MessageLife
from shared.access import not_found
from shared.contracts.base import MessageId

router = APIRouter(prefix="/messages", tags=["messages"])


class MessageItem(BaseModel):
    """A message, without what it says."""

    zone_id: str
    message_id: str
    message_type: str
    kind: str | None
    status: str | None
    references: str | None
    network_ids: list[str]
    released_to: list[str] = []
    verdict: str | None = None
    reason: str | None = None
    people: int | None = None
    signer: str | None = None
    """The id of the key that signed, and of the one that approved."""

    approver: str | None = None
    judged_at: datetime | None = None
    expires_at: datetime | None = None


class ClosingView(BaseModel):
    """What a closing statement said, and what the answer was."""

    release: str | None
    due_at: datetime | None = None
    revision: int | None = None
    sends: int | None = None
    states: dict[str, int] = {}
    events: int | None = None
    answer: str | None = None


class MessageView(MessageItem):
    """A message's life: its texts stand in the private parts of the timeline, until their date.

    A notice has its template as `kind` and no text.
    """

    states: dict[str, int]
    """Its sends, counted by the latest state of each."""

    closings: list[ClosingView]
    timeline: list[FullEntryView]


@router.get("")
async def list_messages(
    caller: Auditor,
    flows: Wired,
    zone_id: ZoneQuery = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[MessageItem]:
    """List messages, the newest first."""
    page = await flows.list_messages(own_zone(caller, zone_id), cursor, limit)
    items = [MessageItem.model_validate({**row, "zone_id": row["log"]}) for row in page.rows]
    return Page[MessageItem](items=items, next=page.next)


@router.get("/{message_id}")
async def show_message(
    caller: Auditor, flows: Wired, message_id: MessageId, zone_id: ZoneQuery = None
) -> MessageView:
    """Show a message with its text, signer, networks and timeline. The reading is recorded."""
    zone = own_zone(caller, zone_id)
    row = await flows.show_message.row(zone, message_id)
    if row is None:
        raise not_found()
    record = flows.record_access(zone, caller, "read", "message.show", message_id=message_id)
    return _view(await beside(record, flows.show_message.life(row)))


def _view(life: MessageLife) -> MessageView:
    return MessageView.model_validate(
        {
            **life.row,
            "zone_id": life.row["log"],
            "states": life.states,
            "closings": [ClosingView.model_validate(row) for row in life.closings],
            "timeline": [full_view(entry) for entry in life.timeline],
        }
    )
