"""Where sends went: kept no longer than it is needed, and dropped when somebody is erased."""

from collections.abc import Collection
from datetime import datetime

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.message import MessageKey
from services.dispatcher.store.rows import GONE, KEPT, WITHOUT_EVENTS, to_row
from shared.clock import Clock
from shared.mongo import Database, Document, Session


class Destinations:
    """Drops them here, and says which the provider is to drop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Bind."""
        self._sends = database["sends"]
        self._clock = clock

    async def erase(self, session: Session | None, member_ids: Collection[str]) -> int:
        """Drop the destinations of erased people's sends, and mark what the provider has of them.

        A destination that somebody else shares stays until they are erased too. What is under way
        is marked once its provider id is known (`Changes`), what the time has ended now.
        """
        ids = list(member_ids)
        await self._sends.update_many(
            {"members": {"$in": ids}}, {"$addToSet": {"erased": {"$each": ids}}}, session=session
        )
        subset: Document = {"$expr": {"$setIsSubset": ["$members", "$erased"]}}
        dropped = await self._sends.update_many(
            {
                "members": {"$in": ids},
                "$or": [{"destination": KEPT}, {"ended": True}],
                **subset,
            },
            [
                {
                    "$set": {
                        "destination": {"$concat": [GONE, "$_id"]},
                        "token": None,
                        "v": {"$add": ["$v", 1]},
                        "forget": self._clock.now(),
                    }
                },
                {"$unset": "ended"},
            ],
            session=session,
        )
        return dropped.modified_count

    async def end(self, key: MessageKey) -> None:
        """Drop where a message's sends went, and what they link to; idempotent.

        Who they were for stays by member id and pseudonym, as long as the account of it.
        """
        await self._sends.update_many(
            {"message": str(key), "destination": KEPT},
            [
                {
                    "$set": {
                        "destination": {"$concat": [GONE, "$_id"]},
                        "token": None,
                        "reply_to": None,
                        "ended": True,
                        "v": {"$add": ["$v", 1]},
                    }
                }
            ],
        )

    async def to_forget(self, most: int) -> list[Row]:
        """List sends whose provider copies are to be dropped now, the longest due first."""
        found = self._sends.find({"forget": {"$lte": self._clock.now()}}, WITHOUT_EVENTS)
        return [to_row(item) async for item in found.sort("forget", 1).limit(most)]

    async def put_off(self, row: Row, until: datetime) -> None:
        """Have a send's copies dropped later: the provider would not now."""
        where = {"_id": row.send_id, "forget": {"$exists": True}}
        await self._sends.update_one(where, {"$set": {"forget": until}})

    async def forgotten(self, row: Row) -> None:
        """Note that the provider dropped its copies, as far as they were known in this row."""
        where = {"_id": row.send_id, "v": row.version}
        await self._sends.update_one(where, {"$unset": {"forget": ""}})
