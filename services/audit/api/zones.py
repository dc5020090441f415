"""`/v1/zones`: a zone's log as others can check it: checkpoint, proofs and bundle."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.audit.api.scope import Reader, Wired, provable_log, readable_log
from services.audit.api.views import EntryView, base64_of
from services.audit.flows.prove import NotProvable
from shared.access import not_found
from shared.http import Problem

router = APIRouter(prefix="/zones/{zone_id}", tags=["log"])

_MOST = 2**53 - 1
Zone = Annotated[str, Path(max_length=32, description="The zone, or `operators`.")]
Index = Annotated[int, Path(ge=0, le=_MOST)]
Size = Annotated[
    int | None,
    Query(ge=0, le=_MOST, description="Entries; the last checkpoint's where it is left out."),
]
NDJSON = "application/x-ndjson"
NOTE = "text/plain; charset=utf-8"


class InclusionView(BaseModel):
    """An inclusion proof (RFC 6962, 2.1.1); hashes in base64, the lowest first."""

    index: int
    size: int
    leaf_hash: str
    hashes: list[str]
    entry: EntryView


class ConsistencyView(BaseModel):
    """A consistency proof (RFC 6962, 2.1.2); hashes in base64."""

    old: int
    new: int
    hashes: list[str]


@router.get("/checkpoint", response_class=Response, responses={200: {"content": {NOTE: {}}}})
async def show_checkpoint(caller: Reader, flows: Wired, zone_id: Zone) -> Response:
    """Give the last checkpoint: a C2SP signed note. Keep it: it catches a rewritten log."""
    try:
        note = await flows.prove.note(provable_log(caller, zone_id))
    except NotProvable:
        raise not_found() from None
    return Response(note, media_type=NOTE)


@router.get("/entries/{index}/proof")
async def prove_inclusion(
    caller: Reader, flows: Wired, zone_id: Zone, index: Index, size: Size = None
) -> InclusionView:
    """Prove that an entry stands in the log of a size."""
    try:
        found = await flows.prove.inclusion(readable_log(caller, zone_id), index, size)
    except NotProvable as reason:
        raise _not_provable(reason) from None
    return InclusionView(
        index=found.index,
        size=found.size,
        leaf_hash=base64_of([found.leaf])[0],
        hashes=base64_of(found.hashes),
        entry=EntryView.model_validate_json(found.body),
    )


@router.get("/consistency")
async def prove_consistency(
    caller: Reader,
    flows: Wired,
    zone_id: Zone,
    old: Annotated[int, Query(alias="from", ge=1, le=_MOST)],
    new: Annotated[int | None, Query(alias="to", ge=1, le=_MOST)] = None,
) -> ConsistencyView:
    """Prove that the log of one size is the beginning of the log of another."""
    try:
        found = await flows.prove.consistency(provable_log(caller, zone_id), old, new)
    except NotProvable as reason:
        raise _not_provable(reason) from None
    return ConsistencyView(old=found.old, new=found.new, hashes=base64_of(found.hashes))


@router.get("/bundle", response_class=StreamingResponse, responses={200: {"content": {NDJSON: {}}}})
async def download_bundle(
    caller: Reader,
    flows: Wired,
    zone_id: Zone,
    start: Annotated[
        int | None,
        Query(alias="from", ge=0, le=_MOST, description="Go on with this entry, without line 1."),
    ] = None,
    size: Annotated[
        int | None, Query(ge=0, le=_MOST, description="The checkpoint that was begun with.")
    ] = None,
) -> StreamingResponse:
    """Download the whole log up to its last checkpoint. The export is recorded.

    Where a download was cut off, go on with `?from=<entries already there>&size=<its size>`.
    """
    log = readable_log(caller, zone_id)
    bundle = await flows.bundle(log, start, size)
    if bundle is None:
        raise not_found()
    await flows.record_access(log, caller, "export", "log.bundle")
    name = f'attachment; filename="{zone_id}-{bundle.size}.ndjson"'
    return StreamingResponse(bundle.lines, media_type=NDJSON, headers={"Content-Disposition": name})


def _not_provable(reason: NotProvable) -> Problem:
    return Problem(404, "not-provable", f"{reason}.".capitalize())
