"""The logs: collections `heads` and `tiles`, and what `blocks`, `events` and `private` keep.

Entries are only ever added to. A batch (entries, private parts, tiles, counters, head) is one
transaction of the caller, conditional on the head's epoch, and idempotent on `event_id`.
"""

import asyncio
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from bson import Binary
from pymongo import ReplaceOne, ReturnDocument

from services.audit.domain.entries import (
    LASTING,
    SALT_SIZE,
    TEXTS,
    Draft,
    EntryType,
    Sealed,
    seal,
    without_private,
)
from services.audit.domain.merkle import (
    Frontier,
    Node,
    Range,
    Tile,
    Tiles,
    grow_tiles,
    leaf_hash,
    node_in,
    nodes_of,
    open_tiles,
    proof,
    tile_of,
)
from services.audit.store.blocks import Blocks, BrokenLog, cut
from services.audit.store.erasures import Erasures
from services.audit.store.events import Events
from services.audit.store.private import FoundBy, Part, PrivateParts, rows_of
from services.audit.store.sends import Projection, Sends
from services.audit.store.years import Years
from shared.clock import Clock
from shared.failures import Fenced
from shared.mongo import Database, Document, Session

_AT_ONCE = 64
"""Entries sealed before whoever else waits for the processor has a turn: some milliseconds."""

_WRITTEN = 2048
"""Entries written with one command: each waits for the processor's turn as well."""

_CLOCKS = timedelta(days=1)
"""By how much the clock that dated an event may be ahead of the one that stored it."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log has come."""

    log: str
    frontier: Frontier

    @property
    def size(self) -> int:
        """Give the number of entries."""
        return self.frontier.size


