"""The bulletins, one row per bulletin and network, in collection `bulletins`."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from services.registry.domain.bulletin import BulletinRecord, BulletinState
from services.registry.domain.failures import NotThere
from services.registry.store.rows import Aggregates, unknown_cursor
from shared.mongo import Document, Session

_OPEN: list[BulletinState] = ["suggested", "waiting"]


class Bulletins(Aggregates[BulletinRecord]):
    """All bulletins; a row's id is made of zone, bulletin and network."""

    model = BulletinRecord
    collection: ClassVar[str] = "bulletins"
    id_field: ClassVar[str] = "row_id"
    taken: ClassVar[dict[str, tuple[str, str, str]]] = {
        "_id": (
            "bulletin-id-taken",
            "The network has a bulletin with this id; take a new one.",
            "bulletin_id",
        )
    }

    async def prepare(self) -> None:
        """Create the indexes: by zone, network and state, and by the end of what waits."""
        for scope in ("zone_id", "network_id"):
            await self.rows.create_index([(scope, 1), ("issued_at", -1), ("_id", 1)])
            await self.rows.create_index([(scope, 1), ("state", 1), ("issued_at", -1), ("_id", 1)])
        await self.rows.create_index([("state", 1), ("expires_at", 1)])
        await self.rows.create_index([("network_id", 1), ("released_at", 1)])
        await self.rows.create_index([("network_id", 1), ("ended_at", 1)])
        await self.rows.create_index(
            [("chase_at", 1)], partialFilterExpression={"chase_at": {"$type": "date"}}
        )

    def row(self, aggregate: BulletinRecord) -> Document:
        """Add what the figures read by."""
        released, ended = aggregate.happened("released"), aggregate.ended_at
        return {**super().row(aggregate), "released_at": released, "ended_at": ended}

    async def in_network(
        self, network_id: str, bulletin_id: str, session: Session | None = None
    ) -> BulletinRecord:
        """Give a bulletin of a network. Raises `NotThere`."""
        query = {"network_id": network_id, "bulletin_id": bulletin_id}
        row = await self.rows.find_one(query, session=session)
        if row is None:
            raise NotThere
        return self.read(row)

    async def listed(
        self,
        session: Session,
        scope: Document,
        state: BulletinState | None,
        after: str | None,
        limit: int,
    ) -> list[BulletinRecord]:
        """Give a page, the latest issued first; `after` is the last row. Raises `Invalid`."""
        query: Document = dict(scope)
        if state is not None:
            query["state"] = state
        if after is not None:
            last = await self.rows.find_one(
                {"_id": after, **scope}, {"issued_at": 1}, session=session
            )
            if last is None:
                raise unknown_cursor()
            query["$or"] = [
                {"issued_at": {"$lt": last["issued_at"]}},
                {"issued_at": last["issued_at"], "_id": {"$gt": after}},
            ]
        rows = self.rows.find(query, session=session)
        rows = rows.sort([("issued_at", -1), ("_id", 1)]).limit(limit)
        return [self.read(row) async for row in rows]

    async def over(self, now: datetime, limit: int) -> list[str]:
        """Give rows that are open past their end."""
        query: Document = {"state": {"$in": _OPEN}, "expires_at": {"$lte": now}}
        rows = self.rows.find(query, {"_id": 1})
        return [str(row["_id"]) async for row in rows.limit(limit)]

    async def chased(self, now: datetime, limit: int) -> list[str]:
        """Give rows whose relay somebody is to hear of again by now."""
        rows = self.rows.find({"chase_at": {"$lte": now}}, {"_id": 1}).sort("chase_at", 1)
        return [str(row["_id"]) async for row in rows.limit(limit)]

    async def ended_between(
        self, session: Session, network_id: str, since: datetime, until: datetime
    ) -> list[BulletinRecord]:
        """Give what was released, returned or let expire in a network in a period; no tests."""
        query: Document = {
            "network_id": network_id,
            "ended_at": {"$gte": since, "$lt": until},
            "status": {"$ne": "test"},
        }
        return [self.read(row) async for row in self.rows.find(query, session=session)]

    async def released(self, session: Session, row_ids: Sequence[str]) -> set[str]:
        """Give those of some rows that are there and released."""
        if not row_ids:
            return set()
        query: Document = {"_id": {"$in": list(row_ids)}, "state": "released"}
        rows = self.rows.find(query, {"_id": 1}, session=session)
        return {str(row["_id"]) async for row in rows}

    async def open_in(self, session: Session, network_id: str) -> list[BulletinRecord]:
        """Give what waits or is suggested in a network."""
        query: Document = {"network_id": network_id, "state": {"$in": _OPEN}}
        return [self.read(row) async for row in self.rows.find(query, session=session)]

    async def ended_before(self, moment: datetime, limit: int) -> list[str]:
        """Give rows that ended before a moment, whatever became of them."""
        rows = self.rows.find({"expires_at": {"$lte": moment}}, {"_id": 1})
        return [str(row["_id"]) async for row in rows.limit(limit)]

    async def remove(self, session: Session, row_id: str) -> None:
        """Delete a row that is past its date."""
        await self.rows.delete_one({"_id": row_id}, session=session)
