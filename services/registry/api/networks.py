"""`/v1/networks`: networks and their states."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from services.registry.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, paged
from services.registry.api.scopes import (
    NetworkKeeper,
    NetworkReader,
    NetworkScope,
    NetworkStaff,
    ReadVersion,
    Wired,
    ZoneKeeper,
    actor_of,
    etag,
)
from services.registry.domain.failures import Invalid
from services.registry.domain.network import (
    Area,
    Languages,
    Name,
    NetworkRecord,
    NisCode,
    SenderName,
    province,
)
from services.registry.domain.rights import Right, may
from services.registry.domain.zone import ZoneWarning, warnings
from services.registry.flows.activate_network import activate_network
from services.registry.flows.create_network import NewNetwork, create_network
from services.registry.flows.dissolve_network import dissolve_network
from services.registry.flows.edit_network import edit_network
from services.registry.flows.list_networks import list_networks
from services.registry.flows.suspend_network import suspend_network
from shared.access import Role, not_found
from shared.contracts.base import Id, Language, UtcTime, ZoneId
from shared.contracts.registry import DocumentKind, NetworkKind, NetworkState, QuietHours
from shared.http import View

router = APIRouter(prefix="/networks", tags=["networks"])
one = APIRouter(prefix="/networks/{network_id}", tags=["networks"])

Why = Annotated[str, Field(min_length=1, max_length=1000)]


class _Input(View):
    model_config = ConfigDict(extra="forbid")


class NetworkInput(_Input):
    """A network to create. Only an admin chooses its id; else it is random."""

    zone_id: ZoneId
    network_id: Id | None = None
    name: Name
    municipality: NisCode
    kind: NetworkKind
    languages: Languages
    sender_name: SenderName
    area: Area | None = None
    officer_id: Id | None = None


class NetworkChange(TypedDict, total=False):
    """What to change; fields that are left out stay as they are."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # pyright: ignore[reportGeneralTypeIssues]

    name: Name
    municipality: NisCode
    languages: Languages
    sender_name: SenderName
    area: Area | None
    officer_id: Id | None


class Reason(_Input):
    """Why it is done."""

    reason: Why


class NetworkItem(View):
    """A network in a list."""

    network_id: str
    zone_id: str
    name: str
    municipality: str
    kind: NetworkKind
    state: NetworkState
    languages: tuple[Language, ...]


class NetworkView(NetworkItem):
    """A network."""

    version: int
    province: str | None
    sender_name: str
    area: Area | None
    officer_id: str | None
    documents: dict[DocumentKind, int]
    exercises: bool
    warm_fallback: Literal["email"] | None
    quiet_hours: QuietHours | None
    active_coordinators: int
    state_since: UtcTime
    state_reason: str | None
    warnings: list[ZoneWarning]
    """What its zone still owes; `zone_privacy`: its privacy notice names nobody to turn to."""


def _item(network: NetworkRecord) -> NetworkItem:
    return NetworkItem(**_facts(network))


def _facts(network: NetworkRecord) -> dict[str, Any]:
    return {name: getattr(network, name) for name in NetworkItem.model_fields}


async def _view(network: NetworkRecord, context: Wired, response: Response) -> NetworkView:
    response.headers["ETag"] = etag(network.version)
    zone = await context.zones.get(network.zone_id)
    return NetworkView.model_validate(
        {
            **_facts(network),
            "version": network.version,
            "province": province(network.municipality),
            "sender_name": network.sender_name,
            "area": network.area,
            "officer_id": None if network.officer is None else network.officer.officer_id,
            "documents": network.documents,
            "exercises": network.plan.exercises,
            "warm_fallback": network.plan.warm_fallback,
            "quiet_hours": network.plan.quiet_hours,
            "active_coordinators": len(network.active_coordinators(context.clock.now())),
            "state_since": network.state_since,
            "state_reason": network.state_reason,
            "warnings": warnings(zone),
        }
    )


@router.get("")
async def get_networks(
    who: NetworkReader, context: Wired, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Page[NetworkItem]:
    """List the networks that you may see."""
    found = await list_networks(context, who, cursor, limit)
    last = found[-1].network_id if found else None
    return paged([_item(network) for network in found], limit, last)


@router.post("", status_code=201)
async def post_network(
    who: ZoneKeeper, context: Wired, new: NetworkInput, response: Response
) -> NetworkView:
    """Create a network, as a draft."""
    rights = (Right.ADMIN, Right.POLICE)
    if not may(who, rights, new.zone_id, None, context.clock.now()):
        raise not_found()
    if new.network_id is not None and not who.has(Role.ADMIN):
        raise Invalid(
            "id-not-yours-to-choose",
            "Leave `network_id` out: only an admin chooses it.",
            field="network_id",
        )
    network = await create_network(context, actor_of(who), NewNetwork(**dict(new)))
    return await _view(network, context, response)


@one.get("")
async def get_network(scope: NetworkKeeper, context: Wired, response: Response) -> NetworkView:
    """Show a network."""
    return await _view(scope.network, context, response)


@one.patch("")
async def patch_network(
    scope: NetworkStaff,
    context: Wired,
    version: ReadVersion,
    change: NetworkChange,
    response: Response,
) -> NetworkView:
    """Change a network's facts; `If-Match` holds the ETag of what you read."""
    network = await edit_network(context, scope.actor, _id(scope), version, dict(change))
    return await _view(network, context, response)


@one.post("/activate")
async def post_activate(scope: NetworkStaff, context: Wired, response: Response) -> NetworkView:
    """Make a network active. The refusal names everything that it still lacks."""
    network = await activate_network(context, scope.actor, _id(scope))
    return await _view(network, context, response)


@one.post("/suspend")
async def post_suspend(
    scope: NetworkStaff, context: Wired, why: Reason, response: Response
) -> NetworkView:
    """Suspend a network: its members get no messages."""
    network = await suspend_network(context, scope.actor, _id(scope), why.reason)
    return await _view(network, context, response)


@one.post("/dissolve")
async def post_dissolve(
    scope: NetworkStaff, context: Wired, why: Reason, response: Response
) -> NetworkView:
    """Dissolve a network for good."""
    network = await dissolve_network(context, scope.actor, _id(scope), why.reason)
    return await _view(network, context, response)


def _id(scope: NetworkScope) -> str:
    return scope.network.network_id