def size_of(head: Head | None) -> int:
    """Give how many entries there are below a head; none where there is no head."""
    return 0 if head is None else head.size


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as it was stored, with what lives beside it, if that is still there."""

    index: int
    body: bytes
    part: bytes | None
    salt: bytes | None


@dataclass(frozen=True, slots=True)
class _Beside:
    """What decides on the private parts of a batch."""

    erased: set[str]
    """The members of whom nothing is kept."""

    left: Mapping[str, datetime]
    """The pseudonyms at which nobody is left, and so nothing of who looked there before."""

    texts_until: datetime
    """When the parts that hold texts end."""

    private_until: datetime
    """When the others end that end by a date."""

    def allowed(self, draft: Draft) -> Draft:
        """Give a draft without a private part that would be about erased people only."""
        if draft.members:
            gone = self.erased.issuperset(draft.members)
        else:
            since = None if draft.recipient is None else self.left.get(draft.recipient)
            gone = since is not None and draft.time <= since
        return without_private(draft) if gone else draft

    def until(self, draft: Draft) -> datetime | None:
        """Give when a private part ends, or None where no date ends it."""
        if draft.is_text:
            return self.texts_until
        return None if draft.type in LASTING else self.private_until


class _InTurn:
    """Writes one after the other (a transaction takes one at a time), while more is prepared.

    So the database and this process work at once, which is worth a third of the time. What waits
    is a batch's at most.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], Awaitable[None]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._waiting.clear()
        await self._written()

    async def then(self, write: Callable[[], Awaitable[None]]) -> None:
        """Have a write done after those before it. Raises what one of them raised."""
        self._waiting.append(write)
        if self._writing is None or self._writing.done():
            await self._written()
            self._writing = asyncio.create_task(self._write())
        await asyncio.sleep(0)  # a request goes out before more is prepared

    async def _write(self) -> None:
        while self._waiting:
            await self._waiting.popleft()()

    async def _written(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing


class _Growing:
    """A tree that grows by a batch: its frontier, and the tiles that change."""

    def __init__(self, log: str, frontier: Frontier, tiles: Tiles) -> None:
        self.frontier = frontier
        self.tiles = tiles
        self._log = log

    def take(self, sealed: Iterable[Sealed]) -> None:
        """Append entries. Raises `BrokenLog` where a tile does not fit the size."""
        leaves = [leaf_hash(entry.body) for entry in sealed]
        try:
            grow_tiles(self.tiles, self.frontier.size, leaves)
        except ValueError as error:
            raise BrokenLog(self._log) from error
        self.frontier.extend(leaves)


def _nothing() -> None:
    """Tell nobody."""


class LogStore:
    """Appends to logs and reads them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        text_kept_for: timedelta,
        private_kept_for: timedelta,
        sealed: Callable[[], None] = _nothing,
    ) -> None:
        """Bind to the service's database.

        `sealed` is told when all of a batch is sealed, so that what is left is the database's work.
        """
        self._heads = database["heads"]
        self._tiles = database["tiles"]
        self._blocks = Blocks(database)
        self._events = Events(database)
        self._private = PrivateParts(database)
        self._erasures = Erasures(database)
        self._sends = Sends(database)
        self._years = Years(database)
        self._clock = clock
        self._text_kept_for = text_kept_for
        self._private_kept_for = private_kept_for
        self._sealed = sealed
        self.broken: set[str] = set()
        """Logs whose rows did not fit when somebody last wanted to append to them."""

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._events.prepare()
        await self._private.prepare()
        await self._sends.prepare()

    async def append(
        self, session: Session, log: str, epoch: int, drafts: Sequence[Draft]
    ) -> list[Sealed]:
        """Append what the log does not have yet and give it, in order.

        Raises `Fenced`, `BrokenLog`.
        """
        try:
            sealed = await self._append_to(session, log, epoch, drafts)
        except BrokenLog:
            self.broken.add(log)
            raise
        self.broken.discard(log)
        return sealed

    async def _append_to(
        self, session: Session, log: str, epoch: int, drafts: Sequence[Draft]
    ) -> list[Sealed]:
        head = await self._heads.find_one_and_update(
            {"_id": log, "epoch": epoch},
            {"$inc": {"batches": 1}},  # a write first, so that two batches collide before the work
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if head is None:
            raise Fenced(log)
        once = _once(drafts)
        sends = await self._sends.begin(session, log, once)
        others = [draft.event_id for draft in once if draft.type is not EntryType.SEND]
        known = await self._events.known(session, log, others)
        fresh = [draft for draft in once if not (draft.event_id in known or sends.knows(draft))]
        if not fresh:
            return []
        frontier = _frontier(head)
        tree = _Growing(log, frontier, await self._open_tiles(session, log, frontier.size))
        return await self._append(session, tree, fresh, sends)

    async def _append(
        self, session: Session, tree: _Growing, fresh: Sequence[Draft], sends: Projection
    ) -> list[Sealed]:
        log, size = sends.log, tree.frontier.size
        beside = await self._beside(session, log, fresh)
        salts = self._clock.random(SALT_SIZE * len(fresh))
        for first in range(0, len(fresh), _AT_ONCE):
            sends.take(size + first, fresh[first : first + _AT_ONCE])
            await asyncio.sleep(0)
        sealed: list[Sealed] = []
        async with _InTurn() as writing:
            # what takes longest comes first, since it needs nothing of what follows
            await writing.then(lambda: self._sends.write(session, sends))
            for start, end in cut(size, size + len(fresh), _WRITTEN):
                part: list[Sealed] = []
                for first, last in cut(start, end, _AT_ONCE):
                    some = [
                        seal(
                            beside.allowed(fresh[index - size]),
                            index,
                            log,
                            salts[SALT_SIZE * (index - size) : SALT_SIZE * (index - size + 1)],
                        )
                        for index in range(first, last)
                    ]
                    tree.take(some)
                    part += some
                    await asyncio.sleep(0)
                sealed += part
                await writing.then(lambda p=part: self._insert(session, log, p, beside))
            figures = sends.figures()
            await writing.then(lambda: self._sends.count(session, log, figures))
            self._sealed()
        await self._write_head(session, log, tree)
        await self._years.add(session, log, sealed)
        return sealed

    async def _insert(
        self, session: Session, log: str, part: Sequence[Sealed], beside: _Beside
    ) -> None:
        await self._blocks.append(session, log, part[0].index, [entry.body for entry in part])
        until = [beside.until(entry.draft) for entry in part]
        await self._private.add(session, rows_of(log, part, until))
        await self._events.add(session, log, part)

    async def _open_tiles(self, session: Session, log: str, size: int) -> Tiles:
        tiles: Tiles = {tile: bytearray() for tile in open_tiles(size)}
        return tiles | await self._read_tiles(log, tiles, session)

    async def _write_head(self, session: Session, log: str, tree: _Growing) -> None:
        await self._tiles.bulk_write(
            [
                ReplaceOne(
                    {"_id": _tile_id(log, tile)}, {"hashes": Binary(bytes(hashes))}, upsert=True
                )
                for tile, hashes in tree.tiles.items()
            ],
            ordered=False,
            session=session,
        )
        frontier = tree.frontier
        grown = {"size": frontier.size, "frontier": [Binary(value) for value in frontier.hashes]}
        await self._heads.update_one({"_id": log}, {"$set": grown}, session=session)

    async def _read_tiles(
        self, log: str, tiles: Iterable[Tile], session: Session | None = None
    ) -> Tiles:
        by_id = {_tile_id(log, tile): tile for tile in tiles}
        rows = self._tiles.find({"_id": {"$in": list(by_id)}}, session=session)
        return {by_id[row["_id"]]: bytearray(row["hashes"]) async for row in rows}

    async def _beside(self, session: Session, log: str, drafts: Sequence[Draft]) -> "_Beside":
        members = {member for draft in drafts for member in draft.members}
        erased = await self._erasures.erased(session, members)
        looked_up = {d.recipient for d in drafts if not d.members and d.recipient is not None}
        left = await self._erasures.left(session, log, looked_up)
        now = self._clock.now()
        return _Beside(erased, left, now + self._text_kept_for, now + self._private_kept_for)

    async def head(self, log: str, session: Session | None = None) -> Head | None:
        """Give a log's head, or None where there is no such log. Raises `BrokenLog`."""
        row = await self._heads.find_one({"_id": log}, session=session)
        return None if row is None else Head(log, _frontier(row))

    async def size(self, log: str, session: Session | None = None) -> int:
        """Give how many entries a log has. Raises `BrokenLog`."""
        return size_of(await self.head(log, session))

    async def heads(self) -> dict[str, Head | None]:
        """Give the heads of all logs by name; None in the place of one that has not its form."""
        heads: dict[str, Head | None] = {}
        async for row in self._heads.find().sort("_id", 1):
            heads[row["_id"]] = None
            with suppress(BrokenLog):
                heads[row["_id"]] = Head(row["_id"], _frontier(row))
        return heads

    async def has_surplus(self, session: Session, log: str) -> bool:
        """Tell whether rows are found or go on behind the log's end that are none of its own."""
        head = await self._heads.find_one({"_id": log}, session=session)
        size = 0 if head is None else _frontier(head).size
        own, found = await self._events.count(session, log, size)
        return own != found or await self._blocks.has_surplus(session, log, size)

    def bodies(self, log: str, start: int, end: int) -> AsyncIterator[list[bytes]]:
        """Stream the entries [start, end) as they were hashed, some at a time."""
        return self._blocks.stream(log, start, end)

    async def pages(self, log: str, start: int, end: int, most: int) -> AsyncIterator[list[Stored]]:
        """Stream the entries [start, end) with their private parts; none after one is missing.

        At most so many at a time, or some megabytes.
        """
        while start < end:
            parts, stop = await self._private.between(log, start, min(start + most, end))
            bodies = [body async for some in self.bodies(log, start, stop) for body in some]
            if not bodies:
                return
            yield [_stored(index, body, parts) for index, body in enumerate(bodies, start=start)]
            start += len(bodies)

    async def knows(self, session: Session, log: str, event_id: str) -> bool:
        """Tell whether a log has an entry of an event that is no send's."""
        return bool(await self._events.known(session, log, [event_id]))

    async def rows(self, log: str, start: int, end: int) -> dict[int, Document]:
        """Give by what the entries of [start, end) are found that are no sends."""
        return await self._events.between(log, start, end)

    async def at(
        self, log: str, indexes: Iterable[int], session: Session | None = None
    ) -> list[Stored]:
        """Give some entries with their private parts, in the order of the log."""
        wanted = sorted({*indexes})
        if not wanted:
            return []
        if session is not None:  # which does one thing at a time
            bodies = await self._blocks.at(log, wanted, session)
            parts = await self._private.at(log, wanted, session)
        else:
            bodies, parts = await asyncio.gather(
                self._blocks.at(log, wanted), self._private.at(log, wanted)
            )
        return [_stored(index, body, parts) for index, body in bodies.items()]

    async def bodies_at(
        self, log: str, indexes: Collection[int], session: Session | None = None
    ) -> dict[int, bytes]:
        """Give some entries as they were hashed, without what lives beside them."""
        return await self._blocks.at(log, indexes, session)

    async def of_message(
        self,
        log: str,
        message_id: str,
        types: Sequence[str],
        after: int | None = None,
        most: int | None = None,
    ) -> list[Stored]:
        """Give a message's entries of some types, in order; none of its sends.

        Those behind an index, and `most` of them, where these are given.
        """
        indexes = await self._events.of_messages(log, [message_id], types)
        later = [index for index in indexes if after is None or index > after]
        return await self.at(log, later[:most])

    async def told_of(
        self, session: Session, log: str, message_ids: Sequence[str], types: Sequence[str]
    ) -> list[Stored]:
        """Give the entries of some messages and types in order, all of one moment."""
        indexes = await self._events.of_messages(log, message_ids, types, session)
        return await self.at(log, indexes, session)

    async def accesses(self, log: str, below: int | None, most: int) -> list[Stored]:
        """Give the entries of type `access`, the newest first, below an index."""
        found = await self.at(log, await self._events.of_type(log, "access", below, most))
        return found[::-1]

    async def about(self, log: str, recipients: Sequence[str]) -> list[Stored]:
        """Give the entries whose private part is about one of these pseudonyms, in order."""
        parts = await self._private.about(log, recipients)
        bodies = await self._blocks.at(log, sorted(parts))
        return [_stored(index, body, parts) for index, body in bodies.items()]

    async def names_members(self, recipient: str) -> bool:
        """Tell whether a private part about this pseudonym names a member."""
        return await self._private.names_members(recipient)

    async def naming(self, log: str, members: Sequence[str]) -> list[Stored]:
        """Give the entries whose private part names one of these members, in order; no sends."""
        return await self.at(log, await self._private.naming(log, members))

    async def send_bodies(self, log: str, message_id: str, below: int) -> AsyncIterator[bytes]:
        """Stream the send entries of a message that stand below an index."""
        async for indexes in self._sends.entries_of(log, message_id):
            wanted = [index for index in indexes if index < below]
            for body in (await self._blocks.at(log, wanted)).values():
                yield body

    async def found_by(self, log: str, start: int, end: int) -> dict[int, FoundBy]:
        """Give by what the private parts of [start, end) are found, for whoever checks it.

        Raises `ValueError` for a part that stands where it does not belong.
        """
        return await self._private.found_by(log, start, end)

    async def beside(
        self, session: Session, log: str, start: int, end: int
    ) -> tuple[set[int], dict[int, str]]:
        """Give which of [start, end) have a private part, and which an erasure took, with years."""
        kept = await self._private.kept(session, log, start, end)
        return kept, await self._erasures.took(session, log, start, end)

    async def grown(self, session: Session, log: str, start: int) -> list[Stored]:
        """Give every entry but sends from an index on, as of the session's moment."""
        return await self.at(log, await self._events.since(session, log, start), session)

    async def erased_by_year(self, session: Session, log: str) -> dict[str, int]:
        """Count what erasures took, by the year of the entries."""
        return await self._erasures.took_by_year(session, log)

    def has_ended(self, entry: Mapping[str, Any]) -> bool:
        """Tell whether the date of an entry's private part has come; within a day it may have."""
        is_text = entry["type"] in TEXTS
        kept_for = self._text_kept_for if is_text else self._private_kept_for
        return datetime.fromisoformat(entry["time"]) + kept_for - _CLOCKS < self._clock.now()

    async def tiles(self, log: str, tiles: Iterable[Tile]) -> Tiles:
        """Give stored tiles, for whoever checks them."""
        return await self._read_tiles(log, tiles)

    async def proof(self, log: str, ranges: Sequence[Range]) -> list[bytes]:
        """Give a proof's hashes from the stored tiles."""
        nodes: set[Node] = {node for part in ranges for node in nodes_of(part)}
        tiles = await self._read_tiles(log, {tile_of(node) for node in nodes})
        return proof(ranges, lambda node: node_in(tiles, node))


def _once(drafts: Iterable[Draft]) -> list[Draft]:
    """Leave out what a batch holds twice."""
    by_id: dict[str, Draft] = {}
    for draft in drafts:
        by_id.setdefault(draft.event_id, draft)
    return list(by_id.values())


def _frontier(head: Document) -> Frontier:
    try:
        return Frontier(int(head["size"]), [bytes(value) for value in head["frontier"]])
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenLog(head["_id"]) from error


def _tile_id(log: str, tile: Tile) -> str:
    return f"{log}|{tile.level}|{tile.place}"


def _stored(index: int, body: bytes, parts: Mapping[int, Part]) -> Stored:
    part = parts.get(index)
    return Stored(
        index=index,
        body=body,
        part=None if part is None else part.part,
        salt=None if part is None else part.salt,
    )
