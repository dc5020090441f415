"""`/v1/networks/{id}/members/import` and `export`: the list as a spreadsheet."""

from datetime import date

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from services.registry.api.languages import Spoken
from services.registry.api.problem_words import say
from services.registry.api.scopes import Coordinators, Wired
from services.registry.domain.days import day_of
from services.registry.domain.member_list import ListLanguage, RowProblem, write_list
from services.registry.domain.spreadsheet import MOST_BYTES, Format, write_table
from services.registry.flows.export_members import export_members
from services.registry.flows.import_members import ImportReport, SkipReason, import_members
from shared.http import Problem, View

router = APIRouter(prefix="/networks/{network_id}", tags=["members"])

_MOST_PROBLEMS = 1000
_OVERHEAD = 10_000
"""What a form adds to its file."""

_CSV = "text/csv; charset=utf-8"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILE = {
    "content": {
        "text/csv": {"schema": {"type": "string", "format": "binary"}},
        _XLSX: {"schema": {"type": "string", "format": "binary"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        },
    },
    "required": True,
}


class RowProblemView(View):
    """What is wrong in a row of the file, and what to do; never the value."""

    row: int
    field: str
    reason: str
    detail: str
    same_as_row: int | None = None


class SkippedView(View):
    """A row that adds nobody: they are there already, or left and come back only themselves.

    Who is there with another number (or none) is corrected as a member, not by a list.
    """

    row: int
    reason: SkipReason


class ImportView(View):
    """What the import did, or would do. Rows are numbered as in the file, its header included."""

    dry_run: bool
    applied: bool
    repeated: bool
    """Whether this very file was imported before."""

    added: int
    pending: int
    """How many of those have yet to accept the house rules; who has an address gets a link."""

    pending_without_email: int
    """How many of these get no link, having no address: they accept on paper."""

    skipped: list[SkippedView]
    problems: list[RowProblemView]
    """The first 1,000."""

    problem_count: int
    ignored_columns: list[int]
    """Columns that are not read, counted from 1."""


@router.post(
    "/members/import",
    openapi_extra={"requestBody": _FILE},
    max_body_size=2 * MOST_BYTES,  # what is a little too large is told so in words of our own
)
async def post_import(
    *,
    request: Request,
    scope: Coordinators,
    context: Wired,
    language: Spoken,
    dry_run: bool = False,
) -> ImportView:
    """Import a member list (CSV or XLSX): whole, or not at all where a row has a problem."""
    data = await _file(request)
    report = await import_members(context, scope.actor, scope.network, data, dry_run=dry_run)
    view = _report(report, language, dry_run=dry_run)
    if report.problems and not dry_run:
        raise Problem(
            422,
            "import-has-problems",
            "Nobody was imported, since some rows have a problem. Correct them and send the file "
            "again.",
            field="file",
            extra={"report": view.model_dump(mode="json")},
        )
    return view


async def _file(request: Request) -> bytes:
    """Give the file, sent as it is or in a form; at most a little more than is accepted."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        declared = request.headers.get("content-length", "")
        if not declared.isdecimal() or int(declared) > MOST_BYTES + _OVERHEAD:
            raise _too_large()
        async with request.form(max_files=1, max_fields=5) as form:
            sent = form.get("file")
            if isinstance(sent, UploadFile):
                return await sent.read()
        raise Problem(422, "no-file", "Send the list in a field named `file`.", field="file")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise _too_large()
    return bytes(data)


def _too_large() -> Problem:
    return Problem(413, "file-too-large", "A file has at most 10 MB. Split it.", field="file")


def _report(report: ImportReport, language: ListLanguage, *, dry_run: bool) -> ImportView:
    return ImportView(
        dry_run=dry_run,
        applied=report.applied,
        repeated=report.repeated,
        added=len(report.added),
        pending=report.pending,
        pending_without_email=report.pending_without_email,
        skipped=[SkippedView(row=skipped.row, reason=skipped.reason) for skipped in report.skipped],
        problems=[_problem(problem, language) for problem in report.problems[:_MOST_PROBLEMS]],
        problem_count=len(report.problems),
        ignored_columns=report.ignored_columns,
    )


def _problem(problem: RowProblem, language: ListLanguage) -> RowProblemView:
    said = say(problem.reason, language)
    return RowProblemView(
        row=problem.row,
        field=problem.field,
        reason=problem.reason,
        detail=f"{said.reason} {said.next_step}",
        same_as_row=problem.same_as_row,
    )


@router.get(
    "/members/export",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}, _XLSX: {}}}},
)
async def get_export(
    scope: Coordinators, context: Wired, language: Spoken, form: Format = "csv"
) -> Response:
    """Give the list with the columns that an import reads (`form=csv` or `xlsx`), on record.

    Who left is not in it, nor whose processing is restricted; the header `Left-Out` counts these.
    """
    members, left_out = await export_members(context, scope.actor, scope.network)
    data = write_table(write_list(members, language), form)
    name = f"{scope.network.network_id}-{_today(day_of(context.clock.now()))}.{form}"
    return Response(
        data,
        media_type=_CSV if form == "csv" else _XLSX,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "Left-Out": str(left_out),
        },
    )


def _today(day: date) -> str:
    return day.isoformat()
