"""`GET /v1/messages` and `GET /v1/messages/{id}/coverage`: what was sent, and how far it came."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from services.dispatcher.domain.message import Message
from services.dispatcher.flows.list_messages import ListMessages
from services.dispatcher.flows.show_coverage import ShowCoverage, Shown, Times
from services.dispatcher.flows.visible_messages import READERS
from shared.access import Caller, Roles
from shared.contracts.base import Lane, MessageType, SendState, Status
from shared.http import View

router = APIRouter(prefix="/v1", tags=["messages"])

Reader = Annotated[Caller, Depends(Roles(*READERS))]
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class MessageSummary(View):
    """A message, without its text."""

    message_id: str
    zone_id: str
    message_type: MessageType
    release: str | None
    kind: str
    status: Status
    lane: Lane
    references: str | None
    network_ids: tuple[str, ...]
    issued_at: datetime
    accepted_at: datetime
    expires_at: datetime


class MessagePage(View):
    """A page of messages; `next` is the cursor of the next one."""

    items: list[MessageSummary]
    next: str | None


class Seconds(View):
    """Seconds from the verdict until so many of all who should be reached had got so far.

    None where that has not happened yet, or never will: `all` stays empty when one has failed.
    """

    p50: float | None
    p95: float | None
    all: float | None


class Closed(View):
    """The latest closing statement."""

    revision: int
    at: datetime | None


class FailedSend(View):
    """A send that did not get through: who, by the registry's ids, and why."""

    send_id: str
    member_ids: tuple[str, ...]
    network_ids: tuple[str, ...]
    channel: str
    state: SendState
    reason: str | None


class CoverageAnswer(View):
    """How far a message came, at this moment."""

    message_id: str
    message_type: MessageType
    kind: str
    status: Status
    accepted_at: datetime
    expires_at: datetime
    networks: dict[str, dict[SendState, int]]
    people: int
    states: dict[SendState, int]
    accepted_seconds: Seconds
    delivered_seconds: Seconds
    closed: Closed | None
    failed: int
    """How many sends did not get through; `failures` names the first 1,000."""

    failures: list[FailedSend] | None


@router.get("/messages")
async def list_messages(
    request: Request,
    caller: Reader,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MessagePage:
    """List the messages that the caller may see, newest first."""
    flow: ListMessages = request.app.state.list_messages
    page = await flow.page(caller, cursor, limit)
    return MessagePage(items=[_summary(message) for message in page.items], next=page.next)


@router.get("/messages/{message_id}/coverage")
async def coverage(
    request: Request,
    caller: Reader,
    message_id: Annotated[str, Path(pattern=_UUID)],
    *,
    failures: Annotated[
        bool, Query(description="Name who was not reached. Doing so is put on record.")
    ] = False,
) -> CoverageAnswer:
    """Show how far a message came, live while it runs."""
    flow: ShowCoverage = request.app.state.show_coverage
    return _coverage(await flow.show(caller, message_id, failures=failures))


def _summary(message: Message) -> MessageSummary:
    return MessageSummary(
        message_id=message.key.message_id,
        zone_id=message.key.zone_id,
        message_type=message.key.message_type,
        release=message.key.release,
        kind=message.kind,
        status=message.status,
        lane=message.lane,
        references=message.references,
        network_ids=message.network_ids,
        issued_at=message.issued_at,
        accepted_at=message.accepted_at,
        expires_at=message.expires_at,
    )


def _coverage(shown: Shown) -> CoverageAnswer:
    message = shown.message
    closed = None
    if shown.closed_revision is not None:
        closed = Closed(revision=shown.closed_revision, at=shown.closed_at)
    return CoverageAnswer(
        message_id=message.key.message_id,
        message_type=message.key.message_type,
        kind=message.kind,
        status=message.status,
        accepted_at=message.accepted_at,
        expires_at=message.expires_at,
        networks={network: _counts(states) for network, states in shown.networks.items()},
        people=shown.people,
        states=_counts(shown.states),
        accepted_seconds=_seconds(shown.accepted),
        delivered_seconds=_seconds(shown.delivered),
        closed=closed,
        failed=shown.failed,
        failures=None
        if shown.failures is None
        else [
            FailedSend(
                send_id=failure.send_id,
                member_ids=failure.member_ids,
                network_ids=failure.network_ids,
                channel=failure.channel,
                state=failure.state,
                reason=failure.reason,
            )
            for failure in shown.failures
        ],
    )


def _seconds(times: Times) -> Seconds:
    return Seconds(p50=times.p50, p95=times.p95, all=times.all)


def _counts(states: Mapping[SendState, int]) -> dict[SendState, int]:
    return {state: states[state] for state in SendState if states.get(state)}
