"""`/v1/subjects`: what was sent to one number or address. Asking is itself on record."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, StringConstraints

from services.audit.api.scope import (
    DEFAULT_LIMIT,
    After,
    Auditor,
    Cursor,
    Found,
    Limit,
    Wired,
    beside,
    own_zone,
)
from services.audit.api.views import EntryView, FullEntryView, Page, entry_view, full_view
from services.audit.domain import pages
from services.audit.domain.destinations import normalise
from services.audit.flows.limit_lookups import TooManyLookUps
from services.audit.store.log import Stored
from shared.callers import Caller
from shared.contracts.base import ZoneId
from shared.http import Explanation, Problem, View

router = APIRouter(prefix="/subjects", tags=["subjects"])


class SubjectQuery(View):
    """Whose messages to look for, and why. In a body, so that no URL or log holds a number."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    destination: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    """A telephone number (a Belgian one may be national) or an e-mail address."""

    reason: Explanation
    """Why you ask. Whoever the record is about can read it: name nobody else."""
    zone_id: ZoneId | None = None
    """The token's own zone where it is left out."""


@router.post("/lookup")
async def look_up(
    caller: Auditor,
    flows: Wired,
    query: SubjectQuery,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[EntryView]:
    """Find all sends to a number or address, over all years whose key still exists.

    Each by its latest entry, the newest first. The question is put on record with each page, and
    each counts as a look-up.
    """

    async def find(log: str, destination: str) -> pages.Page[Stored, int]:
        return await flows.look_up.sends(log, destination, cursor, limit)

    page = await ask(caller, flows, query, "subject.lookup", find)
    return Page[EntryView](items=[entry_view(entry.body) for entry in page.items], next=page.next)


@router.post("/record")
async def give_record(
    caller: Auditor,
    flows: Wired,
    query: SubjectQuery,
    cursor: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[FullEntryView]:
    """Give everything on record about a number or address (GDPR, article 15), the oldest first.

    With what names the members that it reached: who read their data, and notices to them. The
    question is put on record with each page, which so adds an entry at the end.
    """

    async def find(log: str, destination: str) -> pages.Page[Stored, int]:
        return await flows.look_up.record(log, destination, cursor, limit)

    page = await ask(caller, flows, query, "subject.record", find)
    return Page[FullEntryView](items=[full_view(entry) for entry in page.items], next=page.next)


async def ask(
    caller: Caller,
    flows: Wired,
    query: SubjectQuery,
    action: str,
    find: Callable[[str, str], Awaitable[Found]],
) -> Found:
    """Put a question about somebody on record, and answer it.

    `find` gets the log and the normalised destination. Raises 404 for another zone, 422 for what is
    no destination, 429 beyond the limit.
    """
    zone = own_zone(caller, query.zone_id)
    destination = normalise(query.destination)
    if destination is None:
        raise Problem(
            422,
            "invalid-request",
            "destination: give a telephone number or an e-mail address.",
            field="destination",
        )
    try:
        await flows.limit_lookups(zone, caller.subject)
    except TooManyLookUps as many:
        raise Problem(
            429,
            "too-many-look-ups",
            "You looked people up too often this hour; a look-up answers one person's question. "
            f"Try again in {_minutes(many.seconds)}.",
            headers={"Retry-After": str(many.seconds)},
        ) from None
    pseudonym = await flows.look_up.pseudonym(zone, destination)
    record = flows.record_access(
        zone, caller, "lookup", action, recipient=pseudonym, reason=query.reason
    )
    return await beside(record, find(zone, destination))


def _minutes(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
