"""The logs: collections `heads`, `entries`, `private` and `tiles`.

`entries` is only ever added to. A batch (entries, private parts, tiles, counters, head) is one
transaction of the caller, conditional on the head's epoch, and idempotent on `event_id`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
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
from services.audit.store.erasures import Erasures
from services.audit.store.sends import Sends
from services.audit.store.years import Years
from shared.clock import Clock
from shared.failures import Fenced, Retryable
from shared.mongo import Database, Document, Session, write_plainly

_AT_ONCE = 250
"""Entries sealed before whoever else waits for the processor has a turn: a few milliseconds."""

_BIG = 8 * 1024 * 1024
"""Bytes of some entries beyond which the driver has to split them: the texts of many bulletins."""

_READ = 1000
_NO_END = 10**12 - 1

_SHOWN = {"part": 1, "salt": 1}
"""What a reader gets of a private part; the rest is for finding it."""

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


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as it was stored, with what lives beside it, if that is still there."""

    index: int
    body: bytes
    part: bytes | None
    salt: bytes | None


@dataclass(frozen=True, slots=True)
class FoundBy:
    """By what a stored private part is found, to be shown or erased."""

    members: tuple[str, ...]
    recipient: str | None
    ends: bool
    """Whether it ends by a date: all do but those of `LASTING`."""


class BrokenLog(Retryable):
    """The head has not its form, or does not fit the tiles: somebody changed the database.

    Nothing is lost by waiting, since the records stay on their topics; the check of the whole log
    says what to do.
    """


@dataclass(frozen=True, slots=True)
class _Beside:
    """What decides on the private parts of a batch."""

    erased: set[str]
    """The members of whom nothing is kept."""

    texts_until: datetime
    """When the parts that hold texts end."""

    private_until: datetime
    """When the others end that end by a date."""

    def is_gone(self, draft: Draft) -> bool:
        """Tell whether everybody is erased whom a private part would be about."""
        return bool(self.erased and draft.members) and self.erased.issuperset(draft.members)

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


