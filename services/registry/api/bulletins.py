"""`/v1/networks/{id}/bulletins`: the relay, and a coordinator's own bulletins."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.registry.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, paged
from services.registry.api.scopes import Coordinators, NetworkPolice, NetworkRelay, Wired
from services.registry.domain.bulletin import BulletinRecord, BulletinState, Happening
from services.registry.domain.preview import preview
from services.registry.flows.list_bulletins import list_in_network
from services.registry.flows.relay_bulletin import (
    release_bulletin,
    return_bulletin,
    withdraw_bulletin,
)
from services.registry.flows.write_bulletin import NewBulletin, write_bulletin
from shared.contracts.base import Bodies, BulletinKind, Language, Status, Subjects, UtcTime

router = APIRouter(prefix="/networks/{network_id}", tags=["bulletins"])

Why = Annotated[str, Field(min_length=1, max_length=1000)]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BulletinInput(_Input):
    """A coordinator's own message to the network: a meeting, the house rules."""

    kind: BulletinKind = BulletinKind.ORGANISATION
    subject: Subjects
    body: Bodies
    expires_at: AwareDatetime | None = None
    """14 days ahead by default."""


class ReturnInput(_Input):
    """Why a bulletin goes back to its officer."""

    reason: Why


class WithdrawInput(_Input):
    """Why a bulletin is withdrawn."""

    reason: Why | None = None


class BulletinItem(BaseModel):
    """A bulletin in a list."""

    bulletin_id: str
    network_id: str
    zone_id: str
    kind: BulletinKind
    status: Status
    references: str | None
    subject: Subjects
    state: BulletinState
    origin: Literal["police", "coordinator"]
    issued_by: str
    issued_at: UtcTime
    expires_at: UtcTime


class PreviewView(BaseModel):
    """A bulletin in one language, as members will see it."""

    language: Language
    subject: str
    text: str


class StepView(BaseModel):
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
    scope: NetworkRelay,
    context: Wired,
    state: BulletinState | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[BulletinItem]:
    """List a network's bulletins, the latest first."""
    network_id = scope.network.network_id
    found = await list_in_network(context, network_id, state, cursor, limit)
    last = found[-1].row_id if found else None
    return paged([bulletin_item(bulletin) for bulletin in found], limit, last)


@router.post("/bulletins", status_code=201)
async def post_bulletin(scope: Coordinators, context: Wired, new: BulletinInput) -> BulletinView:
    """Send an `organisation` bulletin to the own network; the officer sees it."""
    written = NewBulletin(
        kind=new.kind, subject=new.subject, body=new.body, expires_at=new.expires_at
    )
    network_id = scope.network.network_id
    return _view(await write_bulletin(context, scope.caller.subject, network_id, written))


@router.get("/bulletins/{bulletin_id}")
async def get_bulletin(scope: NetworkRelay, context: Wired, bulletin_id: str) -> BulletinView:
    """Show a bulletin as members will see it, with its timeline."""
    return _view(await context.bulletins.in_network(scope.network.network_id, bulletin_id))


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
