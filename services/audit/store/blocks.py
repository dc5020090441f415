"""The entries as they were hashed: collection `entries`, 32 neighbouring ones to a row.

A row of each would cost the database twice the time. Where an entry stands follows from its index,
and rows only ever grow at the end of a log.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence

from shared.failures import Held
from shared.mongo import Database, Document, Session, write_plainly

BLOCK = 32
"""Entries to a row. With more, whoever reads a single one would pay for what the writer saves."""

_READ = 32
"""Rows read at a time."""


class BrokenLog(Held):
    """The rows of a log do not fit its head, or have not their form: somebody changed them.

    Nothing is lost by waiting, since the records stay on their topics; the check of the whole log
    says what to do. A new process would check every log anew, and find it as broken.
    """


def block_id(log: str, index: int) -> str:
    """Name the row of an entry, for whoever keeps something else by blocks."""
    return f"{log}|{index // BLOCK:010d}"


def ids_of(log: str, begin: str | None = None) -> Document:
    """Give between which ids the rows of a log stand, or those from one of them on.

    Every `_id` begins with the log's name and a bar, whose successor is the closing brace.
    """
    return {"$gte": begin or f"{log}|", "$lt": f"{log}}}"}


def first_of(log: str, name: str) -> int | None:
    """Give the first entry of the block that a row is named after; None for another name."""
    number = name.removeprefix(f"{log}|").partition("|")[0]
    return int(number) * BLOCK if number.isdecimal() else None


def between(log: str, start: int, end: int) -> Document:
    """Give the query for the rows of [start, end), whose first and last hold others too."""
    return {"_id": {"$gte": block_id(log, start), "$lt": block_id(log, end + BLOCK - 1)}}


def cut(start: int, end: int, width: int = BLOCK) -> Iterator[tuple[int, int]]:
    """Cut [start, end) at every multiple of a width."""
    while start < end:
        stop = min((start // width + 1) * width, end)
        yield start, stop
        start = stop


class Blocks:
    """Appends entries and reads them, by index."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["entries"]

    async def append(self, session: Session, log: str, start: int, bodies: Sequence[bytes]) -> None:
        """Add the entries from an index on. Raises `BrokenLog` where the log does not end there."""
        new: list[Document] = []
        for first, end in cut(start, start + len(bodies)):
            some = bodies[first - start : end - start]
            if first % BLOCK:
                await self._add(session, log, first, some)
            else:
                new.append({"_id": block_id(log, first), "bodies": some})
        await write_plainly(self._rows, "insert", new, session)

    async def _add(self, session: Session, log: str, first: int, bodies: Sequence[bytes]) -> None:
        row: Document = {"_id": block_id(log, first), "bodies": {"$size": first % BLOCK}}
        added: Document = {"$push": {"bodies": {"$each": bodies}}}
        result = await self._rows.update_one(row, added, session=session)
        if result.matched_count != 1:
            raise BrokenLog(log)

    async def stream(self, log: str, start: int, end: int) -> AsyncIterator[list[bytes]]:
        """Stream the entries [start, end) in order, some at a time; none after one is missing."""
        query, at = between(log, start, end), start - start % BLOCK
        async with self._rows.find(query, batch_size=_READ).sort("_id", 1) as rows:
            while found := await rows.to_list(_READ):
                first, bodies = at, list[bytes]()
                for row in found:
                    if row["_id"] != block_id(log, at) or len(row["bodies"]) > BLOCK:
                        break
                    bodies += row["bodies"]
                    at += len(row["bodies"])
                yield bodies[max(0, start - first) : max(0, end - first)]
                if at - first < BLOCK * len(found):
                    return

    async def at(
        self, log: str, indexes: Collection[int], session: Session | None = None
    ) -> dict[int, bytes]:
        """Give those of some entries that there are, by index."""
        names = {block_id(log, index) for index in indexes}
        rows = self._rows.find({"_id": {"$in": sorted(names)}}, session=session)
        blocks: dict[str, list[bytes]] = {r["_id"]: r["bodies"] for r in await rows.to_list()}
        own = ((index, blocks.get(block_id(log, index), [])) for index in indexes)
        return {
            index: bytes(bodies[index % BLOCK])
            for index, bodies in own
            if index % BLOCK < len(bodies)
        }

    async def has_surplus(self, session: Session, log: str, size: int) -> bool:
        """Tell whether a log of a size has other rows than its entries take, or longer ones.

        A row between two others belongs to no block: whoever streams stops at it.
        """
        rows = await self._rows.count_documents({"_id": ids_of(log)}, session=session)
        # at a size that ends a block, it is the block after it that may not be there
        after: Document = {"_id": ids_of(log, block_id(log, size))}
        last = await self._rows.find(after, session=session).to_list()
        end = size - size % BLOCK + sum(len(row["bodies"]) for row in last)
        return rows != -(-size // BLOCK) or end != size
