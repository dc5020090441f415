"""`/v1/republish`: for operators, when a topic lost what it held."""

from fastapi import APIRouter
from pydantic import BaseModel

from services.registry.api.paging import Cursor
from services.registry.api.scopes import Operator, Wired, actor_of
from services.registry.flows.republish import Republishable, republish

router = APIRouter(tags=["operations"])


class Republished(BaseModel):
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
