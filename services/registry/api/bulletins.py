"""`/v1/networks/{id}/bulletins`: the relay, a coordinator's own, and a municipality's tips."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from services.registry.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, paged
from services.registry.api.scopes import (
    BulletinReader,
    BulletinWriter,
    NetworkPolice,
    NetworkRelay,
    NetworkScope,
    Wired,
)
from services.registry.domain.bulletin import (
    BulletinRecord,
    BulletinState,
    Edit,
    Happening,
    Origin,
)
from services.registry.domain.failures import NotThere
from services.registry.domain.preview import preview
from services.registry.domain.rights import Right
from services.registry.flows.adopt_bulletin import adopt_bulletin
from services.registry.flows.decline_bulletin import decline_bulletin
from services.registry.flows.list_bulletins import list_in_network
from services.registry.flows.relay_bulletin import (
    release_bulletin,
    return_bulletin,
    withdraw_bulletin,
)
from services.registry.flows.suggest_bulletin import suggest_bulletin
from services.registry.flows.write_bulletin import NewBulletin, write_bulletin
from shared.contracts.base import Bodies, BulletinKind, Language, Moment, Status, Subjects, UtcTime
from shared.http import View

router = APIRouter(prefix="/networks/{network_id}", tags=["bulletins"])

Why = Annotated[str, Field(min_length=1, max_length=1000)]


class _Input(View):
    model_config = ConfigDict(extra="forbid")


class BulletinInput(_Input):
    """A coordinator's own message to the network, or a municipality's tip.

    `kind` is by default what one may write: `organisation`, or for a municipality `prevention`.
    """

    kind: BulletinKind | None = None
    subject: Subjects
    body: Bodies
    expires_at: Moment | None = None
    """14 days ahead by default."""


class AdoptInput(_Input):
    """What the officer makes of a tip; what is left out stays as it was suggested."""

    subject: Subjects | None = None
    body: Bodies | None = None
    expires_at: Moment | None = None


class DeclineInput(_Input):
    """Why a tip is declined; its municipality reads it."""

    reason: Why


class ReturnInput(_Input):
    """Why a bulletin goes back to its officer."""

    reason: Why


class WithdrawInput(_Input):
    """Why a bulletin is withdrawn."""

    reason: Why | None = None


class BulletinItem(View):
    """A bulletin in a list."""

    bulletin_id: str
    network_id: str
    zone_id: str
    kind: BulletinKind
    status: Status
    references: str | None
    subject: Subjects
    state: BulletinState
    origin: Origin
    issued_by: str
    issued_at: UtcTime
    expires_at: UtcTime


class PreviewView(View):
    """A bulletin in one language, as members will see it."""

    language: Language
    subject: str
    text: str


class StepView(View):
    """One thing that happened to a bulletin."""

    what: Happening
    at: UtcTime
    by: str
    reason: str | None


class BulletinView(BulletinItem):
    """A bulletin, with its preview and everything that happened to it."""

    preview: list[PreviewView]
    timeline: list[StepView]


def bulletin_item(bulletin: BulletinRecord) -> BulletinItem:
    """Give a bulletin as lists show it."""
    return BulletinItem(**_facts(bulletin))


def _facts(bulletin: BulletinRecord) -> dict[str, Any]:
    return {name: getattr(bulletin, name) for name in BulletinItem.model_fields}


def _view(bulletin: BulletinRecord) -> BulletinView:
    return BulletinView.model_validate(
        {
            **_facts(bulletin),
            "preview": [
                PreviewView(language=shown.language, subject=shown.subject, text=shown.text)
                for shown in preview(bulletin)
            ],
            "timeline": [StepView(**dict(step)) for step in bulletin.timeline],
        }
    )


@router.get("/bulletins")
async def get_bulletins(
    scope: BulletinReader,
    context: Wired,
    state: BulletinState | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[BulletinItem]:
    """List a network's bulletins, the latest first; for a municipality, its own tips."""
    network_id = scope.network.network_id
    origin = _only(scope, context)
    found = await list_in_network(context, network_id, state, cursor, limit, origin=origin)
    last = found[-1].row_id if found else None
    return paged([bulletin_item(bulletin) for bulletin in found], limit, last)


