"""How often each reader looked somebody up: collection `lookups`, shared by all processes."""

from datetime import datetime, timedelta

from pymongo import ReturnDocument, WriteConcern

from shared.mongo import Database, Document

WINDOW = timedelta(hours=1)


class LookUps:
    """One counter per log, reader and hour; it ends by itself."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        # a crash may forget the last of them, which costs nothing but a stricter limit; the look-up
        # itself is put on record durably, and need not wait for two such writes
        self._rows = database["lookups"].with_options(write_concern=WriteConcern(w=1, j=False))

    async def prepare(self) -> None:
        """Create the index that ends old counters."""
        await self._rows.create_index("until", expireAfterSeconds=0)

    async def add(self, log: str, reader: str, now: datetime) -> int:
        """Count one more and give the number in this hour of the clock."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        change: Document = {"$inc": {"count": 1}, "$set": {"until": hour + 2 * WINDOW}}
        row = await self._rows.find_one_and_update(
            {"_id": f"{log}|{hour.isoformat()}|{reader}"},
            change,
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return 0 if row is None else int(row["count"])  # upserted, so never None
