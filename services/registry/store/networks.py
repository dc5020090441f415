"""The networks, in collection `networks`."""

from datetime import datetime
from typing import ClassVar

from services.registry.domain.network import NetworkRecord
from services.registry.store.rows import Aggregates
from shared.mongo import Document, Session


class Networks(Aggregates[NetworkRecord]):
    """All networks, by their id."""

    model = NetworkRecord
    collection: ClassVar[str] = "networks"
    id_field: ClassVar[str] = "network_id"
    taken: ClassVar[dict[str, tuple[str, str, str]]] = {
        "_id": (
            "network-id-taken",
            "There is a network with this id; choose another.",
            "network_id",
        )
    }

    async def prepare(self) -> None:
        """Create the indexes: by zone, municipality and coordinator, and by the next turn."""
        await self.rows.create_index([("zone_id", 1), ("_id", 1)])
        await self.rows.create_index([("municipality", 1), ("_id", 1)])
        await self.rows.create_index([("coordinators.subject", 1), ("_id", 1)])
        await self.rows.create_index([("next_turn", 1)], sparse=True)

    async def turn_due(self, session: Session, network_id: str, now: datetime) -> datetime | None:
        """Give the turn of a network that has come, and that nobody has seen to."""
        query: Document = {"_id": network_id, "next_turn": {"$lte": now}}
        row = await self.rows.find_one(query, {"next_turn": 1}, session=session)
        return None if row is None else row["next_turn"]

    async def turn_at(
        self,
        session: Session,
        network: NetworkRecord,
        now: datetime,
        due: datetime | None = None,
    ) -> None:
        """Store when time alone will next change who may act in a network, or a turn still due."""
        turn = due or network.next_turn(now)
        change: Document = (
            {"$unset": {"next_turn": ""}} if turn is None else {"$set": {"next_turn": turn}}
        )
        await self.rows.update_one({"_id": network.network_id}, change, session=session)

    async def turned(self, now: datetime, limit: int) -> list[str]:
        """Give networks in which who may act has changed by now."""
        rows = self.rows.find({"next_turn": {"$lte": now}}, {"_id": 1}).limit(limit)
        return [str(row["_id"]) async for row in rows]

    async def dissolved_before(self, moment: datetime) -> list[str]:
        """Give networks that were dissolved before a moment."""
        query: Document = {"state": "dissolved", "state_since": {"$lte": moment}}
        return [str(row["_id"]) async for row in self.rows.find(query, {"_id": 1})]

    async def holding_ended(
        self, oldest_end: datetime, dissolved_before: datetime, limit: int
    ) -> list[str]:
        """Give networks that hold somebody whose coordinating, or whose network, ended by then."""
        query: Document = {
            "$or": [
                {"coordinators.removal.at": {"$lte": oldest_end}},
                {"coordinators.until": {"$lte": oldest_end}},
                {
                    "state": "dissolved",
                    "state_since": {"$lte": dissolved_before},
                    "$or": [
                        {"coordinators.0": {"$exists": True}},
                        {"steering_group.0": {"$exists": True}},
                        {"officer": {"$ne": None}},
                    ],
                },
            ]
        }
        rows = self.rows.find(query, {"_id": 1}).limit(limit)
        return [str(row["_id"]) async for row in rows]

    async def all_of(self, session: Session, scope: Document) -> list[NetworkRecord]:
        """Give all networks of a scope, by id; there are about 1,200 in Belgium."""
        rows = self.rows.find(scope, session=session).sort("_id", 1)
        return [self.read(row) async for row in rows]

    async def many(self, network_ids: list[str], session: Session) -> list[NetworkRecord]:
        """Give those of the networks that exist."""
        rows = self.rows.find({"_id": {"$in": network_ids}}, session=session)
        return [self.read(row) async for row in rows]

    async def listed(
        self, query: Document, after: str | None, limit: int, session: Session
    ) -> list[NetworkRecord]:
        """Give networks by id that match a query of the allowed scopes."""
        if after is not None:
            query = {"$and": [query, {"_id": {"$gt": after}}]}
        rows = self.rows.find(query, session=session).sort("_id", 1).limit(limit)
        return [self.read(row) async for row in rows]


def in_zone(zone_id: str) -> Document:
    """Select the networks of a zone."""
    return {"zone_id": zone_id}


def in_municipality(nis: str) -> Document:
    """Select the networks of a municipality."""
    return {"municipality": nis}


def coordinated_by(subject: str) -> Document:
    """Select the networks that name a subject; whether they may act is judged on the record."""
    return {"coordinators.subject": subject}
