"""What was signed, and what the world has seen: `signed`, `checkpoints` and `published`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bson import Binary
from pymongo import UpdateOne

from services.audit.domain.merkle import Frontier
from shared.contracts import Checkpoint
from shared.mongo import Database, Document, Session


@dataclass(frozen=True, slots=True)
class Signed:
    """The last checkpoint of a log, with the frontier to go on from."""

    frontier: Frontier
    root: bytes
    note: str

    @property
    def size(self) -> int:
        """Give the number of entries that it covers."""
        return self.frontier.size


@dataclass(frozen=True, slots=True)
class Published:
    """The largest checkpoint of a log that `bin.checkpoints` carried."""

    size: int
    root: bytes
    given_up: bool = False
    """Whether an operator put on record that its entries are lost (a restored backup)."""


class Checkpoints:
    """Signed heads, by log and size."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._signed = database["signed"]
        self._all = database["checkpoints"]
        self._published = database["published"]

    async def last(self, log: str) -> Signed | None:
        """Give a log's last checkpoint."""
        row = await self._signed.find_one({"_id": log})
        return None if row is None else _signed(row)

    async def sizes(self) -> dict[str, int]:
        """Give the size of each log's last checkpoint."""
        return {row["_id"]: int(row["size"]) async for row in self._signed.find({}, {"size": 1})}

    async def notes(self) -> dict[str, str]:
        """Give each log's last checkpoint as it was signed."""
        return {row["_id"]: row["note"] async for row in self._signed.find({}, {"note": 1})}

    async def signings(self) -> dict[str, tuple[int, datetime]]:
        """Give the size of each log's last checkpoint, and when it was signed."""
        rows = self._signed.find({}, {"size": 1, "signed_at": 1})
        return {row["_id"]: (int(row["size"]), row["signed_at"]) async for row in rows}

    async def at(self, log: str, size: int) -> str | None:
        """Give the note of the checkpoint of exactly this size."""
        row = await self._all.find_one({"_id": f"{log}|{size}"})
        return None if row is None else str(row["note"])

    async def add(
        self, session: Session, log: str, before: Signed | None, after: Signed, at: datetime
    ) -> bool:
        """Make a checkpoint the last one; False where another became so meanwhile."""
        row: Document = {
            "size": after.size,
            "frontier": [Binary(value) for value in after.frontier.hashes],
            "root": Binary(after.root),
            "note": after.note,
            "signed_at": at,
        }
        if before is None:
            await self._signed.insert_one({"_id": log, **row}, session=session)
        else:
            old = {"_id": log, "size": before.size, "root": Binary(before.root)}
            result = await self._signed.replace_one(old, row, session=session)
            if result.matched_count == 0:
                return False
        history = {"_id": f"{log}|{after.size}", "note": after.note, "signed_at": at}
        await self._all.insert_one(history, session=session)
        return True

    async def saw(self, session: Session, checkpoints: Sequence[Checkpoint]) -> None:
        """Take in what `bin.checkpoints` carries; the largest of each log counts."""
        largest: dict[str, Checkpoint] = {}
        for checkpoint in checkpoints:
            known = largest.get(checkpoint.zone_id)
            if known is None or checkpoint.size > known.size:
                largest[checkpoint.zone_id] = checkpoint
        known = {
            row["_id"]: int(row["size"])
            async for row in self._published.find({"_id": {"$in": list(largest)}}, session=session)
        }
        writes = [
            UpdateOne(
                {"_id": log},
                {
                    "$set": {"size": item.size, "root": Binary(bytes.fromhex(item.root))},
                    "$unset": {"given_up": ""},
                },
                upsert=True,
            )
            for log, item in largest.items()
            if item.size > known.get(log, -1)
        ]
        if writes:
            await self._published.bulk_write(writes, session=session)

    async def published(self, log: str) -> Published | None:
        """Give the largest checkpoint of a log that the world has seen."""
        row = await self._published.find_one({"_id": log})
        if row is None:
            return None
        return Published(int(row["size"]), bytes(row["root"]), bool(row.get("given_up")))

    async def give_up(self, session: Session, log: str, published: Published) -> bool:
        """Note that a published checkpoint's entries are lost; False where that is known."""
        same: Document = {
            "_id": log,
            "size": published.size,
            "root": Binary(published.root),
            "given_up": {"$exists": False},
        }
        change: Document = {"$set": {"given_up": True}}
        result = await self._published.update_one(same, change, session=session)
        return result.matched_count == 1


def _signed(row: Document) -> Signed:
    frontier = Frontier(int(row["size"]), [bytes(value) for value in row["frontier"]])
    return Signed(frontier, bytes(row["root"]), row["note"])