class LogStore:
    """Appends to logs and reads them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        text_kept_for: timedelta,
        private_kept_for: timedelta,
    ) -> None:
        """Bind to the service's database."""
        self._heads = database["heads"]
        self._entries = database["entries"]
        self._private = database["private"]
        self._tiles = database["tiles"]
        self._erased = database["erased"]
        self._erasures = Erasures(database)
        self._sends = Sends(database)
        self._years = Years(database)
        self._clock = clock
        self._text_kept_for = text_kept_for
        self._private_kept_for = private_kept_for

    async def prepare(self) -> None:
        """Create the indexes."""
        # not clustered by its ids, which would spare an index: 6.0 answers `$in` by reading it all
        await self._entries.create_index([("log", 1), ("event_id", 1)], unique=True)
        # none for sends, of which a log mostly consists: their rows in `sends` name their entries
        await self._entries.create_index(
            [("log", 1), ("message_id", 1), ("type", 1), ("_id", 1)],
            partialFilterExpression={"timeline": True},
        )
        await self._entries.create_index(
            [("log", 1), ("type", 1), ("_id", 1)],
            partialFilterExpression={"type": "access"},  # the only type that is listed by itself
        )
        await self._private.create_index("members", sparse=True)
        await self._private.create_index("recipient", sparse=True)
        await self._private.create_index("until", expireAfterSeconds=0, sparse=True)
        await self._sends.prepare()

    async def append(
        self, session: Session, log: str, epoch: int, drafts: Sequence[Draft]
    ) -> list[Sealed]:
        """Append what the log does not have yet and give it, in order. Raises `Fenced`."""
        head = await self._heads.find_one_and_update(
            {"_id": log, "epoch": epoch},
            {"$inc": {"batches": 1}},  # a write first, so that two batches collide before the work
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if head is None:
            raise Fenced(log)
        fresh = await self._fresh(session, log, drafts)
        if not fresh:
            return []
        return await self._append(session, log, _frontier(head), fresh)

    async def _append(
        self, session: Session, log: str, frontier: Frontier, fresh: Sequence[Draft]
    ) -> list[Sealed]:
        size, sealed = frontier.size, list[Sealed]()
        tiles = await self._open_tiles(session, log, size)
        beside = await self._beside(session, fresh)
        drafts = [without_private(draft) if beside.is_gone(draft) else draft for draft in fresh]
        sends = await self._sends.begin(session, log, drafts)
        for first in range(0, len(drafts), _AT_ONCE):
            sends.take(size + first, drafts[first : first + _AT_ONCE])
            await asyncio.sleep(0)
        salts = self._clock.random(SALT_SIZE * len(drafts))
        async with _InTurn() as writing:
            await writing.then(lambda: self._sends.write(session, sends))
            for first in range(0, len(drafts), _AT_ONCE):
                part: list[Sealed] = []
                for number, draft in enumerate(drafts[first : first + _AT_ONCE], start=first):
                    salt = salts[SALT_SIZE * number : SALT_SIZE * (number + 1)]
                    part.append(seal(draft, size + number, log, salt))
                leaves = [leaf_hash(entry.body) for entry in part]
                _grow(log, tiles, size + first, leaves)
                frontier.extend(leaves)
                entries, private = _rows(log, part, beside)
                sealed += part
                await writing.then(lambda e=entries, p=private: self._insert(session, e, p))
        await self._write_head(session, log, frontier, tiles)
        await self._sends.count(session, sends)
        await self._years.add(session, log, sealed)
        return sealed

    async def _fresh(self, session: Session, log: str, drafts: Sequence[Draft]) -> list[Draft]:
        by_id: dict[str, Draft] = {}
        for draft in drafts:
            by_id.setdefault(draft.event_id, draft)
        query = {"log": log, "event_id": {"$in": list(by_id)}}
        known = self._entries.find(query, {"_id": 0, "event_id": 1}, session=session)
        for row in await known.to_list():
            del by_id[row["event_id"]]
        return list(by_id.values())

    async def _insert(
        self, session: Session, entries: list[Document], private: list[Document]
    ) -> None:
        if (
            sum(len(row["body"]) for row in entries) + sum(len(row["part"]) for row in private)
            < _BIG
        ):
            await write_plainly(self._entries, "insert", entries, session)
            await write_plainly(self._private, "insert", private, session)
            return
        await self._entries.insert_many(entries, session=session)
        if private:
            await self._private.insert_many(private, session=session)

    async def _open_tiles(self, session: Session, log: str, size: int) -> Tiles:
        tiles: Tiles = {tile: bytearray() for tile in open_tiles(size)}
        return tiles | await self._read_tiles(log, tiles, session)

    async def _write_head(
        self, session: Session, log: str, frontier: Frontier, tiles: Tiles
    ) -> None:
        await self._tiles.bulk_write(
            [
                ReplaceOne(
                    {"_id": _tile_id(log, tile)}, {"hashes": Binary(bytes(hashes))}, upsert=True
                )
                for tile, hashes in tiles.items()
            ],
            ordered=False,
            session=session,
        )
        grown = {"size": frontier.size, "frontier": [Binary(value) for value in frontier.hashes]}
        await self._heads.update_one({"_id": log}, {"$set": grown}, session=session)

    async def _read_tiles(
        self, log: str, tiles: Iterable[Tile], session: Session | None = None
    ) -> Tiles:
        by_id = {_tile_id(log, tile): tile for tile in tiles}
        rows = self._tiles.find({"_id": {"$in": list(by_id)}}, session=session)
        return {by_id[row["_id"]]: bytearray(row["hashes"]) async for row in rows}

    async def _beside(self, session: Session, drafts: Sequence[Draft]) -> "_Beside":
        members = {member for draft in drafts for member in draft.members}
        erased = await self._erasures.erased(session, members)
        now = self._clock.now()
        return _Beside(erased, now + self._text_kept_for, now + self._private_kept_for)

    async def head(self, log: str) -> Head | None:
        """Give a log's head, or None where there is no such log. Raises `BrokenLog`."""
        row = await self._heads.find_one({"_id": log})
        return None if row is None else Head(log, _frontier(row))

    async def heads(self) -> dict[str, Head | None]:
        """Give the heads of all logs by name; None in the place of one that has not its form."""
        heads: dict[str, Head | None] = {}
        async for row in self._heads.find().sort("_id", 1):
            heads[row["_id"]] = None
            with suppress(BrokenLog):
                heads[row["_id"]] = Head(row["_id"], _frontier(row))
        return heads

    async def counted(self, session: Session, log: str) -> tuple[int, int]:
        """Give how many entries a log has and how many rows are listed as such, of one moment."""
        head = await self._heads.find_one({"_id": log}, session=session)
        rows = await self._entries.count_documents({"log": log}, session=session)
        return 0 if head is None else _frontier(head).size, rows

    async def bodies(self, log: str, start: int, end: int) -> AsyncIterator[list[bytes]]:
        """Stream the entries [start, end) as they were hashed, some at a time."""
        wanted = {"_id": 0, "body": 1}
        rows = self._entries.find(_between(log, start, end), wanted, batch_size=_READ)
        async with rows.sort("_id", 1):
            while found := await rows.to_list(_READ):
                yield [row["body"] for row in found]

    async def rows(self, log: str, start: int, end: int) -> AsyncIterator[Document]:
        """Stream the rows of [start, end), with the fields that the indexes use."""
        async for row in self._entries.find(_between(log, start, end)).sort("_id", 1):
            yield row

    async def page(self, log: str, start: int, end: int) -> list[Stored]:
        """Give the entries [start, end) with their private parts."""
        between = _between(log, start, end)
        entries = await self._entries.find(between, {"body": 1}).sort("_id", 1).to_list()
        private = {row["_id"]: row async for row in self._private.find(between)}
        return [_stored(row, private.get(row["_id"])) for row in entries]

    async def at(self, log: str, indexes: Iterable[int]) -> list[Stored]:
        """Give some entries with their private parts, in the order of the log."""
        names = [_entry_id(log, index) for index in indexes]
        if not names:
            return []
        ids: Document = {"_id": {"$in": names}}
        entries, private = await asyncio.gather(
            self._entries.find(ids, {"body": 1}).sort("_id", 1).to_list(),
            self._private.find(ids, _SHOWN).to_list(),
        )
        return _join(entries, private)

    async def bodies_at(self, log: str, indexes: Iterable[int]) -> dict[int, bytes]:
        """Give some entries as they were hashed, without what lives beside them."""
        ids: Document = {"_id": {"$in": [_entry_id(log, index) for index in indexes]}}
        rows = await self._entries.find(ids, {"body": 1}).to_list()
        return {_index(row["_id"]): bytes(row["body"]) for row in rows}

    async def _with_private(self, entries: Sequence[Document]) -> list[Stored]:
        ids = [row["_id"] for row in entries]
        if not ids:
            return []
        return _join(entries, await self._private.find({"_id": {"$in": ids}}, _SHOWN).to_list())

    async def of_message(self, log: str, message_id: str, types: Iterable[str]) -> list[Stored]:
        """Give a message's entries of some types, in order; none of its sends."""
        query: Document = {
            "log": log,
            "message_id": message_id,
            "type": {"$in": list(types)},
            "timeline": True,
        }
        rows = await self._entries.find(query, {"body": 1}).sort("_id", 1).to_list()
        return await self._with_private(rows)

    async def told_of(
        self, session: Session, log: str, message_ids: Sequence[str], types: Sequence[str]
    ) -> list[Stored]:
        """Give the entries of some messages and types in order, all of one moment."""
        query: Document = {
            "log": log,
            "message_id": {"$in": list(message_ids)},
            "type": {"$in": list(types)},
            "timeline": True,
        }
        rows = (
            await self._entries.find(query, {"body": 1}, session=session).sort("_id", 1).to_list()
        )
        ids: Document = {"_id": {"$in": [row["_id"] for row in rows]}}
        private = {row["_id"]: row async for row in self._private.find(ids, session=session)}
        return [_stored(row, private.get(row["_id"])) for row in rows]

    async def accesses(self, log: str, below: int | None, most: int) -> list[Stored]:
        """Give the entries of type `access`, the newest first, below an index."""
        query: Document = {"log": log, "type": "access"}
        if below is not None:
            query["_id"] = {"$lt": _entry_id(log, below)}
        rows = self._entries.find(query, {"body": 1}).sort("_id", -1).limit(most)
        return await self._with_private(await rows.to_list())

    async def about(self, log: str, recipients: Sequence[str]) -> list[Stored]:
        """Give the entries whose private part is about one of these pseudonyms, in order."""
        found = self._private.find({"recipient": {"$in": list(recipients)}}, _SHOWN)
        private = [row async for row in found if row["_id"].startswith(f"{log}|")]
        ids: Document = {"_id": {"$in": [row["_id"] for row in private]}}
        entries = await self._entries.find(ids, {"body": 1}).sort("_id", 1).to_list()
        return _join(entries, private)

    async def names_members(self, recipient: str) -> bool:
        """Tell whether a private part about this pseudonym names a member."""
        query: Document = {"recipient": recipient, "members": {"$exists": True}}
        found = await self._private.find_one(query, {"_id": 1}, hint=[("recipient", 1)])
        return found is not None

    async def naming(self, log: str, members: Sequence[str]) -> list[Stored]:
        """Give the entries whose private part names one of these members, in order; no sends."""
        if not members:
            return []
        named = self._private.find({"members": {"$in": list(members)}}, {"_id": 1})
        ids = [row["_id"] async for row in named if row["_id"].startswith(f"{log}|")]
        query: Document = {"_id": {"$in": ids}, "type": {"$ne": EntryType.SEND.value}}
        rows = await self._entries.find(query, {"body": 1}).sort("_id", 1).to_list()
        return await self._with_private(rows)

    async def send_bodies(self, log: str, message_id: str, below: int) -> AsyncIterator[bytes]:
        """Stream the send entries of a message that stand below an index."""
        async for indexes in self._sends.entries_of(log, message_id):
            ids = [_entry_id(log, index) for index in indexes if index < below]
            async for row in self._entries.find({"_id": {"$in": ids}}, {"body": 1}):
                yield bytes(row["body"])

    async def found_by(self, log: str, start: int, end: int) -> dict[int, FoundBy]:
        """Give by what the private parts of [start, end) are found, for whoever checks it."""
        rows = self._private.find(_between(log, start, end), {"part": 0, "salt": 0})
        return {
            _index(row["_id"]): FoundBy(
                members=tuple(row.get("members", ())),
                recipient=row.get("recipient"),
                ends=_ends(row),
            )
            async for row in rows
        }

    async def beside(
        self, session: Session, log: str, start: int, end: int
    ) -> tuple[set[int], dict[int, str]]:
        """Give which of [start, end) have a private part, and which an erasure took, with years."""
        between = _between(log, start, end)
        kept = self._private.find(between, {"_id": 1}, session=session)
        erased = self._erased.find(between, session=session)
        return (
            {_index(row["_id"]) async for row in kept},
            {_index(row["_id"]): row["year"] async for row in erased},
        )

    async def grown(self, session: Session, log: str, start: int) -> list[Stored]:
        """Give every entry but sends from an index on, as of the session's moment."""
        query = {**_between(log, start, _NO_END), "type": {"$ne": EntryType.SEND.value}}
        rows = await self._entries.find(query, {"body": 1}, session=session).to_list()
        ids: Document = {"_id": {"$in": [row["_id"] for row in rows]}}
        private = {row["_id"]: row async for row in self._private.find(ids, session=session)}
        return [_stored(row, private.get(row["_id"])) for row in rows]

    async def erased_by_year(self, session: Session, log: str) -> dict[str, int]:
        """Count what erasures took, by the year of the entries."""
        own: Document = {"_id": {"$gte": f"{log}|", "$lt": f"{log}}}"}}
        groups = await self._erased.aggregate(
            [{"$match": own}, {"$group": {"_id": "$year", "count": {"$sum": 1}}}], session=session
        )
        return {str(group["_id"]): int(group["count"]) async for group in groups}

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


def _frontier(head: Document) -> Frontier:
    try:
        return Frontier(int(head["size"]), [bytes(value) for value in head["frontier"]])
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenLog(head["_id"]) from error


def _entry_id(log: str, index: int) -> str:
    return f"{log}|{index:012d}"


def _index(entry_id: str) -> int:
    return int(entry_id.rpartition("|")[2])


def _ends(private: Document) -> bool:
    """Tell whether a date ends a private part. Raises `ValueError` for what is no date."""
    if "until" in private and not isinstance(private["until"], datetime):
        raise ValueError(private["_id"])
    return "until" in private


def _tile_id(log: str, tile: Tile) -> str:
    return f"{log}|{tile.level}|{tile.place}"


def _between(log: str, start: int, end: int) -> dict[str, Any]:
    return {"_id": {"$gte": _entry_id(log, start), "$lt": _entry_id(log, end)}}


def _grow(log: str, tiles: Tiles, size: int, leaves: Sequence[bytes]) -> None:
    try:
        grow_tiles(tiles, size, leaves)
    except ValueError as error:
        raise BrokenLog(log) from error


def _rows(
    log: str, sealed: Sequence[Sealed], beside: _Beside
) -> tuple[list[Document], list[Document]]:
    """Give the rows of entries, and those of their private parts."""
    entries: list[Document] = []
    private: list[Document] = []
    for entry in sealed:
        draft = entry.draft
        entry_id = _entry_id(log, entry.index)
        row: Document = {
            "_id": entry_id,
            "log": log,
            "event_id": draft.event_id,
            "type": draft.type.value,
            "message_id": draft.message_id,
            "body": entry.body,
        }
        if draft.type is not EntryType.SEND:
            row["timeline"] = True
        entries.append(row)
        if entry.part is not None:
            private.append(_private_row(entry_id, entry, beside.until(draft)))
    return entries, private


def _private_row(entry_id: str, entry: Sealed, until: datetime | None) -> Document:
    draft = entry.draft
    row: Document = {"_id": entry_id, "salt": entry.salt, "part": entry.part}
    if draft.members:
        row["members"] = draft.members
    if draft.recipient is not None:
        row["recipient"] = draft.recipient
    if until is not None:
        row["until"] = until
    return row


def _join(entries: Iterable[Document], private: Iterable[Document]) -> list[Stored]:
    """Put entries and their private parts together, in the order of the entries."""
    by_id = {row["_id"]: row for row in private}
    return [_stored(row, by_id.get(row["_id"])) for row in entries]


def _stored(row: Document, private: Document | None) -> Stored:
    return Stored(
        index=_index(row["_id"]),
        body=bytes(row["body"]),
        part=None if private is None else bytes(private["part"]),
        salt=None if private is None else bytes(private["salt"]),
    )
