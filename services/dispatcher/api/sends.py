"""`/v1/sends`: what an operator does about sends whose outcome nobody knows."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import ConfigDict

from services.dispatcher.domain.ledger import Row
from services.dispatcher.flows.check_history import CheckHistory
from services.dispatcher.flows.settle_unknown import NotUnknown, SettleUnknown
from services.dispatcher.store.unknown import Narrowed
from shared.access import Caller, Role, Roles, not_found
from shared.contracts.base import Channel, Id, Lane, MessageId, MessageType, SendState, ZoneId
from shared.http import Explanation, Problem, View

router = APIRouter(prefix="/v1/sends", tags=["operations"])

Operator = Annotated[Caller, Depends(Roles(Role.OPERATOR))]


class UnknownSend(View):
    """A send whose outcome nobody knows. Its `Message-ID` begins with the send's id."""

    send_id: str
    zone_id: str
    message_id: str
    message_type: MessageType
    network_ids: tuple[str, ...]
    lane: Lane
    channel: Channel
    state: SendState
    reason: str | None
    attempts: int
    unknown_since: datetime | None
    expires_at: datetime


class UnknownPage(View):
    """A page of them; `next` is the cursor of the next one."""

    items: list[UnknownSend]
    next: str | None


class Settlement(View):
    """What became of a send, and how the operator knows."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    outcome: Literal[SendState.ACCEPTED, SendState.FAILED]
    """`accepted`: the provider took it; `failed`: it never went out. It is not sent again."""

    reason: Explanation
    """Such as where it was looked up. No names, numbers or addresses."""


@router.get("/unknown")
async def unknown(
    request: Request,
    caller: Operator,
    *,
    zone_id: ZoneId | None = None,
    message_id: MessageId | None = None,
    lane: Lane = Lane.COLD,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> UnknownPage:
    """List the sends whose outcome nobody knows: the cold ones, which wait for an operator."""
    if caller.zone is not None and zone_id is not None and zone_id != caller.zone:
        raise not_found()
    flow: SettleUnknown = request.app.state.settle_unknown
    about = Narrowed(caller.zone or zone_id, message_id, lane)
    page = await flow.page(about, cursor, limit)
    return UnknownPage(items=[_view(row) for row in page.rows], next=page.next)


@router.post("/{send_id}/settle")
async def settle(
    request: Request,
    caller: Operator,
    send_id: Annotated[Id, Path()],
    settlement: Settlement,
) -> UnknownSend:
    """Say what became of a cold send. Put on record; the send is never tried again."""
    history: CheckHistory = request.app.state.history
    history.require()
    flow: SettleUnknown = request.app.state.settle_unknown
    try:
        return _view(await flow.settle(caller, send_id, settlement.outcome, settlement.reason))
    except LookupError:
        raise not_found() from None
    except NotUnknown as why:
        raise Problem(409, "not-unknown", f"Nothing to settle: {why}.") from None


def _view(row: Row) -> UnknownSend:
    return UnknownSend(
        send_id=row.send_id,
        zone_id=row.key.zone_id,
        message_id=row.key.message_id,
        message_type=row.key.message_type,
        network_ids=row.network_ids,
        lane=row.lane,
        channel=row.channel,
        state=row.state,
        reason=row.reason,
        attempts=len(row.attempts),
        unknown_since=row.unknown_since,
        expires_at=row.expires_at,
    )
