"""What the jobs look for: sends that somebody still has to see to."""

from collections.abc import Collection

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.message import MessageKey
from services.dispatcher.store.rows import WITHOUT_EVENTS, to_row
from shared.clock import Clock
from shared.mongo import Database


class Duties:
    """Lists them, and notes what was seen to."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Bind."""
        self._sends = database["sends"]
        self._clock = clock

    async def to_check(self, most: int) -> list[Row]:
        """List unknown sends, and accepted ones without a final receipt, whose time has come."""
        found = self._sends.find({"check_at": {"$lte": self._clock.now()}}, WITHOUT_EVENTS)
        return [to_row(item) async for item in found.sort("check_at", 1).limit(most)]

    async def planned_of(self, key: MessageKey, most: int) -> list[Row]:
        """List what is still planned of a message, to expire it."""
        found = self._sends.find({"message": str(key), "state": "planned"}, WITHOUT_EVENTS)
        return [to_row(item) async for item in found.limit(most)]

    async def bound(self, references: Collection[str]) -> set[str]:
        """Tell which provider ids belong to an attempt already."""
        found = self._sends.find(
            {"references": {"$in": list(references)}}, {"_id": 0, "references": 1}
        )
        return {reference async for item in found for reference in item["references"]}

    async def to_fall_back(self, most: int) -> list[Row]:
        """List warm sends that a STOP was learnt by, for which a mail may be planned."""
        found = self._sends.find({"fall_back": True}, WITHOUT_EVENTS)
        return [to_row(item) async for item in found.hint("to_fall_back").limit(most)]

    async def fell_back(self, send_ids: Collection[str]) -> None:
        """Note that this was seen to."""
        await self._sends.update_many(
            {"_id": {"$in": list(send_ids)}}, {"$unset": {"fall_back": ""}}
        )
