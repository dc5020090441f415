"""What the registry's own topics say that its database does not know, in collection `ahead`.

It is empty but after a backup was restored, until `recover` has taken what is here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pymongo import ReplaceOne

from shared.mongo import Database, Document, Session


@dataclass(frozen=True, slots=True)
class AheadRow:
    """The newest event of one aggregate that the database is behind of."""

    topic: str
    key: str
    version: int
    """0 for what has none: a release, a verdict."""

    ce_type: str
    value: bytes

    @property
    def row_id(self) -> str:
        """Give what is unique."""
        return f"{self.topic}|{self.key}"


class Ahead:
    """One row per aggregate, release or verdict."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["ahead"]

    async def note(self, session: Session, found: Mapping[str, AheadRow]) -> None:
        """Remember the newest of each; `found` is by row id."""
        known = self._rows.find({"_id": {"$in": list(found)}}, {"version": 1}, session=session)
        versions = {str(row["_id"]): int(row["version"]) async for row in known}
        newer = [
            ReplaceOne({"_id": row_id}, _document(row), upsert=True)
            for row_id, row in found.items()
            if row.version > versions.get(row_id, -1)
        ]
        if newer:
            await self._rows.bulk_write(newer, session=session)

    async def any(self) -> bool:
        """Tell whether the database is behind."""
        return await self._rows.find_one({}, {"_id": 1}) is not None

    async def on(self, topic: str, limit: int) -> list[AheadRow]:
        """Give some of a topic."""
        rows = self._rows.find({"topic": topic}).sort("_id", 1).limit(limit)
        return [_row(row) async for row in rows]

    async def take(self, session: Session, row: AheadRow) -> bool:
        """Remove what is being taken; tell whether it was there."""
        query = {"_id": row.row_id, "version": row.version}
        return (await self._rows.delete_one(query, session=session)).deleted_count == 1


def _document(row: AheadRow) -> Document:
    return {
        "_id": row.row_id,
        "topic": row.topic,
        "key": row.key,
        "version": row.version,
        "ce_type": row.ce_type,
        "value": row.value,
    }


def _row(row: Document) -> AheadRow:
    return AheadRow(
        topic=row["topic"],
        key=row["key"],
        version=int(row["version"]),
        ce_type=row["ce_type"],
        value=bytes(row["value"]),
    )
