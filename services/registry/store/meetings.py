"""The members' meetings, in collection `meetings`."""

from datetime import datetime
from typing import ClassVar

from services.registry.domain.failures import NotThere
from services.registry.domain.meeting import Meeting
from services.registry.store.rows import Aggregates, unknown_cursor
from shared.mongo import Document, Session


class Meetings(Aggregates[Meeting]):
    """All meetings, by their id; listed by network."""

    model = Meeting
    collection: ClassVar[str] = "meetings"
    id_field: ClassVar[str] = "meeting_id"

    async def prepare(self) -> None:
        """Create the indexes: a network's list, and what is past its date."""
        await self.rows.create_index([("ends_at", 1)])
        await self.rows.create_index([("network_id", 1), ("starts_at", -1), ("_id", 1)])

    async def in_network(self, network_id: str, meeting_id: str, session: Session) -> Meeting:
        """Give a meeting of a network. Raises `NotThere`."""
        query: Document = {"_id": meeting_id, "network_id": network_id}
        row = await self.rows.find_one(query, session=session)
        if row is None:
            raise NotThere
        return self.read(row)

    async def listed(
        self, session: Session, network_id: str, after: str | None, limit: int
    ) -> list[Meeting]:
        """Give a page, the latest first; `after` is the last of the page before.

        Raises `Invalid`.
        """
        query: Document = {"network_id": network_id}
        if after is not None:
            last = await self.rows.find_one(
                {"_id": after, "network_id": network_id}, {"starts_at": 1}, session=session
            )
            if last is None:
                raise unknown_cursor()
            query["$or"] = [
                {"starts_at": {"$lt": last["starts_at"]}},
                {"starts_at": last["starts_at"], "_id": {"$gt": after}},
            ]
        rows = self.rows.find(query, session=session)
        rows = rows.sort([("starts_at", -1), ("_id", 1)]).limit(limit)
        return [self.read(row) async for row in rows]

    async def between(
        self, session: Session, network_id: str, since: datetime, until: datetime
    ) -> list[Meeting]:
        """Give a network's meetings of a period, `until` excluded, in order; no cancelled ones."""
        query: Document = {
            "network_id": network_id,
            "starts_at": {"$gte": since, "$lt": until},
            "cancelled_at": None,
        }
        rows = self.rows.find(query, session=session).sort([("starts_at", 1), ("_id", 1)])
        return [self.read(row) async for row in rows]

    async def ended_before(self, moment: datetime, limit: int) -> list[str]:
        """Give meetings that ended before a moment."""
        rows = self.rows.find({"ends_at": {"$lte": moment}}, {"_id": 1})
        return [str(row["_id"]) async for row in rows.limit(limit)]

    async def remove(self, session: Session, meeting_id: str) -> None:
        """Delete a meeting that is past its date, with its minutes."""
        await self.rows.delete_one({"_id": meeting_id}, session=session)
