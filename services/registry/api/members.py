"""`/v1/networks/{id}/members`: the member list, which the network's coordinators see.

Where it has no active coordinator, the zone's police see it with a reason, on record; see
`domain.rights.may_keep_members`.
"""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from services.registry.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, paged
from services.registry.api.scopes import Coordinators, MemberKeeper, ReadVersion, Wired, etag
from services.registry.domain.measure import Ground, MeasureKind
from services.registry.domain.member import LeftBy, MemberRecord, PersonName, Tie
from services.registry.domain.reach import SmsReach, by_sms
from services.registry.domain.search import wanted
from services.registry.flows.accept_house_rules import accept_on_paper
from services.registry.flows.create_member import NewMember, Paper, create_member
from services.registry.flows.edit_member import edit_member
from services.registry.flows.leave_network import leave_by_coordinator
from services.registry.flows.list_members import list_members
from services.registry.flows.search_members import search_members
from services.registry.flows.show_member import show_member
from shared.contracts.base import Language, UtcTime
from shared.contracts.registry import MemberKind, MemberState
from shared.destinations import PhoneKind
from shared.http import View

router = APIRouter(prefix="/networks/{network_id}", tags=["members"])

WrittenPhone = Annotated[str, Field(min_length=1, max_length=40)]
WrittenEmail = Annotated[str, Field(min_length=1, max_length=254)]


class _Input(View):
    model_config = ConfigDict(extra="forbid")


class PaperInput(_Input):
    """House rules accepted on paper: the date on it, and who saw it being signed."""

    signed_on: date
    witness: PersonName


class AcceptInput(PaperInput):
    """A paper, and that who signed it is an adult: a list that was imported may not say so."""

    adult: Literal[True]


class MemberInput(_Input):
    """A newcomer. Without `accepted_on_paper` they are pending and get their link by mail."""

    name: PersonName
    kind: MemberKind = "resident"
    tie: Tie = "lives"
    language: Language
    phone: WrittenPhone | None = None
    email: WrittenEmail | None = None
    adult: Literal[True]
    """Confirmed by whoever enters them; no birth date is kept."""

    accepted_on_paper: PaperInput | None = None


class MemberChange(TypedDict, total=False):
    """What to correct; fields that are left out stay as they are, `null` takes a contact away."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # pyright: ignore[reportGeneralTypeIssues]

    name: PersonName
    kind: MemberKind
    tie: Tie
    language: Language
    phone: WrittenPhone | None
    email: WrittenEmail | None
    cold_mail: bool


class LeaveInput(_Input):
    """Why they leave, where they said so."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)] | None = None


class MeasureView(View):
    """A measure against a member, and until when they can appeal."""

    kind: MeasureKind
    reason: str
    by: str
    at: UtcTime
    until: UtcTime | None
    ended_at: UtcTime | None
    ended_by: str | None
    end_reason: str | None
    appeal_until: UtcTime


class RestrictionView(View):
    """Why nothing is done with a member's data but store them (GDPR, article 18)."""

    ground: Ground
    reason: str
    by: str
    at: UtcTime
    asked_on: date


class MemberView(View):
    """A member. `sms` says whether an SMS can reach them."""

    member_id: str
    version: int
    state: MemberState
    kind: MemberKind
    tie: Tie
    name: str
    language: Language
    phone: str | None
    phone_kind: PhoneKind | None
    sms: SmsReach
    email: str | None
    cold_mail: bool
    restricted: bool
    restriction: RestrictionView | None
    suspended_until: UtcTime | None
    measures: list[MeasureView]
    house_rules_version: int | None
    accepted_how: Literal["link", "paper", "restored"] | None
    accepted_at: UtcTime | None
    created_at: UtcTime
    left_at: UtcTime | None
    left_by: LeftBy | None


