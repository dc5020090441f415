"""`/v1/networks/{id}/meetings`: meetings of the members, their attendance and minutes."""

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.registry.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, paged
from services.registry.api.scopes import Coordinators, NetworkRelay, ReadVersion, Wired, etag
from services.registry.domain.meeting import Attendance, Meeting, Minutes, Place
from services.registry.flows.call_meeting import NewMeeting, call_meeting
from services.registry.flows.list_meetings import list_meetings
from services.registry.flows.report_meeting import report_meeting
from shared.contracts.base import Bodies, Subjects, UtcTime

router = APIRouter(prefix="/networks/{network_id}", tags=["meetings"])


class MeetingInput(BaseModel):
    """A meeting to call. When and where are added to the text, and travel as a calendar file."""

    model_config = ConfigDict(extra="forbid")

    subject: Subjects
    body: Bodies
    place: Place
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class MeetingReport(BaseModel):
    """What is noted after a meeting; a field that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    attendance: Attendance | None = None
    minutes: Minutes | None = None


class MeetingView(BaseModel):
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
    attendance: int | None
    minutes: str | None


def _view(meeting: Meeting) -> MeetingView:
    return MeetingView(**{name: getattr(meeting, name) for name in MeetingView.model_fields})


@router.get("/meetings")
async def get_meetings(
    scope: NetworkRelay, context: Wired, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Page[MeetingView]:
    """List a network's meetings, the latest first."""
    found = await list_meetings(context, scope.network.network_id, cursor, limit)
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
    noted: MeetingReport,
    response: Response,
) -> MeetingView:
    """Note attendance and minutes; `If-Match` holds the ETag of what you read."""
    meeting = await report_meeting(
        context,
        scope.actor,
        scope.network.network_id,
        meeting_id,
        version=version,
        attendance=noted.attendance,
        minutes=noted.minutes,
    )
    response.headers["ETag"] = etag(meeting.version)
    return _view(meeting)
