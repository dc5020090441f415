"""Which processes of the dispatcher are alive, on the database's clock. Collection `processes`."""

from datetime import timedelta

from shared.mongo import Database

ALIVE = timedelta(seconds=6)
"""How long a process counts that no longer says that it is there."""


class Processes:
    """Each says now and then that it is there."""

    def __init__(self, database: Database, owner: str, length: timedelta = ALIVE) -> None:
        """Bind; `owner` names this process, and `length` is how long its word holds."""
        self._rows = database["processes"]
        self._owner = owner
        self._ms = int(length.total_seconds() * 1000)

    async def count(self) -> int:
        """Say that this one is there, and count those that are."""
        await self._rows.update_one(
            {"_id": self._owner}, {"$currentDate": {"seen": True}}, upsert=True
        )
        since = {"$subtract": ["$$NOW", self._ms]}
        return await self._rows.count_documents({"$expr": {"$gt": ["$seen", since]}})

    async def leave(self) -> None:
        """Say that this one is gone, so that the others need not wait."""
        await self._rows.delete_one({"_id": self._owner})