@router.post("/bulletins", status_code=201)
async def post_bulletin(scope: BulletinWriter, context: Wired, new: BulletinInput) -> BulletinView:
    """Send an `organisation` bulletin to the own network, or suggest a tip as its municipality.

    The officer sees the one, and adopts or declines the other.
    """
    is_own = scope.stands(Right.COORDINATOR, context.clock.now())
    default = BulletinKind.ORGANISATION if is_own else BulletinKind.PREVENTION
    written = NewBulletin(
        kind=new.kind or default, subject=new.subject, body=new.body, expires_at=new.expires_at
    )
    subject, network_id = scope.caller.subject, scope.network.network_id
    if is_own:
        return _view(await write_bulletin(context, subject, network_id, written))
    return _view(await suggest_bulletin(context, subject, network_id, written))


@router.get("/bulletins/{bulletin_id}")
async def get_bulletin(scope: BulletinReader, context: Wired, bulletin_id: str) -> BulletinView:
    """Show a bulletin as members will see it, with its timeline."""
    found = await context.bulletins.in_network(scope.network.network_id, bulletin_id)
    if _only(scope, context) not in {None, found.origin}:
        raise NotThere
    return _view(found)


def _only(scope: NetworkScope, context: Wired) -> Origin | None:
    """Give what a caller is narrowed to: a municipality sees its own tips."""
    now = context.clock.now()
    if scope.stands(Right.POLICE, now) or scope.stands(Right.COORDINATOR, now):
        return None
    return "municipality"


@router.post("/bulletins/{bulletin_id}/adopt")
async def post_adopt(
    scope: NetworkPolice, context: Wired, bulletin_id: str, edit: AdoptInput | None = None
) -> BulletinView:
    """Adopt a municipality's tip, edited; then it waits for the coordinator as `prevention`."""
    given = edit or AdoptInput()
    wanted = Edit(subject=given.subject, body=given.body, expires_at=given.expires_at)
    subject, network_id = scope.caller.subject, scope.network.network_id
    return _view(await adopt_bulletin(context, subject, network_id, bulletin_id, wanted))


@router.post("/bulletins/{bulletin_id}/decline")
async def post_decline(
    scope: NetworkPolice, context: Wired, bulletin_id: str, why: DeclineInput
) -> BulletinView:
    """Decline a municipality's tip, with a reason."""
    subject, network_id = scope.caller.subject, scope.network.network_id
    return _view(await decline_bulletin(context, subject, network_id, bulletin_id, why.reason))


@router.post("/bulletins/{bulletin_id}/release")
async def post_release(scope: NetworkRelay, context: Wired, bulletin_id: str) -> BulletinView:
    """Relay a waiting bulletin to the members. Again is the same.

    The network's coordinators and deputies do; the police only where it has none of these.
    """
    network_id = scope.network.network_id
    return _view(await release_bulletin(context, scope.caller, network_id, bulletin_id))


@router.post("/bulletins/{bulletin_id}/return")
async def post_return(
    scope: NetworkRelay, context: Wired, bulletin_id: str, why: ReturnInput
) -> BulletinView:
    """Return a waiting bulletin to its officer, with a reason."""
    network_id = scope.network.network_id
    bulletin = await return_bulletin(context, scope.caller, network_id, bulletin_id, why.reason)
    return _view(bulletin)


@router.post("/bulletins/{bulletin_id}/withdraw")
async def post_withdraw(
    scope: NetworkPolice, context: Wired, bulletin_id: str, why: WithdrawInput | None = None
) -> BulletinView:
    """Take a waiting bulletin back, as the police."""
    reason = None if why is None else why.reason
    network_id = scope.network.network_id
    return _view(await withdraw_bulletin(context, scope.caller, network_id, bulletin_id, reason))
