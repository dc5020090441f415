"""Whose data are to be dropped, in collections `erasures` and `private`."""

from collections.abc import Collection, Sequence

from pymongo import UpdateOne

from shared.contracts import Erasure
from shared.mongo import Database, Document, Session


class Erasures:
    """Erasures as they were asked for, and what they take away."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["erasures"]
        self._private = database["private"]

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

    async def apply(self, session: Session, member_id: str) -> int:
        """Drop every private part whose members are all erased, and give how many."""
        found = self._private.find({"members": member_id}, {"members": 1}, session=session)
        parts: list[Document] = await found.to_list()
        members = {member for part in parts for member in part["members"]}
        erased = await self.erased(session, members)
        gone = [part["_id"] for part in parts if erased.issuperset(part["members"])]
        await self._private.delete_many({"_id": {"$in": gone}}, session=session)
        await self._rows.update_one(
            {"_id": member_id}, {"$set": {"applied": True}}, session=session
        )
        return len(gone)
