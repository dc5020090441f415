"""`/v1/republish` and `/v1/recover`: for operators, when a topic or the database lost something."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict

from services.registry.api.paging import Cursor
from services.registry.api.scopes import Operator, Wired, actor_of
from services.registry.flows.hold_back import BEHIND, Gate
from services.registry.flows.recover import recover
from services.registry.flows.republish import Republishable, republish
from shared.http import Explanation, Problem, View, sentence
from shared.topics import BULLETINS, MEMBERS, NETWORKS, VERDICTS, ZONES

router = APIRouter(tags=["operations"])


def gate_of(request: Request) -> Gate:
    """Give what `app.build` wired."""
    gate: Gate = request.app.state.gate
    return gate


async def changes_are_open(request: Request) -> None:
    """Dependency of every route: a restored backup is recovered before anything is changed.

    A change would take a version that was published already with something else. Reading goes on.
    """
    if request.method in _READS or request.url.path.endswith(_RECOVER):
        return
    gate = gate_of(request)
    if await gate.behind():
        raise Problem(503, "restored-backup", sentence(BEHIND))
    if not await gate.caught_up():
        raise Problem(
            503,
            "catching-up",
            "The service has just started and reads what it published; try again in a moment.",
            headers={"Retry-After": "2"},
        )


_READS = {"GET", "HEAD", "OPTIONS"}
_RECOVER = "/v1/recover"


class Recovery(View):
    """Why the database is taken on from a backup."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Explanation


class Recovered(View):
    """How much was taken back."""

    zones: int
    networks: int
    members: int
    bulletins: int
    """Releases by coordinators."""

    verdicts: int
    """Accepted proposals, which wait for their relay again."""


class Republished(View):
    """How many aggregates were sent again, and where to go on; None once all were."""

    count: int
    next: str | None


@router.post("/republish")
async def post_republish(
    who: Operator, context: Wired, topic: Republishable, cursor: Cursor = None
) -> Republished:
    """Send one page of a compacted topic's aggregates again; repeat with `cursor` until done."""
    page = await republish(context, actor_of(who), topic, cursor)
    return Republished(count=page.count, next=page.last)


@router.post("/recover")
async def post_recover(
    who: Operator,
    context: Wired,
    gate: Annotated[Gate, Depends(gate_of)],
    recovery: Recovery,
) -> Recovered:
    """Take from the registry's own topics what a restored backup does not know, and go on.

    Until then nothing is published and nothing changes; erasures are applied before.
    """
    taken = await recover(context, gate, actor_of(who), recovery.reason)
    return Recovered(
        zones=taken[ZONES.name],
        networks=taken[NETWORKS.name],
        members=taken[MEMBERS.name],
        bulletins=taken[BULLETINS.name],
        verdicts=taken[VERDICTS.name],
    )
