"""The readable pages: a message's life, a person's record, a zone's record of processing."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from services.audit.api.report_pages import ReportPages
from services.audit.api.scope import (
    Auditor,
    MessagePath,
    MessageTypeQuery,
    Wired,
    ZoneQuery,
    beside,
    own_zone,
)
from services.audit.api.subjects import SubjectQuery, ask
from shared.access import not_found
from shared.contracts.base import Language

router = APIRouter(tags=["reports"])

_PAGES = ReportPages()

LanguageQuery = Annotated[Language, Query(description="The reader's language.")]


class SubjectPageQuery(SubjectQuery):
    """The same question, and the language of whoever gets the page."""

    language: Language = "nl"


@router.get("/messages/{message_id}/page", response_class=HTMLResponse)
async def show_message_page(
    caller: Auditor,
    flows: Wired,
    *,
    message_id: MessagePath,
    message_type: MessageTypeQuery = None,
    zone_id: ZoneQuery = None,
    language: LanguageQuery = "nl",
) -> HTMLResponse:
    """Show a message's life as a page to read or print. The reading is recorded."""
    zone = own_zone(caller, zone_id)
    row = await flows.show_message.row(zone, message_id, message_type)
    if row is None:
        raise not_found()
    record = flows.record_access(zone, caller, "read", "message.page", message_id=message_id)
    found = await beside(record, flows.describe_message.life(row))
    return HTMLResponse(_PAGES.message(language, found))


@router.post("/subjects/page", response_class=HTMLResponse)
async def give_subject_page(caller: Auditor, flows: Wired, query: SubjectPageQuery) -> HTMLResponse:
    """Give a person's record as a page to hand over (GDPR, art. 15). The question is recorded."""
    found = await ask(caller, flows, query, "subject.page", flows.describe_subject)
    return HTMLResponse(_PAGES.subject(query.language, found, flows.clock.now()))


@router.get("/zones/{zone_id}/processing/{year}", response_class=HTMLResponse)
async def show_processing(
    caller: Auditor,
    flows: Wired,
    zone_id: Annotated[str, Path(max_length=32, description="The zone.")],
    year: Annotated[int, Path(ge=2019, le=2100, description="A calendar year (UTC).")],
    language: LanguageQuery = "nl",
) -> HTMLResponse:
    """Show the record of processing (GDPR, article 30) of a year. It names nobody."""
    zone = own_zone(caller, zone_id)
    record = flows.record_access(zone, caller, "export", "processing.report")
    found = await beside(record, flows.describe_processing(zone, year))
    return HTMLResponse(_PAGES.processing(language, found))
