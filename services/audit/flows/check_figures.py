"""Hold the counters over sends against what the entries say, while the log grows.

Counters and entries agree only as of one moment, and a transaction that reads a whole log would
outlive what the database lets it take (a minute) from a few million sends on. So the log is
counted as of a size, then what came since, page by page; one short transaction counts the rest and
compares.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from services.audit.domain.alarms import Doubt
from services.audit.domain.entries import EntryType
from services.audit.domain.figures import Figures
from services.audit.store.log import LogStore
from services.audit.store.sends import Sends
from shared.mongo import Client, Document, Session, transaction

_PAGE = 1000

Holds = Callable[[Session, str, Figures], Awaitable[bool]]


class CheckFigures:
    """Counts the sends of one log; one object for one check."""

    def __init__(self, client: Client, log: LogStore, sends: Sends, name: str, size: int) -> None:
        """Begin with the log called `name`, as of a size."""
        self._client = client
        self._log = log
        self._sends = sends
        self._name = name
        self._size = size
        self._figures = Figures()

    def take(self, row: Document, entries: Mapping[int, Any]) -> None:
        """Count a send as of the size; `entries` has at least its own, by index."""
        own = [entries[index] for index in row["entries"]]
        self._figures.move(row, own, 0, self._size)
        self._figures.place(row, own, self._size)

    async def doubt(self) -> Doubt | None:
        """Compare, once every send was taken that the log of this size has."""
        await self._catch_up()
        kinds: tuple[tuple[Holds, Doubt], ...] = (
            (self._sends.days_hold, Doubt.COUNTERS_DIFFER),
            (self._sends.outcomes_hold, Doubt.COUNTERS_DIFFER),
            (self._sends.places_hold, Doubt.LISTS_DIFFER),
        )
        for holds, doubt in kinds:
            if not await transaction(self._client, lambda s, holds=holds: self._holds(s, holds)):
                return doubt
        return None

    async def _catch_up(self) -> None:
        """Count what came since, until no more than a page is left."""
        while (end := await self._log.size(self._name)) > self._size + _PAGE:
            while self._size < end:
                stop = min(self._size + _PAGE, end)
                self._figures.add(await self._moves(self._size, stop, end))
                self._size = stop

    async def _holds(self, session: Session, holds: Holds) -> bool:
        end = await self._log.size(self._name, session)
        figures = await self._moves(self._size, end, end, session)
        figures.add(self._figures)
        return await holds(session, self._name, figures)

    async def _moves(
        self, start: int, end: int, size: int, session: Session | None = None
    ) -> Figures:
        """Count what the entries of [start, end) made of their sends, in the log of a size."""
        new = await self._entries(range(start, end), session)
        ids = {str(e["send_id"]) for e in new.values() if e["type"] == EntryType.SEND}
        rows = await self._sends.many(self._name, sorted(ids), session)
        wanted = {index for row in rows for index in row["entries"] if index < size}
        entries = await self._entries(wanted, session)
        moves = Figures()
        for row in rows:
            own = [entries[index] for index in row["entries"] if index < size]
            moves.move(row, own, start, end)
            moves.place(row, own, size)
        return moves

    async def _entries(
        self, indexes: range | set[int], session: Session | None
    ) -> dict[int, dict[str, Any]]:
        bodies = await self._log.bodies_at(self._name, indexes, session)
        return {index: orjson.loads(body) for index, body in bodies.items()}
