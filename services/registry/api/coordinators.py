"""`/v1/networks/{id}/coordinators`: who coordinates, their screening, deputies and removal."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, EmailStr, Field

from services.registry.api.paging import Page
from services.registry.api.scopes import (
    CoordinatorKeeper,
    NetworkKeeper,
    NetworkPolice,
    Wired,
)
from services.registry.domain import contact
from services.registry.domain.coordinator import (
    Coordinator,
    CoordinatorRole,
    Removal,
    Screening,
)
from services.registry.domain.network import Name
from services.registry.flows.add_coordinator import add_coordinator
from services.registry.flows.deputise_coordinator import deputise_coordinator
from services.registry.flows.list_coordinators import list_coordinators
from services.registry.flows.remove_coordinator import remove_coordinator
from services.registry.flows.screen_coordinator import screen_coordinator
from shared.contracts.base import Language, Moment, UtcTime
from shared.http import View

router = APIRouter(prefix="/networks/{network_id}", tags=["coordinators"])


class _Person(View):
    model_config = ConfigDict(extra="forbid")

    subject: Annotated[str, Field(min_length=1, max_length=200)]
    """The `sub` of the person's token."""

    name: Name
    email: EmailStr
    phone: Annotated[str, Field(max_length=40)] | None = None
    language: Language
    adult: Literal[True]
    agrees_to_screening: Literal[True]


class NewCoordinator(_Person):
    """An adult who agreed to be screened by the police."""

    role: Literal["coordinator", "co_coordinator"] = "coordinator"


class NewDeputy(_Person):
    """Who stands in, and when; `until` is the first moment at which they do not any more."""

    since: Moment
    until: Moment


class ScreeningInput(View):
    """The outcome of a screening; nothing else about it is kept."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["passed", "failed"]


class RemovalInput(View):
    """Why somebody coordinates no more."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class CoordinatorView(View):
    """A coordinator, co-coordinator or deputy, present or past."""

    coordinator_id: str
    role: CoordinatorRole
    subject: str
    name: str
    email: str
    phone: str | None
    language: Language
    active: bool
    screening: Literal["waiting", "passed", "failed"]
    screened_at: UtcTime | None
    stands_in_for: str | None
    since: UtcTime | None
    until: UtcTime | None
    removed_at: UtcTime | None
    removal_reason: str | None
    appeal_until: UtcTime | None


def _view(person: Coordinator, context: Wired) -> CoordinatorView:
    removal, screening = person.removal, person.screening
    outcome = "waiting" if screening is None else "passed" if screening.passed else "failed"
    return CoordinatorView(
        coordinator_id=person.coordinator_id,
        role=person.role,
        subject=person.subject,
        name=person.name,
        email=person.email,
        phone=person.phone,
        language=person.language,
        active=person.is_active(context.clock.now()),
        screening=outcome,
        screened_at=None if screening is None else screening.at,
        stands_in_for=person.stands_in_for,
        since=person.since,
        until=person.until,
        removed_at=None if removal is None else removal.at,
        removal_reason=None if removal is None else removal.reason,
        appeal_until=None if removal is None else removal.appeal_until,
    )


def _person(new: _Person, context: Wired, role: CoordinatorRole) -> Coordinator:
    return Coordinator(
        coordinator_id=context.clock.new_id(),
        role=role,
        subject=new.subject,
        name=new.name,
        email=contact.email(new.email),
        phone=None if new.phone is None else contact.phone(new.phone).e164,
        language=new.language,
        agreed_to_screening_at=context.clock.now(),
    )


@router.get("/coordinators")
async def get_coordinators(scope: NetworkKeeper, context: Wired) -> Page[CoordinatorView]:
    """List who coordinates, and who did."""
    people = await list_coordinators(context, scope.actor, scope.network.network_id)
    return Page[CoordinatorView](items=[_view(p, context) for p in people], next=None)


@router.post("/coordinators", status_code=201)
async def post_coordinator(
    scope: CoordinatorKeeper, context: Wired, new: NewCoordinator
) -> CoordinatorView:
    """Add a coordinator; they may act once the police screened them."""
    person = _person(new, context, new.role)
    added = await add_coordinator(context, scope.actor, scope.network.network_id, person)
    return _view(added, context)


@router.post("/coordinators/{coordinator_id}/screen")
async def post_screen(
    scope: NetworkPolice, context: Wired, coordinator_id: str, outcome: ScreeningInput
) -> CoordinatorView:
    """Record that the police screened a coordinator or deputy."""
    screening = Screening(
        by=scope.caller.subject,
        at=context.clock.now(),
        passed=outcome.outcome == "passed",
    )
    network_id = scope.network.network_id
    person = await screen_coordinator(context, scope.actor, network_id, coordinator_id, screening)
    return _view(person, context)


@router.post("/coordinators/{coordinator_id}/deputise", status_code=201)
async def post_deputise(
    scope: CoordinatorKeeper, context: Wired, coordinator_id: str, new: NewDeputy
) -> CoordinatorView:
    """Let somebody stand in for a coordinator during a period, once they are screened."""
    deputy = _person(new, context, "deputy").model_copy(
        update={"stands_in_for": coordinator_id, "since": new.since, "until": new.until}
    )
    network_id = scope.network.network_id
    return _view(await deputise_coordinator(context, scope.actor, network_id, deputy), context)


@router.post("/coordinators/{coordinator_id}/remove")
async def post_remove(
    scope: CoordinatorKeeper, context: Wired, coordinator_id: str, why: RemovalInput
) -> CoordinatorView:
    """End somebody's coordinating, with the reason; they have three weeks to appeal."""
    removal = Removal(at=context.clock.now(), by=scope.caller.subject, reason=why.reason)
    network_id = scope.network.network_id
    person = await remove_coordinator(context, scope.actor, network_id, coordinator_id, removal)
    return _view(person, context)
