"""Check what the service answers from against the log itself: tiles, lists, counters.

Nothing of it is signed, and all of it follows from the entries. Somebody who changes only these
makes the service tell something else than its log says, while every bundle still verifies.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from services.audit.domain.alarms import Doubt
from services.audit.domain.entries import LASTING, EntryType
from services.audit.domain.merkle import HASH_SIZE, TILE_WIDTH, Tiles, grow_tiles, leaf_hash
from services.audit.domain.retold import TOLD_BY
from services.audit.flows.account_for_parts import AccountForParts
from services.audit.flows.check_figures import CheckFigures
from services.audit.flows.check_log import MALFORMED
from services.audit.flows.check_messages import CheckMessages
from services.audit.store.log import FoundBy, LogStore, Stored
from services.audit.store.sends import Sends, follows, row_id
from services.audit.store.years import Place, Years, place_of
from shared.mongo import Client, Document, Session, transaction

_PAGE = 1000
_FULL = TILE_WIDTH * HASH_SIZE

Entry = dict[str, Any]
"""An entry's fields, as they were read back."""


class CheckLists:
    """Reads one log from its beginning to its head of now, while it grows."""

    def __init__(
        self,
        client: Client,
        log: LogStore,
        sends: Sends,
        years: Years,
        messages: CheckMessages,
    ) -> None:
        """Wire."""
        self._messages = messages
        self._years = years
        self._client = client
        self._log = log
        self._sends = sends

    async def __call__(self, log: str) -> Doubt | None:
        """Give the first doubt about what follows from a log, or None."""
        try:
            return await self._doubt(log)
        except MALFORMED:
            return Doubt.MALFORMED

    async def _doubt(self, log: str) -> Doubt | None:
        size = await self._log.size(log)
        counted: Counter[Place] = Counter()
        message_ids = await self._messages.listed(log)
        parts = AccountForParts(self._client, self._log, log)
        tiles: Tiles = {}
        async for page in self._log.pages(log, 0, size, _PAGE):
            entries = [orjson.loads(stored.body) for stored in page]
            doubt = await self._page_doubt(log, page, entries, tiles)
            if doubt is None and not await parts.page(page, entries):
                doubt = Doubt.PRIVATE_UNACCOUNTED
            if doubt is not None:
                return doubt
            message_ids |= _messages_in(entries)
            counted.update(_places(entries))
        if not await parts.adds_up():
            return Doubt.PRIVATE_UNACCOUNTED
        figures = CheckFigures(self._client, self._log, self._sends, log, size)
        lists_follow = await self._lists_follow(log, size, figures)
        if not (lists_follow and await self._messages.follow(log, message_ids)):
            return Doubt.LISTS_DIFFER
        if not await transaction(
            self._client, lambda session: self._years_hold(session, log, size, counted)
        ):
            return Doubt.COUNTERS_DIFFER
        return await figures.doubt()

    async def _years_hold(
        self, session: Session, log: str, size: int, counted: Counter[Place]
    ) -> bool:
        grown = await self._log.grown(session, log, size)
        since = Counter(_places(orjson.loads(stored.body) for stored in grown))
        return await self._years.hold(session, log, counted + since)

    async def _page_doubt(
        self, log: str, page: Sequence[Stored], entries: Sequence[Entry], tiles: Tiles
    ) -> Doubt | None:
        start = page[0].index
        grow_tiles(tiles, start, (leaf_hash(stored.body) for stored in page))
        if not await self._tiles_hold(log, tiles):
            return Doubt.TILES_DIFFER
        for full in [tile for tile, hashes in tiles.items() if len(hashes) == _FULL]:
            del tiles[full]
        found_by = await self._log.found_by(log, start, start + len(page))
        if not all(
            _is_found(stored, entry, found_by.get(stored.index))
            for stored, entry in zip(page, entries, strict=True)
        ):
            return Doubt.LISTS_DIFFER
        return None if await self._sends_are_listed(log, entries) else Doubt.LISTS_DIFFER

    async def _tiles_hold(self, log: str, tiles: Tiles) -> bool:
        stored = await self._log.tiles(log, tiles)  # perhaps grown since
        return all(stored.get(tile, b"")[: len(hashes)] == hashes for tile, hashes in tiles.items())

    async def _sends_are_listed(self, log: str, entries: Iterable[Entry]) -> bool:
        sends = [entry for entry in entries if entry["type"] == EntryType.SEND]
        ids = sorted({str(entry["send_id"]) for entry in sends})
        rows = {row["_id"]: row for row in await self._sends.many(log, ids)}
        listed = [(entry["index"], rows.get(row_id(log, entry["send_id"]))) for entry in sends]
        return all(
            row is not None
            and row["log"] == log
            and row["first"] <= index
            and index in row["entries"]
            for index, row in listed
        )

    async def _lists_follow(self, log: str, size: int, figures: CheckFigures) -> bool:
        """Tell whether each row is what its entries make of it; a row may have grown since."""
        async for rows in self._sends.batches(log, size, _PAGE // 4):
            indexes = {index for row in rows for index in row["entries"]}
            bodies = await self._log.bodies_at(log, indexes)
            entries = {index: orjson.loads(body) for index, body in bodies.items()}
            for row in rows:
                if not _follows(log, row, entries):
                    return False
                figures.take(row, entries)
        return True


def _is_found(stored: Stored, entry: Entry, found_by: FoundBy | None) -> bool:
    """Tell whether a private part is found by what it says, and by nothing else."""
    if stored.part is None or found_by is None:
        return True  # erased, perhaps between two reads
    part: dict[str, Any] = orjson.loads(stored.part)
    members = part.get("member_ids") or ([part["to_member"]] if part.get("to_member") else [])
    ends = entry["type"] not in LASTING
    return found_by == FoundBy(tuple(members), part.get("recipient"), ends)


def _follows(log: str, row: Document, entries: Mapping[int, Entry]) -> bool:
    own = [entries.get(index) for index in row["entries"]]
    found = [entry for entry in own if entry is not None]
    are_sends = all(entry["type"] == EntryType.SEND for entry in found)
    return len(found) == len(own) > 0 and are_sends and follows(log, row, found)


def _places(entries: Iterable[Entry]) -> Iterator[Place]:
    """Give what is no send by year, type and state."""
    return (place_of(entry) for entry in entries if entry["type"] != EntryType.SEND)


def _messages_in(entries: Iterable[Entry]) -> set[str]:
    """Give the ids of the messages of which entries tell more than a send."""
    told = [entry for entry in entries if entry["type"] in TOLD_BY]
    return {str(entry["message_id"]) for entry in told if entry["message_id"] is not None}
