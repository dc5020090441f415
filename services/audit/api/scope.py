"""What every route needs: the flows, and which log a caller may ask about.

An auditor sees the zone of their token. Operators of no single zone see the operators' log, which
names the readers of every zone. Operators see the checkpoints and consistency proofs of the zones
that they are for, which say nothing about anybody. Everything else answers 404.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Query, Request

from services.audit.domain.notes import OPERATORS
from services.audit.flows.count_sends import CountSends
from services.audit.flows.describe_message import DescribeMessage
from services.audit.flows.describe_processing import DescribeProcessing
from services.audit.flows.describe_subject import DescribeSubject
from services.audit.flows.export_rows import ExportRows
from services.audit.flows.limit_lookups import LimitLookUps
from services.audit.flows.list_access import ListAccess
from services.audit.flows.list_logs import ListLogs
from services.audit.flows.list_messages import ListMessages
from services.audit.flows.list_sends import ListSends
from services.audit.flows.look_up_subject import LookUpSubject
from services.audit.flows.prove import Prove
from services.audit.flows.record_access import RecordAccess
from services.audit.flows.recover_log import RecoverLog
from services.audit.flows.show_message import ShowMessage
from services.audit.flows.show_send import ShowSend
from services.audit.flows.stream_bundle import StreamBundle
from services.audit.store.sends import SendFilter
from shared.access import Caller, Role, Roles, not_found
from shared.clock import Clock
from shared.contracts.base import (
    RESERVED_ZONE_IDS,
    Channel,
    Id,
    MessageId,
    MessageType,
    Moment,
    SendState,
)


@dataclass(frozen=True, slots=True)
class Flows:
    """The flows that the routes call; wired by `app.py`."""

    prove: Prove
    bundle: StreamBundle
    list_messages: ListMessages
    show_message: ShowMessage
    list_sends: ListSends
    show_send: ShowSend
    count_sends: CountSends
    look_up: LookUpSubject
    list_access: ListAccess
    list_logs: ListLogs
    export: ExportRows
    describe_message: DescribeMessage
    describe_subject: DescribeSubject
    describe_processing: DescribeProcessing
    record_access: RecordAccess
    recover: RecoverLog
    limit_lookups: LimitLookUps
    clock: Clock


def _flows(request: Request) -> Flows:
    flows: Flows = request.app.state.flows
    return flows


Wired = Annotated[Flows, Depends(_flows)]
Auditor = Annotated[Caller, Depends(Roles(Role.AUDITOR))]
Reader = Annotated[Caller, Depends(Roles(Role.AUDITOR, Role.OPERATOR))]
Operator = Annotated[Caller, Depends(Roles(Role.OPERATOR))]
Counter = Annotated[Caller, Depends(Roles(Role.AUDITOR, Role.FEDERAL))]

ZoneQuery = Annotated[
    str | None,
    Query(
        max_length=32,
        description="The zone; the token's own where it is left out. `operators` is the log of "
        "what belongs to no zone, for operators of no single zone, who must name it.",
    ),
]
MessagePath = Annotated[MessageId, Path(description="The alert's, bulletin's or notice's id.")]
MessageTypeQuery = Annotated[
    MessageType | None,
    Query(
        description="An alert and a bulletin may bear one id. Where this is left out, the one that "
        "was accepted or released; of two of these, the one that was first on record.",
    ),
]
After = Annotated[
    int | None,
    Query(ge=0, description="`next` of the page before; none for the first page, the oldest."),
]
Cursor = Annotated[
    int | None, Query(ge=0, description="`next` of the page before; none for the first page.")
]
Limit = Annotated[int, Query(ge=1, le=500, description="How many items at most.")]
DEFAULT_LIMIT = 100


def _wanted_sends(
    *,
    network_id: Annotated[Id | None, Query(description="Only sends for this network.")] = None,
    message_id: Annotated[
        MessageId | None, Query(description="Only sends of this alert, bulletin or notice.")
    ] = None,
    channel: Annotated[Channel | None, Query(description="Only sends by this channel.")] = None,
    state: Annotated[
        SendState | None, Query(description="Only sends that are in this state now.")
    ] = None,
    since: Annotated[
        Moment | None,
        Query(
            alias="from",
            description="Only sends whose latest entry is of this time or later; with an offset, "
            "such as 2026-03-14T00:00:00Z.",
        ),
    ] = None,
    until: Annotated[
        Moment | None,
        Query(alias="to", description="Only sends whose latest entry is of before this time."),
    ] = None,
) -> SendFilter:
    return SendFilter(
        network_id=network_id,
        message_id=message_id,
        channel=channel,
        state=state,
        since=since,
        until=until,
    )


WantedSends = Annotated[SendFilter, Depends(_wanted_sends)]
"""Filters of a list of sends; they combine."""

Found = TypeVar("Found")


def own_zone(caller: Caller, zone_id: str | None) -> str:
    """Give the zone that an auditor asks about. Raises 404 unless it is their own.

    A zone that is called as the operators' log is none: that log names the readers of every zone.
    """
    if caller.zone is None or caller.zone in RESERVED_ZONE_IDS:
        raise not_found()
    if zone_id is not None and zone_id != caller.zone:
        raise not_found()
    return caller.zone


def readable_log(caller: Caller, zone_id: str) -> str:
    """Give the log that a caller may read and export. Raises 404."""
    if zone_id == OPERATORS:
        if caller.zone is None and caller.has(Role.OPERATOR):  # it tells of every zone's readers
            return OPERATORS
        raise not_found()
    if caller.has(Role.AUDITOR) and caller.zone == zone_id:
        return zone_id
    raise not_found()


def provable_log(caller: Caller, zone_id: str) -> str:
    """Give the log whose checkpoints and consistency proofs a caller may have. Raises 404."""
    if caller.has(Role.OPERATOR) and caller.in_zone(zone_id):
        return zone_id
    return readable_log(caller, zone_id)


async def beside(record: Awaitable[None], find: Awaitable[Found]) -> Found:
    """Look while the looking is put on record; nothing is given before it is on record.

    Both wait for the database, so together they take about as long as one. Raises what either does.
    """
    _, found = await asyncio.gather(record, find)
    return found
