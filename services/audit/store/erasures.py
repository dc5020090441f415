"""Whose data are to be dropped, in collection `erasures`, and what was: `erased`.

A row of `erased` says of one entry that an erasure took its private part, and of which year the
entry is. It names nobody, nor the erasure: which entries were about one person is erased too.
`left` holds, for as long as the topic may still bring a look-up of it, each pseudonym at which an
erasure left nobody.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import orjson
from pymongo import UpdateOne

from services.audit.domain.entries import year_of
from services.audit.store.blocks import Blocks, ids_of
from services.audit.store.events import entry_id, index_of
from services.audit.store.private import PrivateParts
from shared.contracts import Erasure
from shared.mongo import Database, Document, Session

_LATE_S = 30 * 24 * 3600
"""For how long `bin.access` keeps a look-up that may come after the erasure."""


class Erasures:
    """Erasures as they were asked for, and what they take away."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["erasures"]
        self._private = PrivateParts(database)
        self._blocks = Blocks(database)
        self._taken = database["erased"]
        self._left = database["left"]

    async def prepare(self) -> None:
        """Create the index of what is still to be applied, and have the database forget."""
        await self._rows.create_index([("applied", 1), ("_id", 1)])
        await self._left.create_index("since", expireAfterSeconds=_LATE_S)

    async def add(self, session: Session, erasures: Sequence[Erasure]) -> None:
        """Remember erasures; each once."""
        if not erasures:
            return
        writes = [
            UpdateOne(
                {"_id": erasure.member_id},
                {
                    "$setOnInsert": {
                        "erasure_id": erasure.erasure_id,
                        "zone_id": erasure.zone_id,
                        "erased_at": erasure.erased_at,
                        "applied": False,
                    }
                },
                upsert=True,
            )
            for erasure in erasures
        ]
        await self._rows.bulk_write(writes, ordered=False, session=session)

    async def waiting(self, most: int) -> list[Erasure]:
        """Give erasures that nobody applied yet."""
        rows = await self._rows.find({"applied": False}).limit(most).to_list()
        return [
            Erasure(
                erasure_id=row["erasure_id"],
                member_id=row["_id"],
                zone_id=row["zone_id"],
                erased_at=row["erased_at"],
            )
            for row in rows
        ]

    async def erased(self, session: Session, members: Collection[str]) -> set[str]:
        """Give those of the members who are erased."""
        if not members:
            return set()
        rows = self._rows.find({"_id": {"$in": list(members)}}, {"_id": 1}, session=session)
        return {row["_id"] async for row in rows}

    async def logs_naming(self, member_id: str) -> set[str]:
        """Give the logs that hold a private part which names a member."""
        return await self._private.logs_naming(member_id)

    async def apply(self, session: Session, log: str, member_id: str) -> Mapping[str, int]:
        """Drop every private part of a log whose members are all erased; count them by year."""
        parts = await self._private.of_member(session, log, member_id)
        members = {member for part in parts.values() for member in part["members"]}
        erased = await self.erased(session, members)
        about = {index: part for index, part in parts.items() if erased.issuperset(part["members"])}
        recipients = {part["recipient"] for part in about.values() if "recipient" in part}
        lookups, left = await self._lookups(session, log, recipients, about)
        await self._leave(session, log, left)
        gone = [*about, *lookups]
        bodies = await self._blocks.at(log, gone, session)
        years = {index: year_of(orjson.loads(body)) for index, body in bodies.items()}
        if years:
            await self._private.drop(session, log, list(years))
            await self._taken.insert_many(
                [{"_id": entry_id(log, index), "year": year} for index, year in years.items()],
                session=session,
            )
        return Counter(years.values())

    async def _lookups(
        self, session: Session, log: str, recipients: Collection[str], gone: Collection[int]
    ) -> tuple[list[int], set[str]]:
        """Give the look-ups of destinations at which nobody is left, and these destinations.

        They name no member, only the pseudonym that was looked up.
        """
        if not recipients:
            return [], set()
        found = await self._private.of_recipients(session, log, recipients)
        rest = {index: part for index, part in found.items() if index not in gone}
        shared = {part["recipient"] for part in rest.values() if "members" in part}
        left = set(recipients) - shared
        lookups = [
            index
            for index, part in rest.items()
            if "members" not in part and part["recipient"] in left
        ]
        return lookups, left

    async def _leave(self, session: Session, log: str, recipients: Collection[str]) -> None:
        now: Document = {"$currentDate": {"since": True}}
        ids = [_left_id(log, recipient) for recipient in sorted(recipients)]
        if ids:
            writes = [UpdateOne({"_id": name}, now, upsert=True) for name in ids]
            await self._left.bulk_write(writes, session=session)

    async def left(
        self, session: Session, log: str, recipients: Collection[str]
    ) -> dict[str, datetime]:
        """Give those pseudonyms at which an erasure left nobody, and when; nobody came since."""
        if not recipients:
            return {}
        by_id = {_left_id(log, recipient): recipient for recipient in recipients}
        rows = self._left.find({"_id": {"$in": sorted(by_id)}}, session=session)
        left = {by_id[row["_id"]]: row["since"] async for row in rows}
        return {
            recipient: since
            for recipient, since in left.items()
            if not await self._private.names_members(recipient, session)
        }

    async def took(self, session: Session, log: str, start: int, end: int) -> dict[int, str]:
        """Give of which of [start, end) an erasure took the private part, with their years."""
        between: Document = {"_id": {"$gte": entry_id(log, start), "$lt": entry_id(log, end)}}
        rows = self._taken.find(between, session=session)
        return {index_of(row["_id"]): row["year"] async for row in rows}

    async def took_by_year(self, session: Session, log: str) -> dict[str, int]:
        """Count what erasures took, by the year of the entries."""
        own: Document = {"_id": ids_of(log)}
        groups = await self._taken.aggregate(
            [{"$match": own}, {"$group": {"_id": "$year", "count": {"$sum": 1}}}], session=session
        )
        return {str(group["_id"]): int(group["count"]) async for group in groups}

    async def applied(self, session: Session, member_id: str) -> None:
        """Note that an erasure was carried out."""
        done: Document = {"$set": {"applied": True}}
        await self._rows.update_one({"_id": member_id}, done, session=session)


def _left_id(log: str, recipient: str) -> str:
    return f"{log}|{recipient}"
