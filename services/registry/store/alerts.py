"""Which alerts still owe their members feedback, in collection `alerts`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.mongo import Database, Document, Session


@dataclass(frozen=True, slots=True)
class Due:
    """An accepted alert, and the networks whose members got no feedback on it yet."""

    alert_id: str
    network_ids: tuple[str, ...]
    status: str
    accepted_at: datetime


class Alerts:
    """One row per zone and alert. Feedback and verdict may come in either order."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["alerts"]

    async def prepare(self) -> None:
        """Create the index that the list of what is due reads by."""
        await self._rows.create_index([("zone_id", 1), ("open", 1), ("_id", 1)])

    async def accept(
        self,
        session: Session,
        zone_id: str,
        alert_id: str,
        *,
        network_ids: Sequence[str],
        status: str,
        at: datetime,
    ) -> None:
        """Note an accepted alert. Again changes nothing."""
        networks: Document = {"$setUnion": [{"$ifNull": ["$networks", []]}, list(network_ids)]}
        fields: Document = {
            "networks": networks,
            "status": status,
            "accepted_at": {"$ifNull": ["$accepted_at", at]},
        }
        await self._update(session, zone_id, alert_id, fields)

    async def feed_back(
        self, session: Session, zone_id: str, alert_id: str, network_id: str
    ) -> None:
        """Note that feedback on an alert was released to a network."""
        fed: Document = {"$setUnion": [{"$ifNull": ["$fed", []]}, [network_id]]}
        await self._update(session, zone_id, alert_id, {"fed": fed})

    async def _update(
        self, session: Session, zone_id: str, alert_id: str, fields: Document
    ) -> None:
        owed: Document = {
            "$setDifference": [{"$ifNull": ["$networks", []]}, {"$ifNull": ["$fed", []]}],
        }
        await self._rows.update_one(
            {"_id": f"{zone_id}|{alert_id}"},
            [
                {"$set": {"zone_id": zone_id, "alert_id": alert_id, **fields}},
                {"$set": {"due": owed}},
                {"$set": {"open": {"$ne": ["$due", []]}}},
            ],
            upsert=True,
            session=session,
        )

    async def due(self, zone_id: str, after: str | None, limit: int) -> list[Due]:
        """Give a page of the alerts with feedback due, by id."""
        query: Document = {"zone_id": zone_id, "open": True}
        if after is not None:
            query["_id"] = {"$gt": f"{zone_id}|{after}"}
        rows = self._rows.find(query).sort("_id", 1).limit(limit)
        return [
            Due(row["alert_id"], tuple(row["due"]), row["status"], row["accepted_at"])
            async for row in rows
        ]
