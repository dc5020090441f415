"""How much of what a log tells, by year: collection `years`, of everything but sends.

Sends have counters of their own, by day. These follow from the log and are written with it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import UpdateOne

from services.audit.domain.entries import EntryType, Sealed, timestamp, year_of
from services.audit.store.blocks import ids_of
from shared.mongo import Database, Document, Session

Place = tuple[str, str, str]
"""Year, type and state of entries; the state is empty where a type has none."""


class Years:
    """One row per log, year, type and state."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["years"]

    async def add(self, session: Session, log: str, sealed: Iterable[Sealed]) -> None:
        """Count entries, in the transaction that appends them."""
        counts = Counter(
            (timestamp(draft.time)[:4], draft.type.value, draft.state or "")
            for draft in (entry.draft for entry in sealed)
            if draft.type is not EntryType.SEND
        )
        writes = [
            UpdateOne({"_id": _id(log, place)}, {"$inc": {"count": count}}, upsert=True)
            for place, count in sorted(counts.items())
        ]
        if writes:
            await self._rows.bulk_write(writes, session=session)

    async def of(self, log: str, year: int) -> dict[tuple[str, str], int]:
        """Count a year's entries by type and state."""
        begin = f"{log}|{year:04d}|"
        rows = self._rows.find({"_id": ids_of(f"{log}|{year:04d}")})
        counted: dict[tuple[str, str], int] = {}
        async for row in rows:
            kind, state = str(row["_id"]).removeprefix(begin).split("|")
            counted[kind, state] = int(row["count"])
        return counted

    async def hold(self, session: Session, log: str, counted: Mapping[Place, int]) -> bool:
        """Tell whether the counters are those that somebody counted in the log."""
        own: Document = {"_id": ids_of(log)}
        rows = self._rows.find(own, session=session)
        stated = {row["_id"]: row["count"] async for row in rows}
        return stated == {_id(log, place): count for place, count in counted.items()}


def place_of(entry: Mapping[str, Any]) -> Place:
    """Give where an entry is counted."""
    return year_of(entry), str(entry["type"]), str(entry["state"] or "")


def _id(log: str, place: Place) -> str:
    return "|".join((log, *place))
