"""What is left of erased members, in collection `erased`: kept for good."""

from collections.abc import Collection, Sequence

from services.registry.domain.privacy import Erased
from services.registry.store.rows import from_row, to_row, versions_in
from shared.mongo import Database, Session


class Erasures:
    """One row per erased member."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["erased"]

    async def prepare(self) -> None:
        """Create the index that a republish of the zone's figures reads by."""
        await self._rows.create_index([("network_id", 1), ("left_at", 1)])

    async def add(self, session: Session, erased: Erased) -> None:
        """Store one; again is the same."""
        row = {"_id": erased.member_id, **to_row(erased)}
        await self._rows.replace_one({"_id": erased.member_id}, row, upsert=True, session=session)

    async def find(self, member_id: str, session: Session) -> Erased | None:
        """Give what is left of a member, or None."""
        row = await self._rows.find_one({"_id": member_id}, session=session)
        return None if row is None else from_row(Erased, row)

    async def versions(self, session: Session, ids: Collection[str]) -> dict[str, int]:
        """Give the versions of the last states of those that are erased."""
        return await versions_in(self._rows, session, ids)

    async def page(self, session: Session, after: str | None, limit: int) -> Sequence[Erased]:
        """Give the next ones by id, for publishing all of them again."""
        query = {} if after is None else {"_id": {"$gt": after}}
        rows = self._rows.find(query, session=session).sort("_id", 1).limit(limit)
        return [from_row(Erased, row) async for row in rows]
