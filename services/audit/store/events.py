"""By what every entry is found that is no send: collection `events`, one row for each.

Sends, of which a log mostly consists, are found by their own rows in `sends`.
"""

from collections.abc import Collection, Sequence

from services.audit.domain.entries import EntryType, Sealed
from services.audit.store.blocks import ids_of
from shared.mongo import Database, Document, Session, write_plainly


class Events:
    """Finds entries by event, by message and by type, and gives their indexes."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["events"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index([("log", 1), ("event_id", 1)], unique=True)
        await self._rows.create_index([("log", 1), ("message_id", 1), ("type", 1), ("_id", 1)])
        await self._rows.create_index([("log", 1), ("type", 1), ("_id", 1)])

    async def add(self, session: Session, log: str, sealed: Collection[Sealed]) -> None:
        """Add the rows of what is appended."""
        rows: list[Document] = [
            {
                "_id": entry_id(log, entry.index),
                "log": log,
                "event_id": entry.draft.event_id,
                "type": entry.draft.type.value,
                "message_id": entry.draft.message_id,
            }
            for entry in sealed
            if entry.draft.type is not EntryType.SEND
        ]
        await write_plainly(self._rows, "insert", rows, session)

    async def known(self, session: Session, log: str, event_ids: Sequence[str]) -> set[str]:
        """Give those of some events that the log has."""
        if not event_ids:
            return set()
        query: Document = {"log": log, "event_id": {"$in": list(event_ids)}}
        rows = self._rows.find(query, {"_id": 0, "event_id": 1}, session=session)
        return {row["event_id"] async for row in rows}

    async def of_messages(
        self,
        log: str,
        message_ids: Sequence[str],
        types: Sequence[str],
        session: Session | None = None,
    ) -> list[int]:
        """Find the entries of some messages and types."""
        query: Document = {
            "log": log,
            "message_id": {"$in": list(message_ids)},
            "type": {"$in": list(types)},
        }
        rows = self._rows.find(query, {"_id": 1}, session=session)
        return sorted([index_of(row["_id"]) async for row in rows])

    async def of_type(self, log: str, kind: str, below: int | None, most: int) -> list[int]:
        """Find the newest entries of a type that stand below an index, the newest first."""
        query: Document = {"log": log, "type": kind}
        if below is not None:
            query["_id"] = {"$lt": entry_id(log, below)}
        rows = self._rows.find(query, {"_id": 1}).sort("_id", -1).limit(most)
        return [index_of(row["_id"]) async for row in rows]

    async def since(self, session: Session, log: str, start: int) -> list[int]:
        """Find everything from an index on."""
        query: Document = {"_id": ids_of(log, entry_id(log, start))}
        rows = self._rows.find(query, {"_id": 1}, session=session).sort("_id", 1)
        return [index_of(row["_id"]) async for row in rows]

    async def between(self, log: str, start: int, end: int) -> dict[int, Document]:
        """Give the rows of [start, end) by index, for whoever checks them."""
        rows = self._rows.find({"_id": {"$gte": entry_id(log, start), "$lt": entry_id(log, end)}})
        return {index_of(row["_id"]): row async for row in rows}

    async def count(self, session: Session, log: str, size: int) -> tuple[int, int]:
        """Count the rows that a log of a size may have, and those that are found as its own."""
        within: Document = {"_id": {"$gte": entry_id(log, 0), "$lt": entry_id(log, size)}}
        return (
            await self._rows.count_documents(within, session=session),
            await self._rows.count_documents({"log": log}, session=session),
        )


def entry_id(log: str, index: int) -> str:
    """Name an entry, as rows that are about a single one are named."""
    return f"{log}|{index:012d}"


def index_of(name: str) -> int:
    """Give the index of a named entry. Raises `ValueError` for what is no such name."""
    return int(name.rpartition("|")[2])
