"""`/v1/messages`: what the police and the coordinators said, and what came of it."""

from datetime import datetime

from fastapi import APIRouter

from services.audit.api.scope import (
    DEFAULT_LIMIT,
    After,
    Auditor,
    Cursor,
    Limit,
    MessagePath,
    MessageTypeQuery,
    Wired,
    ZoneQuery,
    beside,
    own_zone,
)
from services.audit.api.views import FullEntryView, Page, full_view
from services.audit.flows.show_message import MessageLife
from shared.access import not_found
from shared.http import View

router = APIRouter(prefix="/messages", tags=["messages"])


class MessageItem(View):
    """A message, without what it says."""

    zone_id: str
    message_id: str
    message_type: str
    """`alert`, `bulletin` or `notice`."""

    kind: str | None
    """Of an alert `alert`, `update` or `all_clear`; of a bulletin what it is about; of a notice its
    template."""

    status: str | None
    """`actual`, `exercise` or `test`."""

    references: str | None
    """The alert that an update, an all-clear or feedback is about."""

    network_ids: list[str]
    released_to: list[str] = []
    """The networks whose coordinator released the bulletin."""

    verdict: str | None = None
    """`accepted`, or why nothing went out: `refused`, `duplicate` or `expired`."""

    reason: str | None = None
    people: int | None = None
    """How many people it was for when it was judged."""

    signer: str | None = None
    """The id of the key that signed, and of the one that approved."""

    approver: str | None = None
    judged_at: datetime | None = None
    expires_at: datetime | None = None


class ClosingView(View):
    """What a closing statement said, and what the answer was."""

    release: str | None
    """The network for which a bulletin was released; null for anything else."""

    due_at: datetime | None = None
    """When a statement must have come; without one there is an alarm."""

    revision: int | None = None
    sends: int | None = None
    states: dict[str, int] = {}
    events: int | None = None
    """How many events of sends must be on record."""

    answer: str | None = None
    """`agreed`, or `resend` where the log has other events than were stated."""


class MessageView(MessageItem):
    """A message's life: its texts stand in the private parts of the timeline, until their date.

    A notice has its template as `kind` and no text.
    """

    states: dict[str, int]
    """Its sends, counted by the latest state of each."""

    closings: list[ClosingView]
    timeline: list[FullEntryView]
    """Everything that happened to it but its sends, the oldest first, page by page."""

    next: int | None
    """The cursor of the timeline's next page; null at its end."""


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
    items = [MessageItem.model_validate({**row, "zone_id": row["log"]}) for row in page.items]
    return Page[MessageItem](items=items, next=page.next)


@router.get("/{message_id}")
async def show_message(
    caller: Auditor,
    flows: Wired,
    *,
    message_id: MessagePath,
    message_type: MessageTypeQuery = None,
    zone_id: ZoneQuery = None,
    cursor: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> MessageView:
    """Show a message with its text, signer, networks and timeline.

    The reading is recorded, so that each page adds an entry at the timeline's end.
    """
    zone = own_zone(caller, zone_id)
    row = await flows.show_message.row(zone, message_id, message_type)
    if row is None:
        raise not_found()
    record = flows.record_access(zone, caller, "read", "message.show", message_id=message_id)
    return _view(await beside(record, flows.show_message.life(row, cursor, limit)))


def _view(life: MessageLife) -> MessageView:
    return MessageView.model_validate(
        {
            **life.row,
            "zone_id": life.row["log"],
            "states": life.states,
            "closings": [ClosingView.model_validate(row) for row in life.closings],
            "timeline": [full_view(entry) for entry in life.timeline],
            "next": life.next,
        }
    )
