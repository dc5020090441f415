"""The sends of which nobody knows what became of them, for an operator to look at."""

from dataclasses import dataclass

from services.dispatcher.domain.ledger import Row
from services.dispatcher.store.rows import WITHOUT_EVENTS, to_row
from shared.contracts.base import Lane, SendState
from shared.mongo import Database, Document


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which of them somebody asks for; None does not narrow."""

    zone_id: str | None = None
    message_id: str | None = None
    lane: Lane | None = None


class UnknownSends:
    """Reads collection `sends` by an index that holds the unknown ones only."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._sends = database["sends"]

    async def prepare(self) -> None:
        """Create the index; on a good day it is empty."""
        await self._sends.create_index(
            [("state", 1), ("_id", 1)],
            name="unknown",
            partialFilterExpression={"state": str(SendState.UNKNOWN)},
        )

    async def page(self, about: Narrowed, after: str | None, limit: int) -> list[Row]:
        """Give up to `limit` of them in the order of their ids, beginning after one."""
        query: Document = {"state": str(SendState.UNKNOWN)}
        if about.zone_id is not None:
            query["zone"] = about.zone_id
        if about.message_id is not None:
            query["message_id"] = about.message_id
        if about.lane is not None:
            query["lane"] = str(about.lane)
        if after is not None:
            query["_id"] = {"$gt": after}
        found = self._sends.find(query, WITHOUT_EVENTS).hint("unknown").sort("_id", 1)
        return [to_row(item) async for item in found.limit(limit)]
