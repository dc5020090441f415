"""Whose data are to be dropped, in collections `erasures` and `private`, and what was: `erased`.

A row of `erased` says of one entry that an erasure took its private part, and of which year the
entry is. It names nobody, nor the erasure: which entries were about one person is erased too.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import orjson
from pymongo import UpdateOne

from services.audit.domain.entries import year_of
from shared.contracts import Erasure
from shared.mongo import Database, Document, Session


class Erasures:
    """Erasures as they were asked for, and what they take away."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["erasures"]
        self._private = database["private"]
        self._entries = database["entries"]
        self._erased = database["erased"]

    async def prepare(self) -> None:
        """Create the index of what is still to be applied."""
        await self._rows.create_index([("applied", 1), ("_id", 1)])

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
        rows = self._private.find({"members": member_id}, {"_id": 1})
        return {str(row["_id"]).rpartition("|")[0] async for row in rows}

    async def apply(self, session: Session, log: str, member_id: str) -> Mapping[str, int]:
        """Drop every private part of a log whose members are all erased; count them by year."""
        own: Document = {"_id": {"$gte": f"{log}|", "$lt": f"{log}}}"}}
        found = self._private.find(
            {"members": member_id, **own}, {"members": 1, "recipient": 1}, session=session
        )
        parts: list[Document] = await found.to_list()
        members = {member for part in parts for member in part["members"]}
        erased = await self.erased(session, members)
        about = [part for part in parts if erased.issuperset(part["members"])]
        ids = [part["_id"] for part in about]
        recipients = {part["recipient"] for part in about if "recipient" in part}
        ids += await self._lookups(session, own, recipients, ids)
        gone: Document = {"_id": {"$in": ids}}
        years = [
            {"_id": row["_id"], "year": year_of(orjson.loads(row["body"]))}
            async for row in self._entries.find(gone, {"body": 1}, session=session)
        ]
        if years:
            await self._private.delete_many(gone, session=session)
            await self._erased.insert_many(years, session=session)
        return Counter(row["year"] for row in years)

    async def _lookups(
        self, session: Session, own: Document, recipients: Collection[str], gone: Collection[str]
    ) -> list[str]:
        """Give the look-ups of destinations at which nobody is left.

        They name no member, only the pseudonym that was looked up.
        """
        if not recipients:
            return []
        query: Document = {"recipient": {"$in": list(recipients)}, **own}
        found = self._private.find(query, {"members": 1, "recipient": 1}, session=session)
        rows = [row for row in await found.to_list() if row["_id"] not in gone]
        shared = {row["recipient"] for row in rows if "members" in row}
        return [
            row["_id"] for row in rows if "members" not in row and row["recipient"] not in shared
        ]

    async def applied(self, session: Session, member_id: str) -> None:
        """Note that an erasure was carried out."""
        done: Document = {"$set": {"applied": True}}
        await self._rows.update_one({"_id": member_id}, done, session=session)
