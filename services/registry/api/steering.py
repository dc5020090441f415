"""`/v1/networks/{id}/steering-group`: the members who help the coordinator."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field

from services.registry.api.paging import Page
from services.registry.api.scopes import Coordinators, ReadVersion, Wired, etag
from services.registry.domain.member import MemberRecord
from services.registry.domain.network import STEERING_MOST, NetworkRecord
from services.registry.flows.set_steering_group import name_steering_group, show_steering_group
from shared.contracts.base import Id
from shared.http import View

router = APIRouter(prefix="/networks/{network_id}", tags=["coordinators"])


class SteeringInput(View):
    """The whole steering group, by member ids; an empty list ends it."""

    model_config = ConfigDict(extra="forbid")

    member_ids: Annotated[tuple[Id, ...], Field(max_length=STEERING_MOST)]


class SteeringMember(View):
    """Somebody in the steering group."""

    member_id: str
    name: str


def _page(
    found: tuple[NetworkRecord, list[MemberRecord]], response: Response
) -> Page[SteeringMember]:
    """Give the group, with the ETag of the network that it belongs to."""
    network, members = found
    response.headers["ETag"] = etag(network.version)
    items = [SteeringMember(member_id=m.member_id, name=m.name) for m in members]
    return Page[SteeringMember](items=items, next=None)


@router.get("/steering-group")
async def get_steering_group(
    scope: Coordinators, context: Wired, response: Response
) -> Page[SteeringMember]:
    """List the steering group."""
    network_id = scope.network.network_id
    return _page(await show_steering_group(context, scope.actor, network_id), response)


@router.put("/steering-group")
async def put_steering_group(
    scope: Coordinators,
    context: Wired,
    version: ReadVersion,
    named: SteeringInput,
    response: Response,
) -> Page[SteeringMember]:
    """Name the steering group from active members; `If-Match` holds the ETag of what you read."""
    found = await name_steering_group(
        context, scope.actor, scope.network.network_id, named.member_ids, version=version
    )
    return _page(found, response)
