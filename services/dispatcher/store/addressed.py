"""Which networks a zone's alerts addressed lately: the count that asks for a second officer."""

from datetime import datetime

from pymongo import ReturnDocument

from services.dispatcher.domain.judging import Addressed, still_counting
from shared.mongo import Database, Document, Session


class AddressedNetworks:
    """One row per zone, in collection `addressed`."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._rows = database["addressed"]

    async def lock(self, session: Session, zone_id: str) -> list[Addressed]:
        """Give what the zone addressed lately, and hold its row until the transaction ends.

        Two judges of one zone exclude each other here, so that both cannot slip below the limit.
        """
        row = await self._rows.find_one_and_update(
            {"_id": zone_id},
            {"$inc": {"judged": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        return _recent(row)

    async def look(self, zone_id: str) -> list[Addressed]:
        """Give what the zone addressed lately, for a preview."""
        return _recent(await self._rows.find_one({"_id": zone_id}))

    async def add(
        self, session: Session, zone_id: str, recent: list[Addressed], now: datetime
    ) -> None:
        """Store what counts from now on, in the transaction that locked the row."""
        entries = [
            {"at": entry.at, "network_ids": list(entry.network_ids)}
            for entry in still_counting(recent, now)
        ]
        await self._rows.update_one(
            {"_id": zone_id}, {"$set": {"recent": entries}}, session=session
        )


def _recent(row: Document | None) -> list[Addressed]:
    recent: list[Document] = [] if row is None else row.get("recent", [])
    return [Addressed(entry["at"], tuple(entry["network_ids"])) for entry in recent]
