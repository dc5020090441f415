"""`/v1/exports`: sends, accesses and counters as files for a spreadsheet program."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from services.audit.api.scope import Auditor, Counter, WantedSends, Wired, ZoneQuery, own_zone
from services.audit.domain.spreadsheet import (
    MEDIA_TYPES,
    MOST_ROWS,
    Format,
    TooManyRows,
    XlsxFile,
    csv_lines,
)
from services.audit.flows.export_rows import Rows
from shared.access import Role
from shared.http import Problem

router = APIRouter(prefix="/exports", tags=["exports"])

_CHUNK = 64 * 1024
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: {} for media in MEDIA_TYPES.values()}}
}

FormatQuery = Annotated[
    Format,
    Query(alias="format", description="`csv` is streamed; `xlsx` is written to disk first."),
]


@router.get("/sends", response_class=StreamingResponse, responses=_FILES)
async def export_sends(
    caller: Auditor,
    flows: Wired,
    wanted: WantedSends,
    form: FormatQuery = "csv",
    zone_id: ZoneQuery = None,
) -> StreamingResponse:
    """Export each send by its latest entry; filters combine. The export is recorded."""
    zone = own_zone(caller, zone_id)
    await flows.record_access(zone, caller, "export", "sends.export", message_id=wanted.message_id)
    return await _file(flows.export.sends(zone, wanted), form, f"sends-{zone}")


@router.get("/access", response_class=StreamingResponse, responses=_FILES)
async def export_accesses(
    caller: Auditor, flows: Wired, *, form: FormatQuery = "csv", zone_id: ZoneQuery = None
) -> StreamingResponse:
    """Export who read or changed what. The export is recorded."""
    zone = own_zone(caller, zone_id)
    await flows.record_access(zone, caller, "export", "access.export")
    return await _file(flows.export.accesses(zone), form, f"access-{zone}")


@router.get("/stats", response_class=StreamingResponse, responses=_FILES)
async def export_stats(
    caller: Counter,
    flows: Wired,
    *,
    form: FormatQuery = "csv",
    zone_id: ZoneQuery = None,
    since: Annotated[
        date | None, Query(alias="from", description="The first day; all years without it.")
    ] = None,
    until: Annotated[date | None, Query(alias="to", description="Inclusive.")] = None,
) -> StreamingResponse:
    """Export the counters, which say nothing about anybody; federal oversight gets every zone's."""
    log = zone_id if caller.has(Role.FEDERAL) else own_zone(caller, zone_id)
    return await _file(flows.export.counts(log, since, until), form, f"stats-{log or 'all'}")


async def _file(rows: Rows, form: Format, name: str) -> StreamingResponse:
    content = _csv(rows) if form == "csv" else await _xlsx(rows)
    disposition = f'attachment; filename="{name}.{form}"'
    return StreamingResponse(
        content, media_type=MEDIA_TYPES[form], headers={"Content-Disposition": disposition}
    )


async def _csv(rows: Rows) -> AsyncIterator[bytes]:
    first = True
    async for page in rows:
        yield csv_lines(page, first=first)
        first = False


async def _fill(book: XlsxFile, rows: Rows) -> None:
    try:
        async for page in rows:
            await asyncio.to_thread(book.add, page)
    except BaseException:
        book.discard()
        raise


async def _xlsx(rows: Rows) -> AsyncIterator[bytes]:
    """Write the file to disk before its first byte goes out: its index stands at its end."""
    book = XlsxFile()
    try:
        await _fill(book, rows)
    except TooManyRows:
        raise Problem(
            422,
            "too-many-rows",
            f"An XLSX file holds {MOST_ROWS} rows. Ask for CSV, or for a part of it.",
            field="format",
        ) from None
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed once it is sent
    await asyncio.to_thread(book.save, file)
    file.seek(0)

    async def chunks() -> AsyncIterator[bytes]:
        with file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk

    return chunks()
