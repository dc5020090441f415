"""`/v1/networks/{id}/members/{member_id}`: measures against a member, each with its reason."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field

from services.registry.api.members import MemberView, tagged
from services.registry.api.scopes import Coordinators, Wired
from services.registry.flows.discipline_member import (
    exclude_member,
    reinstate_member,
    reprimand_member,
    suspend_member,
)
from shared.contracts.base import Moment
from shared.http import View

router = APIRouter(prefix="/networks/{network_id}/members/{member_id}", tags=["members"])


class MeasureInput(View):
    """Why; the member can read it, and has three weeks to appeal."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class SuspensionInput(MeasureInput):
    """Why, and when it ends by itself."""

    until: Moment


@router.post("/reprimand")
async def post_reprimand(
    scope: Coordinators, context: Wired, member_id: str, why: MeasureInput, response: Response
) -> MemberView:
    """Reprimand a member."""
    network_id = scope.network.network_id
    member = await reprimand_member(context, scope.actor, network_id, member_id, why.reason)
    return tagged(member, response)


@router.post("/suspend")
async def post_suspend(
    scope: Coordinators, context: Wired, member_id: str, why: SuspensionInput, response: Response
) -> MemberView:
    """Suspend a member until a date; they get no messages meanwhile."""
    member = await suspend_member(
        context,
        scope.actor,
        scope.network.network_id,
        member_id,
        reason=why.reason,
        until=why.until,
    )
    return tagged(member, response)


@router.post("/reinstate")
async def post_reinstate(
    scope: Coordinators, context: Wired, member_id: str, why: MeasureInput, response: Response
) -> MemberView:
    """End a suspension before its time."""
    network_id = scope.network.network_id
    member = await reinstate_member(context, scope.actor, network_id, member_id, why.reason)
    return tagged(member, response)


@router.post("/exclude")
async def post_exclude(
    scope: Coordinators, context: Wired, member_id: str, why: MeasureInput, response: Response
) -> MemberView:
    """Exclude a member: warm and cold stop at once."""
    network_id = scope.network.network_id
    member = await exclude_member(context, scope.actor, network_id, member_id, why.reason)
    return tagged(member, response)
