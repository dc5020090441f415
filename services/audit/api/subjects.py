"""`/v1/subjects`: what was sent to one number or address. Asking is itself on record."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.audit.api.scope import Auditor, Found, Wired, beside, own_zone
from services.audit.api.views import EntryView, FullEntryView, entry_view, full_view
from services.audit.domain.destinations import normalise
from services.audit.flows.limit_lookups import TooManyLookUps
from services.audit.flows.look_up_subject import SubjectRecord
from shared.callers import Caller
from shared.contracts.base import ZoneId
from shared.http import Problem

router = APIRouter(prefix="/subjects", tags=["subjects"])


class SubjectQuery(BaseModel):
    """Whose messages to look for, and why. In a body, so that no URL or log holds a number."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    destination: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    """A telephone number (a Belgian one may be national) or an e-mail address."""

    reason: Annotated[str, StringConstraints(min_length=5, max_length=500, strip_whitespace=True)]
    """Why you ask. Whoever the record is about can read it: name nobody else."""
    zone_id: ZoneId | None = None


class SubjectSends(BaseModel):
    """The latest entry of each send to the destination, the newest first."""

    sends: list[EntryView]


class SubjectEntries(BaseModel):
    """Every entry about the destination or naming the members that it reached, in order."""

    entries: list[FullEntryView]


@router.post("/lookup")
async def look_up(caller: Auditor, flows: Wired, query: SubjectQuery) -> SubjectSends:
    """Find all sends to a number or address, over all years whose key still exists."""
    found = await _find(caller, flows, query, "subject.lookup")
    return SubjectSends(sends=[entry_view(entry.body) for entry in found.latest])


@router.post("/record")
async def give_record(caller: Auditor, flows: Wired, query: SubjectQuery) -> SubjectEntries:
    """Give everything on record about a number or address (GDPR, article 15)."""
    found = await _find(caller, flows, query, "subject.record")
    return SubjectEntries(entries=[full_view(entry) for entry in found.entries])


async def _find(caller: Caller, flows: Wired, query: SubjectQuery, action: str) -> SubjectRecord:
    return await ask(caller, flows, query, action, flows.look_up)


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
            "You looked people up too often this hour. A look-up answers one person's question.",
            headers={"Retry-After": str(many.seconds)},
        ) from None
    pseudonym = await flows.look_up.pseudonym(zone, destination)
    record = flows.record_access(
        zone, caller, "lookup", action, recipient=pseudonym, reason=query.reason
    )
    return await beside(record, find(zone, destination))
