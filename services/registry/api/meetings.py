"""`/v1/networks/{id}/meetings`: meetings of the members, their attendance and minutes."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import ConfigDict

from services.registry.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, paged
from services.registry.api.scopes import Coordinators, NetworkRelay, ReadVersion, Wired, etag
from services.registry.domain.failures import Invalid
from services.registry.domain.meeting import Attendance, Meeting, Minutes, Place
from services.registry.flows.call_meeting import NewMeeting, call_meeting
from services.registry.flows.change_meeting import cancel_meeting, move_meeting
from services.registry.flows.list_meetings import list_meetings
from services.registry.flows.report_meeting import report_meeting
from shared.contracts.base import Bodies, Moment, Subjects, UtcTime
from shared.http import View

router = APIRouter(prefix="/networks/{network_id}", tags=["meetings"])


class MeetingInput(View):
    """A meeting to call. When and where are added to the text, and travel as a calendar file."""

    model_config = ConfigDict(extra="forbid")

    subject: Subjects
    body: Bodies
    place: Place
    starts_at: Moment
    ends_at: Moment


class MeetingChange(View):
    """Another time or place, or that it is off; or, after it, attendance and minutes.

    One of these at a time; a field that is left out stays as it is.
    """

    model_config = ConfigDict(extra="forbid")

    starts_at: Moment | None = None
    ends_at: Moment | None = None
    place: Place | None = None
    cancelled: Literal[True] | None = None
    attendance: Attendance | None = None
    minutes: Minutes | None = None

    def parts(self) -> set[str]:
        """Tell which of the three are asked for."""
        asked = {
            "move": (self.starts_at, self.ends_at, self.place),
            "cancel": (self.cancelled,),
            "report": (self.attendance, self.minutes),
        }
        return {part for part, values in asked.items() if any(v is not None for v in values)}


class MeetingView(View):
    """A meeting. `version` is its ETag."""

    meeting_id: str
    network_id: str
    version: int
    bulletin_id: str
    subject: Subjects
    body: Bodies
    place: str
    starts_at: UtcTime
    ends_at: UtcTime
    cancelled_at: UtcTime | None
    attendance: int | None
    minutes: str | None


def _view(meeting: Meeting) -> MeetingView:
    return MeetingView(**{name: getattr(meeting, name) for name in MeetingView.model_fields})


@router.get("/meetings")
async def get_meetings(
    scope: NetworkRelay, context: Wired, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Page[MeetingView]:
    """List a network's meetings, the latest first. The look is on record."""
    found = await list_meetings(context, scope.actor, scope.network, cursor, limit)
    last = found[-1].meeting_id if found else None
    return paged([_view(meeting) for meeting in found], limit, last)


@router.post("/meetings", status_code=201)
async def post_meeting(
    scope: Coordinators, context: Wired, new: MeetingInput, response: Response
) -> MeetingView:
    """Call a meeting: the members get an `organisation` bulletin with a calendar file."""
    wanted = NewMeeting(**dict(new))
    subject, network_id = scope.caller.subject, scope.network.network_id
    meeting = await call_meeting(context, subject, network_id, wanted)
    response.headers["ETag"] = etag(meeting.version)
    return _view(meeting)


@router.patch("/meetings/{meeting_id}")
async def patch_meeting(
    scope: Coordinators,
    context: Wired,
    *,
    meeting_id: str,
    version: ReadVersion,
    change: MeetingChange,
    response: Response,
) -> MeetingView:
    """Move a meeting or call it off, which the members are told; or note attendance and minutes.

    `If-Match` holds the ETag of what you read.
    """
    meeting = await _changed(scope, context, meeting_id, version, change)
    response.headers["ETag"] = etag(meeting.version)
    return _view(meeting)


async def _changed(
    scope: Coordinators, context: Wired, meeting_id: str, version: int, change: MeetingChange
) -> Meeting:
    subject, network_id = scope.caller.subject, scope.network.network_id
    parts = change.parts()
    if len(parts) > 1:
        raise Invalid(
            "one-at-a-time",
            "Move the meeting, cancel it, or note attendance and minutes: one at a time.",
        )
    if parts == {"move"}:
        return await move_meeting(
            context,
            subject,
            network_id,
            meeting_id,
            version=version,
            starts_at=change.starts_at,
            ends_at=change.ends_at,
            place=change.place,
        )
    if parts == {"cancel"}:
        return await cancel_meeting(context, subject, network_id, meeting_id, version=version)
    return await report_meeting(
        context,
        scope.actor,
        network_id,
        meeting_id,
        version=version,
        attendance=change.attendance,
        minutes=change.minutes,
    )
