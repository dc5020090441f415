"""Check what the service answers from against the log itself: tiles, lists, counters.

Nothing of it is signed, and all of it follows from the entries. Somebody who changes only these
makes the service tell something else than its log says, while every bundle still verifies.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from services.audit.domain.alarms import Doubt
from services.audit.domain.entries import LASTING, EntryType
from services.audit.domain.merkle import HASH_SIZE, TILE_WIDTH, Tiles, grow_tiles, leaf_hash
from services.audit.domain.retold import TOLD_BY
from services.audit.flows.account_for_parts import AccountForParts
from services.audit.flows.check_log import MALFORMED
from services.audit.flows.check_messages import CheckMessages
from services.audit.store.log import FoundBy, LogStore, Stored
from services.audit.store.sends import Sends, follows, row_id
from services.audit.store.years import Place, Years, place_of
from shared.mongo import Client, Document, Session, transaction

_PAGE = 1000
_FULL = TILE_WIDTH * HASH_SIZE


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
        head = await self._log.head(log)
        size = 0 if head is None else head.size
        counted: Counter[Place] = Counter()
        message_ids = await self._messages.listed(log)
        parts = AccountForParts(self._client, self._log, log)
        tiles: Tiles = {}
        for start in range(0, size, _PAGE):
            page = await self._log.page(log, start, min(start + _PAGE, size))
            doubt = await self._page_doubt(log, page, start, tiles)
            if doubt is None and not await parts.page(page):
                doubt = Doubt.PRIVATE_UNACCOUNTED
            if doubt is not None:
                return doubt
            message_ids |= _messages_in(page)
            counted += _count(page)
        if not await parts.adds_up():
            return Doubt.PRIVATE_UNACCOUNTED
        lists_follow = await self._lists_follow(log, size)
        if not (lists_follow and await self._messages.follow(log, message_ids)):
            return Doubt.LISTS_DIFFER
        if not await transaction(
            self._client, lambda session: self._years_hold(session, log, size, counted)
        ):
            return Doubt.COUNTERS_DIFFER
        return await self._figures_doubt(log)

    async def _years_hold(
        self, session: Session, log: str, size: int, counted: Counter[Place]
    ) -> bool:
        since = _count(await self._log.grown(session, log, size))
        return await self._years.hold(session, log, counted + since)

    async def _page_doubt(
        self, log: str, page: Sequence[Stored], start: int, tiles: Tiles
    ) -> Doubt | None:
        grow_tiles(tiles, start, (leaf_hash(entry.body) for entry in page))
        if not await self._tiles_hold(log, tiles):
            return Doubt.TILES_DIFFER
        for full in [tile for tile, hashes in tiles.items() if len(hashes) == _FULL]:
            del tiles[full]
        found_by = await self._log.found_by(log, start, start + len(page))
        if not all(_is_found(entry, found_by.get(entry.index)) for entry in page):
            return Doubt.LISTS_DIFFER
        return None if await self._sends_are_listed(log, page) else Doubt.LISTS_DIFFER

    async def _figures_doubt(self, log: str) -> Doubt | None:
        hold = await transaction(
            self._client, lambda session: self._sends.counters_hold(session, log)
        )
        if hold:
            hold = await transaction(
                self._client, lambda session: self._sends.outcomes_hold(session, log)
            )
        if not hold:
            return Doubt.COUNTERS_DIFFER
        hold = await transaction(self._client, lambda session: self._sends.hours_hold(session, log))
        return None if hold else Doubt.LISTS_DIFFER

    async def _tiles_hold(self, log: str, tiles: Tiles) -> bool:
        stored = await self._log.tiles(log, tiles)  # perhaps grown since
        return all(stored.get(tile, b"")[: len(hashes)] == hashes for tile, hashes in tiles.items())

    async def _sends_are_listed(self, log: str, page: Iterable[Stored]) -> bool:
        sends = _sends_in(page)
        rows = {row["_id"]: row for row in await self._sends.many(log, _ids(sends))}
        listed = [(entry["index"], rows.get(row_id(log, entry["send_id"]))) for entry in sends]
        return all(
            row is not None
            and row["log"] == log
            and row["first"] <= index
            and index in row["entries"]
            for index, row in listed
        )

    async def _lists_follow(self, log: str, size: int) -> bool:
        """Tell whether each row is what its entries make of it; a row may have grown since."""
        async for rows in self._sends.batches(log, size, _PAGE // 4):
            indexes = {index for row in rows for index in row["entries"]}
            bodies = await self._log.bodies_at(log, indexes)
            entries = {index: orjson.loads(body) for index, body in bodies.items()}
            if not all(_follows(log, row, entries) for row in rows):
                return False
        return True


def _is_found(entry: Stored, found_by: FoundBy | None) -> bool:
    """Tell whether a private part is found by what it says, and by nothing else."""
    if entry.part is None or found_by is None:
        return True  # erased, perhaps between two reads
    part: dict[str, Any] = orjson.loads(entry.part)
    members = part.get("member_ids") or ([part["to_member"]] if part.get("to_member") else [])
    ends = orjson.loads(entry.body)["type"] not in LASTING
    return found_by == FoundBy(tuple(members), part.get("recipient"), ends)


def _follows(log: str, row: Document, entries: dict[int, dict[str, Any]]) -> bool:
    own = [entries.get(index) for index in row["entries"]]
    found = [entry for entry in own if entry is not None]
    are_sends = all(entry["type"] == EntryType.SEND for entry in found)
    return len(found) == len(own) > 0 and are_sends and follows(log, row, found)


def _ids(sends: Iterable[dict[str, Any]]) -> list[str]:
    return sorted({str(entry["send_id"]) for entry in sends})


def _count(page: Iterable[Stored]) -> Counter[Place]:
    """Count what is no send, by year, type and state."""
    entries: list[dict[str, Any]] = [orjson.loads(entry.body) for entry in page]
    return Counter(place_of(entry) for entry in entries if entry["type"] != EntryType.SEND)


def _messages_in(page: Iterable[Stored]) -> set[str]:
    """Give the ids of the messages of which a page tells more than a send."""
    entries: list[dict[str, Any]] = [orjson.loads(entry.body) for entry in page]
    told = [entry for entry in entries if entry["type"] in TOLD_BY]
    return {str(entry["message_id"]) for entry in told if entry["message_id"] is not None}


def _sends_in(page: Iterable[Stored]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = [orjson.loads(entry.body) for entry in page]
    return [entry for entry in entries if entry["type"] == EntryType.SEND]
