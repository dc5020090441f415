"""What the checks of whole logs found, and when: collection `checks`, shared by all processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pymongo.errors import DuplicateKeyError

from shared.mongo import Database, Document

_GIVEN_UP = timedelta(hours=2)
_CLOCKS = timedelta(hours=1)
"""By how much the clock of another process may be ahead."""

What = Literal["log", "lists"]


@dataclass(frozen=True, slots=True)
class Checked:
    """One check of a whole log that ended. `doubt` is None where nothing was found."""

    at: datetime
    size: int
    doubt: str | None


class Checks:
    """One row per log and kind of check."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["checks"]

    async def begin(self, log: str, what: What, now: datetime, every: timedelta) -> bool:
        """Take a check that is due; False where it is not, or another process has it.

        A log's first one is due `every` after it was first seen: there is nothing to check in what
        is just being written. One whose process ended in the middle is due again after `_GIVEN_UP`,
        and so is one that was begun in the future: nobody did that.
        """
        first: Document = {"begun": now, "since": now, "log": log, "what": what, "done": True}
        await self._rows.update_one({"_id": f"{log}|{what}"}, {"$setOnInsert": first}, upsert=True)
        old: Document = {"begun": {"$lte": now - every}}
        lost: Document = {"done": False, "begun": {"$lt": now - _GIVEN_UP}}
        never: Document = {"begun": {"$gt": now + _CLOCKS}}
        due: Document = {"_id": f"{log}|{what}", "$or": [old, lost, never]}
        change: Document = {"$set": {"begun": now, "done": False}}
        result = await self._rows.update_one(due, change)
        return result.modified_count == 1

    async def end(
        self, log: str, what: What, checked: Checked, begun: datetime | None = None
    ) -> None:
        """Note what a check found.

        One that found nothing says nothing of a doubt that another process noted since it `begun`.
        """
        row = {"at": checked.at, "size": checked.size, "doubt": checked.doubt, "done": True}
        where: Document = {"_id": f"{log}|{what}"}
        if checked.doubt is None and begun is not None:
            where["$or"] = [{"doubt": None}, {"at": {"$lt": begun}}]
        try:
            await self._rows.update_one(
                where, {"$set": {"log": log, "what": what, **row}}, upsert=True
            )
        except DuplicateKeyError:
            return  # the doubt stays

    async def doubt(self, log: str, what: What) -> str | None:
        """Give the doubt that the last check of a log left, whichever process made it."""
        row = await self._rows.find_one({"_id": f"{log}|{what}"}, {"doubt": 1})
        return None if row is None else row.get("doubt")

    async def overdue(self, since: datetime) -> set[tuple[str, What]]:
        """Give the checks, by log, of which none has ended since a time."""
        never: Document = {"at": {"$exists": False}, "since": {"$lt": since}}
        rows = self._rows.find({"$or": [{"at": {"$lt": since}}, never]}, {"log": 1, "what": 1})
        return {(row["log"], row["what"]) async for row in rows}

    async def all(self) -> Mapping[tuple[str, What], Checked]:
        """Give the last check of each kind, by log."""
        rows = self._rows.find({"at": {"$exists": True}})
        return {
            (row["log"], row["what"]): Checked(row["at"], row["size"], row["doubt"])
            async for row in rows
        }