def member_view(member: MemberRecord) -> MemberView:
    """Give a member as the network's coordinators see them."""
    accepted = member.acceptance
    return MemberView(
        member_id=member.member_id,
        version=member.version,
        state=member.state,
        kind=member.kind,
        tie=member.tie,
        name=member.name,
        language=member.language,
        phone=member.phone,
        phone_kind=member.phone_kind,
        sms=by_sms(member),
        email=member.email,
        cold_mail=member.cold_mail,
        restricted=member.restricted,
        restriction=None
        if member.restriction is None
        else RestrictionView(**member.restriction.model_dump()),
        suspended_until=member.suspended_until,
        measures=[
            MeasureView(**measure.model_dump(), appeal_until=measure.appeal_until)
            for measure in member.measures
        ],
        house_rules_version=None if accepted is None else accepted.version,
        accepted_how=None if accepted is None else accepted.how,
        accepted_at=None if accepted is None else accepted.at,
        created_at=member.created_at,
        left_at=member.left_at,
        left_by=member.left_by,
    )


def tagged(member: MemberRecord, response: Response) -> MemberView:
    """Give a member with the ETag of what is shown."""
    response.headers["ETag"] = etag(member.version)
    return member_view(member)


def _paper(given: PaperInput) -> Paper:
    return Paper(given.signed_on, given.witness)


@router.get("/members")
async def get_members(
    scope: MemberKeeper,
    context: Wired,
    state: MemberState | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[MemberView]:
    """List the members by name. Each look is on record."""
    found = await list_members(
        context, scope.actor, scope.network, state=state, after=cursor, limit=limit
    )
    last = found[-1].member_id if found else None
    return paged([member_view(member) for member in found], limit, last)


@router.post("/members", status_code=201)
async def post_member(
    scope: Coordinators, context: Wired, new: MemberInput, response: Response
) -> MemberView:
    """Add a member."""
    paper = new.accepted_on_paper
    newcomer = NewMember(
        name=new.name,
        kind=new.kind,
        tie=new.tie,
        language=new.language,
        phone=new.phone,
        email=new.email,
        paper=None if paper is None else _paper(paper),
    )
    member = await create_member(context, scope.actor, scope.network.network_id, newcomer)
    return tagged(member, response)


class SearchInput(_Input):
    """What to look for: parts of a name, a number or an address, each of which has to fit."""

    text: Annotated[str, Field(min_length=1, max_length=100)]


@router.post("/members/search")
async def post_search(
    *,
    scope: Coordinators,
    context: Wired,
    asked: SearchInput,
    state: MemberState | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[MemberView]:
    """Search the members, by name; a POST, since a name has no place in a URL. It is on record."""
    found = await search_members(
        context,
        scope.actor,
        scope.network,
        wanted(asked.text),
        state=state,
        after=cursor,
        limit=limit,
    )
    last = found[-1].member_id if found else None
    return paged([member_view(member) for member in found], limit, last)


@router.get("/members/{member_id}")
async def get_member(
    scope: MemberKeeper, context: Wired, member_id: str, response: Response
) -> MemberView:
    """Show a member. The look is on record."""
    network_id = scope.network.network_id
    return tagged(await show_member(context, scope.actor, network_id, member_id), response)


@router.patch("/members/{member_id}")
async def patch_member(
    *,
    scope: Coordinators,
    context: Wired,
    member_id: str,
    version: ReadVersion,
    change: MemberChange,
    response: Response,
) -> MemberView:
    """Correct what is held on a member; `If-Match` holds the ETag of what you read."""
    member = await edit_member(
        context,
        scope.actor,
        scope.network.network_id,
        member_id,
        version=version,
        changes=dict(change),
    )
    return tagged(member, response)


@router.post("/members/{member_id}/accept")
async def post_accept(
    scope: MemberKeeper, context: Wired, member_id: str, paper: AcceptInput, response: Response
) -> MemberView:
    """Record that a member accepted on paper the house rules that held on the day of signing."""
    network_id = scope.network.network_id
    member = await accept_on_paper(context, scope.actor, network_id, member_id, _paper(paper))
    return tagged(member, response)


@router.post("/members/{member_id}/leave")
async def post_leave(
    scope: MemberKeeper,
    context: Wired,
    member_id: str,
    response: Response,
    why: LeaveInput | None = None,
) -> MemberView:
    """Let a member leave: warm and cold stop at once."""
    network_id = scope.network.network_id
    reason = None if why is None else why.reason
    member = await leave_by_coordinator(context, scope.actor, network_id, member_id, reason)
    return tagged(member, response)
