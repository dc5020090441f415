"""Which files were imported, in collection `imports`: a digest and counts, no person."""

from datetime import datetime

from shared.mongo import Database, Document, Session


class Imports:
    """One row per network and file, so that the same file twice adds nobody twice."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["imports"]

    async def prepare(self) -> None:
        """Create the index that retention reads by."""
        await self._rows.create_index([("at", 1)])

    async def done(self, session: Session, network_id: str, digest: str) -> bool:
        """Tell whether a file was imported into a network."""
        query = {"_id": f"{network_id}|{digest}"}
        return await self._rows.find_one(query, {"_id": 1}, session=session) is not None

    async def add(
        self, session: Session, network_id: str, digest: str, at: datetime, added: int
    ) -> None:
        """Remember a file."""
        row: Document = {"_id": f"{network_id}|{digest}", "at": at, "added": added}
        await self._rows.insert_one(row, session=session)

    async def forget(self, before: datetime) -> int:
        """Forget files from before a date, and tell how many."""
        return (await self._rows.delete_many({"at": {"$lt": before}})).deleted_count
