"""Counters of what was sent, and what the figures are made of, without personal data."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from pymongo import ReplaceOne, UpdateOne

from services.registry.domain.days import day_of
from services.registry.domain.figures import People, Sent
from services.registry.domain.tally import OUTCOMES, Change, Counted, Place
from shared.contracts import Verdict
from shared.contracts.base import Channel
from shared.mongo import Database, Document, Session

_REMEMBERED = timedelta(days=90)
"""How long a send is known as counted: Kafka keeps its events for 30 days."""

_SEPARATOR = "|"


class Figures:
    """Collections `counted_sends`, `tallies` and `counted_alerts`; reads others to add up."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._database = database
        self._sends = database["counted_sends"]
        self._tallies = database["tallies"]
        self._alerts = database["counted_alerts"]

    async def prepare(self) -> None:
        """Create the indexes; what is known of a single send ends by itself."""
        await self._sends.create_index("at", expireAfterSeconds=int(_REMEMBERED.total_seconds()))
        await self._tallies.create_index([("network_id", 1), ("day", 1)])
        await self._tallies.create_index("day")
        await self._alerts.create_index([("network_ids", 1), ("at", 1)])
        await self._alerts.create_index("at")
        await self._database["erased"].create_index("network_id")

    async def counted(
        self, session: Session, send_ids: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Counted]:
        """Give how far sends (zone and id) were counted."""
        ids = [_SEPARATOR.join(of) for of in send_ids]
        found: dict[tuple[str, str], Counted] = {}
        async for row in self._sends.find({"_id": {"$in": ids}}, session=session):
            zone_id, _, send_id = str(row["_id"]).partition(_SEPARATOR)
            found[zone_id, send_id] = Counted(
                seq=row["seq"],
                outcome=row["outcome"],
                day=date.fromisoformat(row["day"]),
                billed=tuple(row["billed"]),
            )
        return found

    async def store(
        self,
        session: Session,
        counted: Mapping[tuple[str, str], Counted],
        changes: Sequence[Change],
        at: datetime,
    ) -> None:
        """Store how far sends were counted, and add to the counters."""
        if counted:
            rows = [
                ReplaceOne(
                    {"_id": _SEPARATOR.join(of)},
                    {
                        "seq": one.seq,
                        "outcome": one.outcome,
                        "day": one.day.isoformat(),
                        "billed": list(one.billed),
                        "at": at,
                    },
                    upsert=True,
                )
                for of, one in counted.items()
            ]
            await self._sends.bulk_write(rows, session=session)
        summed = _summed(changes)
        if summed:
            updates = [_add(place, counts) for place, counts in summed.items()]
            await self._tallies.bulk_write(updates, session=session)

    async def note_alert(self, session: Session, verdict: Verdict) -> None:
        """Note an accepted warm message, a test too: its sends cost nothing. Again is the same."""
        row: Document = {
            "zone_id": verdict.zone_id,
            "message_id": verdict.message_id,
            "kind": verdict.kind,
            "status": str(verdict.status),
            "network_ids": list(verdict.network_ids),
            "at": verdict.judged_at,
        }
        row_id = f"{verdict.zone_id}|{verdict.message_id}"
        await self._alerts.update_one(
            {"_id": row_id}, {"$setOnInsert": row}, upsert=True, session=session
        )

    async def alerts(
        self, session: Session, network_ids: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, set[str]]:
        """Give the warm messages by network that were no tests."""
        query: Document = {
            "network_ids": {"$in": list(network_ids)},
            "at": {"$gte": since, "$lt": until},
            "status": {"$ne": "test"},
        }
        return await self._ids(self._alerts.find(query, session=session), "message_id")

    async def bulletins(
        self, session: Session, network_ids: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, set[str]]:
        """Give the released bulletins by network that were no tests."""
        query: Document = {
            "network_id": {"$in": list(network_ids)},
            "released_at": {"$gte": since, "$lt": until},
            "status": {"$ne": "test"},
        }
        shown = {"network_id": 1, "bulletin_id": 1}
        rows = self._database["bulletins"].find(query, shown, session=session)
        return await self._ids(rows, "bulletin_id")

    async def forget(self, before: datetime) -> None:
        """Delete the counters of days that are past their date."""
        day = day_of(before).isoformat()
        await self._tallies.delete_many({"day": {"$lt": day}})
        await self._alerts.delete_many({"at": {"$lt": before}})

    @staticmethod
    async def _ids(rows: Any, field: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        async for row in rows:
            networks = row.get("network_ids") or [row["network_id"]]
            for network_id in cast("list[str]", networks):
                found.setdefault(network_id, set()).add(str(row[field]))
        return found

    async def people(
        self, session: Session, network_ids: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, list[People]]:
        """Count members by network and language, who was erased since included."""
        found: dict[str, list[People]] = {}
        for name in ("members", "erased"):
            rows = await self._database[name].aggregate(
                _people(list(network_ids), since, until), session=session
            )
            async for row in rows:
                one = People(
                    language=row["_id"].get("language"),
                    members=int(row["members"]),
                    joined=int(row["joined"]),
                    left=int(row["left"]),
                )
                found.setdefault(str(row["_id"]["network_id"]), []).append(one)
        return found

    async def sent(
        self, session: Session, network_ids: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, list[Sent]]:
        """Add up what was sent by network, language, channel and day, tests left out."""
        first, last = (day_of(moment).isoformat() for moment in (since, until))
        wanted: Document = {
            "network_id": {"$in": list(network_ids)},
            "day": {"$gte": first, "$lt": last},
            "message_id": {"$nin": await self._tests(session, network_ids)},
        }
        group: Document = {
            name: f"${name}" for name in ("network_id", "language", "channel", "day")
        }
        sums: Document = {name: {"$sum": f"${name}"} for name in (*OUTCOMES, "segments")}
        rows = await self._tallies.aggregate(
            [{"$match": wanted}, {"$group": {"_id": group, **sums}}, {"$sort": {"_id": 1}}],
            session=session,
        )
        found: dict[str, list[Sent]] = {}
        async for row in rows:
            of = row["_id"]
            one = Sent(
                language=of["language"],
                channel=Channel(of["channel"]),
                day=date.fromisoformat(of["day"]),
                reached=int(row["reached"]),
                not_reached=int(row["failed"] + row["unknown"] + row["unreachable"]),
                segments=int(row["segments"]),
            )
            found.setdefault(str(of["network_id"]), []).append(one)
        return found

    async def _tests(self, session: Session, network_ids: Sequence[str]) -> list[str]:
        """Give the messages that were tests: the sandbox sent them, and nobody pays for them."""
        wanted = list(network_ids)
        alerts = await self._alerts.distinct(
            "message_id", {"network_ids": {"$in": wanted}, "status": "test"}, session=session
        )
        bulletins = await self._database["bulletins"].distinct(
            "bulletin_id", {"network_id": {"$in": wanted}, "status": "test"}, session=session
        )
        return [*alerts, *bulletins]


def _summed(changes: Sequence[Change]) -> dict[Place, dict[str, int]]:
    summed: dict[Place, dict[str, int]] = {}
    for change in changes:
        counts = summed.setdefault(change.place, dict.fromkeys((*OUTCOMES, "segments"), 0))
        counts["segments"] += change.segments
        for outcome, number in change.outcomes.items():
            counts[outcome] += number
    return summed


def _add(place: Place, counts: Mapping[str, int]) -> UpdateOne:
    parts = (
        place.zone_id,
        place.message_id,
        place.network_id,
        place.day.isoformat(),
        place.language,
        str(place.channel),
    )
    names = ("zone_id", "message_id", "network_id", "day", "language", "channel")
    return UpdateOne(
        {"_id": _SEPARATOR.join(parts)},
        {"$setOnInsert": dict(zip(names, parts, strict=True)), "$inc": dict(counts)},
        upsert=True,
    )


def _people(network_ids: list[str], since: datetime, until: datetime) -> list[Document]:
    joined: Document = {"$ifNull": ["$joined_at", "$acceptance.at", None]}
    is_member: Document = {
        "$and": [
            {"$gt": ["$joined", None]},
            {"$lt": ["$joined", until]},
            {"$or": [{"$eq": ["$left", None]}, {"$gte": ["$left", until]}]},
        ]
    }
    left: Document = {
        "$and": [
            {"$gt": ["$joined", None]},
            {"$gte": ["$left", since]},
            {"$lt": ["$left", until]},
        ]
    }
    came: Document = {"$and": [{"$gte": ["$joined", since]}, {"$lt": ["$joined", until]}]}
    tests = {"members": is_member, "joined": came, "left": left}
    return [
        {"$match": {"network_id": {"$in": network_ids}}},
        {
            "$project": {
                "network_id": 1,
                "language": 1,
                "joined": joined,
                "left": {"$ifNull": ["$left_at", None]},
            }
        },
        {
            "$group": {
                "_id": {"network_id": "$network_id", "language": "$language"},
                **{name: {"$sum": {"$cond": [test, 1, 0]}} for name, test in tests.items()},
            }
        },
        {"$sort": {"_id": 1}},
    ]
