"""The private parts and their salts: collection `private`.

Those of sends stand together in a row, as their entries do; any other one, which may hold a long
text, has a row of its own. What a part is about stands beside it, to find it by.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.audit.domain.entries import EntryType, Sealed
from services.audit.store.blocks import BLOCK, between, block_id, cut, first_of, ids_of
from shared.mongo import Database, Document, Session, write_plainly

_BIG = 8 * 1024 * 1024
"""Bytes of some rows beyond which the driver has to split them: the texts of many bulletins."""

_AT_ONCE = 8 * 1024 * 1024
"""Bytes of private parts that are read for one page, if a block of entries does not have more."""

_ENDED = 500
"""Rows from which parts are dropped at a time."""

_OWN = 2
"""Bars in the name of a row of its own; that of a block has one less."""


@dataclass(frozen=True, slots=True)
class Part:
    """A private part as it was hashed, and its salt."""

    part: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class FoundBy:
    """By what a private part is found, to be shown or erased."""

    members: tuple[str, ...]
    recipient: str | None
    ends: bool
    """Whether it ends by a date: all do but those of `LASTING`."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What becomes of the private parts of neighbouring entries."""

    new: list[Document]
    open: list[Document]
    """Updates of the row that the entries go on with."""

    single: list[Document]


class PrivateParts:
    """Stores parts, finds them, and drops them."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["private"]

    async def prepare(self) -> None:
        """Create the indexes."""
        for field in ("members", "recipient", "until"):
            await self._rows.create_index(f"parts.{field}", sparse=True)

    async def add(self, session: Session, rows: Rows) -> None:
        """Store the parts of what is appended."""
        await write_plainly(self._rows, "update", rows.open, session)
        await write_plainly(self._rows, "insert", rows.new, session)
        if sum(len(part["part"]) for row in rows.single for part in row["parts"]) < _BIG:
            await write_plainly(self._rows, "insert", rows.single, session)
        else:
            await self._rows.insert_many(rows.single, session=session)

    async def at(
        self, log: str, indexes: Iterable[int], session: Session | None = None
    ) -> dict[int, Part]:
        """Give those parts of some entries that there are."""
        wanted = set(indexes)
        names = {name for index in wanted for name in _names(log, index)}
        rows = self._rows.find({"_id": {"$in": sorted(names)}}, session=session)
        parts = _parts(log, await rows.to_list())
        return {index: _shown(part) for index, part in parts if index in wanted}

    async def between(self, log: str, start: int, end: int) -> tuple[dict[int, Part], int]:
        """Give those parts of [start, end) that there are, and up to where this was looked at.

        That is no further than some megabytes go: a page of long texts would not fit into memory.
        """
        kept: dict[int, Part] = {}
        size = 0
        async with self._rows.find(between(log, start, end)).sort("_id", 1) as rows:
            async for row in rows:
                first = first_of(log, row["_id"])
                if size > _AT_ONCE and first is not None and first > start:
                    return kept, first
                size += sum(len(part.get("part", b"")) for part in row["parts"])
                parts = _parts(log, [row])
                kept |= {index: _shown(part) for index, part in parts if start <= index < end}
        return kept, end

    async def about(self, log: str, recipients: Sequence[str]) -> dict[int, Part]:
        """Give the parts that are about one of these pseudonyms."""
        # a row has those of many entries besides: reading these too would double a look-up's time
        own: Document = {"$in": ["$$this.recipient", [*recipients]]}
        shown: Document = {"parts": {"$filter": {"input": "$parts", "cond": own}}}
        found = await self._found(log, "recipient", recipients, shown=shown)
        return {index: _shown(part) for index, part in found}

    async def names_members(self, recipient: str, session: Session | None = None) -> bool:
        """Tell whether a part about this pseudonym names a member."""
        one: Document = {"recipient": recipient, "members": {"$exists": True}}
        query: Document = {"parts": {"$elemMatch": one}}
        found = await self._rows.find_one(
            query, {"_id": 1}, hint=[("parts.recipient", 1)], session=session
        )
        return found is not None

    async def naming(self, log: str, members: Sequence[str]) -> list[int]:
        """Find the entries, other than sends, whose parts name one of these members."""
        if not members:
            return []
        rows = self._rows.find({"parts.members": {"$in": list(members)}}, {"_id": 1})
        names = [str(row["_id"]) async for row in rows]
        return [
            int(name.rpartition("|")[2])
            for name in names
            if name.startswith(f"{log}|") and name.count("|") == _OWN
        ]

    async def logs_naming(self, member_id: str) -> set[str]:
        """Give the logs in which a part names a member."""
        rows = self._rows.find({"parts.members": member_id}, {"_id": 1})
        return {str(row["_id"]).partition("|")[0] async for row in rows}

    async def of_member(self, session: Session, log: str, member_id: str) -> dict[int, Document]:
        """Give by what the parts are found that name a member."""
        return dict(await self._found(log, "members", [member_id], session))

    async def of_recipients(
        self, session: Session, log: str, recipients: Collection[str]
    ) -> dict[int, Document]:
        """Give by what the parts are found that are about some pseudonyms."""
        return dict(await self._found(log, "recipient", [*recipients], session))

    async def _found(
        self,
        log: str,
        field: str,
        values: Sequence[str],
        session: Session | None = None,
        shown: Document | None = None,
    ) -> list[tuple[int, Document]]:
        wanted = {"$in": list(values)}
        query: Document = {f"parts.{field}": wanted, "_id": ids_of(log)}
        rows = await self._rows.find(query, shown, session=session).to_list()
        known = set(values)
        return [
            (index, part)
            for index, part in _parts(log, rows)
            if not known.isdisjoint(_values(part, field))
        ]

    async def drop(self, session: Session, log: str, indexes: Collection[int]) -> None:
        """Drop the parts of some entries."""
        names = {name for index in indexes for name in _names(log, index)}
        rows: Document = {"_id": {"$in": sorted(names)}}
        dropped: Document = {"$pull": {"parts": {"index": {"$in": sorted(indexes)}}}}
        await self._rows.update_many(rows, dropped, session=session)
        await self._rows.delete_many({**rows, "parts": []}, session=session)

    async def end(self, now: datetime) -> bool:
        """Drop parts whose date has come; tell whether there may be more."""
        ended: Document = {"until": {"$lt": now}}
        found = self._rows.find({"parts.until": {"$lt": now}}, {"_id": 1}).limit(_ENDED)
        names = [row["_id"] async for row in found]
        rows: Document = {"_id": {"$in": names}}
        if names:
            await self._rows.update_many(rows, {"$pull": {"parts": ended}})
            await self._rows.delete_many({**rows, "parts": []})
        return len(names) == _ENDED

    async def kept(self, session: Session, log: str, start: int, end: int) -> set[int]:
        """Give which of [start, end) have a part."""
        query = between(log, start, end)
        rows = await self._rows.find(query, {"parts.index": 1}, session=session).to_list()
        return {index for index, _ in _parts(log, rows) if start <= index < end}

    async def found_by(self, log: str, start: int, end: int) -> dict[int, FoundBy]:
        """Give by what the parts of [start, end) are found, for whoever checks it.

        Raises `ValueError` for a part that stands where it does not belong, or twice.
        """
        wanted = {f"parts.{name}": 1 for name in ("index", "members", "recipient", "until")}
        rows = await self._rows.find(between(log, start, end), wanted).to_list()
        parts = _parts(log, rows)
        found = {index: _found_by(part) for index, part in parts}
        if len(found) != sum(len(row["parts"]) for row in rows):
            raise ValueError(log)
        return {index: by for index, by in found.items() if start <= index < end}


def rows_of(log: str, sealed: Sequence[Sealed], until: Sequence[datetime | None]) -> Rows:
    """Give the rows of the parts of neighbouring entries; `until` says when each of them ends."""
    rows, start = Rows([], [], []), sealed[0].index
    for first, end in cut(start, start + len(sealed)):
        parts: list[Document] = []
        for entry, ends in zip(
            sealed[first - start : end - start], until[first - start : end - start], strict=True
        ):
            if entry.part is None:
                continue
            part = _part(entry, ends)
            if entry.draft.type is EntryType.SEND:
                parts.append(part)
            else:
                rows.single.append({"_id": _own_id(log, entry.index), "parts": [part]})
        name = block_id(log, first)
        if parts and first % BLOCK:
            added: Document = {"$push": {"parts": {"$each": parts}}}
            rows.open.append({"q": {"_id": name}, "u": added, "upsert": True})
        elif parts:
            rows.new.append({"_id": name, "parts": parts})
    return rows


def _part(entry: Sealed, until: datetime | None) -> Document:
    draft = entry.draft
    part: Document = {"index": entry.index, "salt": entry.salt, "part": entry.part}
    if draft.members:
        part["members"] = draft.members
    if draft.recipient is not None:
        part["recipient"] = draft.recipient
    if until is not None:
        part["until"] = until
    return part


def _own_id(log: str, index: int) -> str:
    return f"{block_id(log, index)}|{index:012d}"


def _names(log: str, index: int) -> tuple[str, str]:
    return block_id(log, index), _own_id(log, index)


def _parts(log: str, rows: Iterable[Document]) -> Iterator[tuple[int, Document]]:
    """Give the parts that stand where they belong."""
    for row in rows:
        for part in row["parts"]:
            if row["_id"] in _names(log, part["index"]):
                yield part["index"], part


def _shown(part: Mapping[str, Any]) -> Part:
    return Part(bytes(part["part"]), bytes(part["salt"]))


def _values(part: Mapping[str, Any], field: str) -> Sequence[str]:
    value: str | Sequence[str] = part.get(field, ())
    return [value] if isinstance(value, str) else value


def _found_by(part: Mapping[str, Any]) -> FoundBy:
    """Say by what a part is found. Raises `ValueError` where it ends by what is no date."""
    if "until" in part and not isinstance(part["until"], datetime):
        raise ValueError(part["index"])
    return FoundBy(
        members=tuple(part.get("members", ())),
        recipient=part.get("recipient"),
        ends="until" in part,
    )
