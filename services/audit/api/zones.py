"""`/v1/zones`: a zone's log as others can check it: checkpoint, proofs and bundle."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse

from services.audit.api.scope import Reader, Wired, provable_log, readable_log
from services.audit.api.views import EntryView, base64_of, entry_view
from services.audit.flows.prove import NotProvable
from shared.access import not_found
from shared.http import Problem, View, sentence

router = APIRouter(prefix="/zones/{zone_id}", tags=["log"])

_MOST = 2**53 - 1
Zone = Annotated[str, Path(max_length=32, description="The zone, or `operators`.")]
Index = Annotated[int, Path(ge=0, le=_MOST, description="The entry's place in the log, from 0.")]
Size = Annotated[
    int | None,
    Query(
        ge=0,
        le=_MOST,
        description="The size of a checkpoint that was signed, such as one that you kept: a proof "
        "for any other size could be held against nothing. The last one's where it is left out.",
    ),
]
NDJSON = "application/x-ndjson"
NOTE = "text/plain; charset=utf-8"


class InclusionView(View):
    """An inclusion proof (RFC 6962, 2.1.1), whole: `buurtbode verify-entry` checks it offline."""

    index: int
    size: int
    """How many entries the checkpoint covers."""

    leaf_hash: str
    """SHA-256 over the byte 0x00 and the canonical JSON of `entry`, in base64."""

    hashes: list[str]
    """The path from the leaf to the root, the lowest first, in base64."""

    entry: EntryView
    checkpoint: str
    """The signed note of exactly `size` entries, whose root the path leads to."""


class ConsistencyView(View):
    """A consistency proof (RFC 6962, 2.1.2)."""

    old: int
    new: int
    hashes: list[str]
    """In base64, in the order of the RFC."""

    checkpoint: str
    """The signed note of exactly `new` entries. The one of `old` is the one that you kept."""


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
    """Prove that an entry stands in the log of a size that was signed.

    Save the answer as it is: `buurtbode verify-entry FILE --key KEY` checks it without us.
    """
    try:
        found = await flows.prove.inclusion(readable_log(caller, zone_id), index, size)
    except NotProvable as reason:
        raise _not_provable(reason) from None
    return InclusionView(
        index=found.index,
        size=found.size,
        leaf_hash=base64_of([found.leaf])[0],
        hashes=base64_of(found.hashes),
        entry=entry_view(found.body),
        checkpoint=found.note,
    )


@router.get("/consistency")
async def prove_consistency(
    caller: Reader,
    flows: Wired,
    zone_id: Zone,
    old: Annotated[
        int, Query(alias="from", ge=1, le=_MOST, description="The size of one that you kept.")
    ],
    new: Annotated[
        int | None,
        Query(
            alias="to",
            ge=1,
            le=_MOST,
            description="The size of a checkpoint that was signed; the last one's where it is "
            "left out.",
        ),
    ] = None,
) -> ConsistencyView:
    """Prove that the log of one size is the beginning of the log of another."""
    try:
        found = await flows.prove.consistency(provable_log(caller, zone_id), old, new)
    except NotProvable as reason:
        raise _not_provable(reason) from None
    return ConsistencyView(
        old=found.old, new=found.new, hashes=base64_of(found.hashes), checkpoint=found.note
    )


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
    return Problem(404, "not-provable", sentence(reason))
