"""Which alerts still owe their members feedback, in collection `alerts`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.registry.domain.evaluation import Feedback
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
        """Create the indexes: of the list of what is due, of reminders, and of the figures."""
        await self._rows.create_index([("zone_id", 1), ("open", 1), ("_id", 1)])
        await self._rows.create_index([("open", 1), ("reminded_at", 1), ("accepted_at", 1)])
        await self._rows.create_index([("networks", 1), ("accepted_at", 1)])
        await self._rows.create_index([("accepted_at", 1)])

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
        self, session: Session, zone_id: str, alert_id: str, network_id: str, at: datetime
    ) -> None:
        """Note that feedback on an alert, known or not, was released to a network."""
        fed: Document = {"$setUnion": [{"$ifNull": ["$fed", []]}, [network_id]]}
        await self._update(session, zone_id, alert_id, {"fed": fed, "fed_at": at})

    async def _update(
        self, session: Session, zone_id: str, alert_id: str, fields: Document
    ) -> None:
        owed: Document = {
            "$setDifference": [
                {"$ifNull": ["$networks", []]},
                {"$setUnion": [{"$ifNull": ["$fed", []]}, {"$ifNull": ["$waived.network_id", []]}]},
            ],
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
        return [_due(row) async for row in rows]

    async def find(self, zone_id: str, alert_id: str, session: Session) -> Due | None:
        """Give an accepted alert with the networks where feedback is still due, or None."""
        query: Document = {"_id": f"{zone_id}|{alert_id}", "accepted_at": {"$ne": None}}
        row = await self._rows.find_one(query, session=session)
        return None if row is None else _due(row)

    async def feedback(
        self, session: Session, network_id: str, since: datetime, until: datetime
    ) -> Feedback:
        """Count what became of the feedback on a network's alerts of a period."""
        query: Document = {"networks": network_id, "accepted_at": {"$gte": since, "$lt": until}}
        given = waived = due = 0
        async for row in self._rows.find(query, session=session):
            if network_id in row.get("fed", []):
                given += 1
            elif network_id in row["due"]:
                due += 1
            else:
                waived += 1
        return Feedback(given=given, waived=waived, due=due)

    async def waive(
        self,
        session: Session,
        zone_id: str,
        alert_id: str,
        *,
        network_ids: Sequence[str],
        reason: str,
        by: str,
        at: datetime,
    ) -> None:
        """Note why some networks get no feedback; `by` is who decided so."""
        # as literals, since a reason that begins with a dollar sign is no field of the row
        entries = [
            {
                "network_id": {"$literal": network_id},
                "reason": {"$literal": reason},
                "by": {"$literal": by},
                "at": at,
            }
            for network_id in network_ids
        ]
        waived: Document = {"$concatArrays": [{"$ifNull": ["$waived", []]}, entries]}
        await self._update(session, zone_id, alert_id, {"waived": waived})

    async def overdue(self, before: datetime, limit: int) -> list[tuple[str, str]]:
        """Give alerts (zone and id) of before a moment with feedback due and nobody reminded."""
        query: Document = {"open": True, "reminded_at": None, "accepted_at": {"$lte": before}}
        rows = self._rows.find(query, {"zone_id": 1, "alert_id": 1}).limit(limit)
        return [(str(row["zone_id"]), str(row["alert_id"])) async for row in rows]

    async def forget(self, before: datetime) -> None:
        """Delete what was accepted before a moment, with the reasons and who gave them.

        Of an alert that was never heard of, what was fed back to it before that moment.
        """
        never: Document = {"accepted_at": None, "fed_at": {"$lte": before}}
        accepted: Document = {"accepted_at": {"$ne": None, "$lte": before}}
        await self._rows.delete_many({"$or": [accepted, never]})

    async def reminded(self, session: Session, zone_id: str, alert_id: str, at: datetime) -> bool:
        """Note that its officers are reminded; False where they were already."""
        query: Document = {"_id": f"{zone_id}|{alert_id}", "reminded_at": None}
        change: Document = {"$set": {"reminded_at": at}}
        result = await self._rows.update_one(query, change, session=session)
        return result.modified_count == 1


def _due(row: Document) -> Due:
    return Due(row["alert_id"], tuple(row["due"]), row["status"], row["accepted_at"])
