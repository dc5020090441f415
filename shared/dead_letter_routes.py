"""`/v1/dead-letters`, the same in every service: what an operator does about given-up records."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import ConfigDict

from shared.access import Caller, Role, Roles, not_found
from shared.dead_letters import GivenUpAgain, LetterDesk, OpenLetter, RecordGone
from shared.http import Explanation, Problem, View, sentence

router = APIRouter(prefix="/dead-letters", tags=["operations"])

LetterId = Annotated[
    str,
    Path(
        max_length=160,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="As the list of letters names it.",
    ),
]

Operator = Annotated[Caller, Depends(Roles(Role.OPERATOR))]


class DeadLetterView(View):
    """Where a record stands and why it was given up; never what it says."""

    letter_id: str
    consumer: str
    topic: str
    partition: int
    offset: int
    reason: str
    """A code: why it was given up."""

    field: str | None
    sha256: str
    """Of the record's value, to know it again."""

    at: datetime


class DeadLetterPage(View):
    """A page of open letters."""

    items: list[DeadLetterView]
    next: str | None
    """The cursor of the page that follows; null at the end."""


class Why(View):
    """Why an operator does something; put on record."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Explanation


@router.get("")
async def list_letters(
    request: Request,
    caller: Operator,
    cursor: Annotated[
        str | None,
        Query(max_length=160, description="`next` of the page before; none for the first page."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="How many items at most.")] = 100,
) -> DeadLetterPage:
    """List the records that this service gave up and nobody replayed or dropped."""
    letters, following = await _desk(request, caller).page(cursor, limit)
    return DeadLetterPage(items=[_view(letter) for letter in letters], next=following)


@router.get("/{letter_id}")
async def show_letter(request: Request, caller: Operator, letter_id: LetterId) -> DeadLetterView:
    """Show one of them."""
    return _view(await _find(request, caller, letter_id))


@router.post("/{letter_id}/replay", status_code=204, response_class=Response)
async def replay_letter(
    request: Request, caller: Operator, letter_id: LetterId, why: Why
) -> Response:
    """Read the original again and judge it anew, its expiry too. Put on record."""
    letter = await _find(request, caller, letter_id)
    try:
        await _desk(request, caller).replay(caller, letter, why.reason)
    except RecordGone as gone:
        raise Problem(410, "record-gone", sentence(gone)) from None
    except GivenUpAgain as again:
        raise Problem(
            409,
            "given-up-again",
            f"Judged anew and given up again: {again.reason}. The letter stays open.",
            field=again.field,
            extra={"reason": again.reason},
        ) from None
    return Response(status_code=204)


@router.post("/{letter_id}/drop", status_code=204, response_class=Response)
async def drop_letter(
    request: Request, caller: Operator, letter_id: LetterId, why: Why
) -> Response:
    """Let a record go for good. Put on record."""
    await _desk(request, caller).drop(caller, await _find(request, caller, letter_id), why.reason)
    return Response(status_code=204)


def _desk(request: Request, caller: Caller) -> LetterDesk:
    """Give the desk. Raises 404 for a zone's operator: what was not read belongs to no zone."""
    if caller.zone is not None:
        raise not_found()
    desk: LetterDesk = request.app.state.dead_letters
    return desk


async def _find(request: Request, caller: Caller, letter_id: str) -> OpenLetter:
    letter = await _desk(request, caller).get(letter_id)
    if letter is None:
        raise not_found()
    return letter


def _view(letter: OpenLetter) -> DeadLetterView:
    return DeadLetterView(
        letter_id=letter.letter_id,
        consumer=letter.consumer,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        reason=letter.reason,
        field=letter.field,
        sha256=letter.sha256,
        at=letter.at,
    )
