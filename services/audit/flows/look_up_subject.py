"""Find what was sent to a number or address, over all years whose key still exists."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from services.audit.domain.entries import EntryType
from services.audit.domain.pages import Page, page_of
from services.audit.store.log import LogStore, Stored
from services.audit.store.sends import Sends
from shared.clock import Clock
from shared.mongo import Document
from shared.pseudonyms import KeyRing


@dataclass(frozen=True, slots=True)
class SubjectRecord:
    """Everything on record about one destination."""

    latest: list[Stored]
    """The latest entry of each send to it, the newest first."""

    entries: list[Stored]
    """Every entry whose private part is about it: sends, and who looked it up.

    With what names the members that were reached there by their ids: who read their data or
    exported it, and notices to them.
    """


class LookUpSubject:
    """The destination is normalised; its pseudonyms are made anew and nothing of it is stored."""

    def __init__(self, log: LogStore, sends: Sends, ring: KeyRing, clock: Clock) -> None:
        """Wire."""
        self._log = log
        self._sends = sends
        self._ring = ring
        self._clock = clock

    async def pseudonym(self, log: str, destination: str) -> str:
        """Give the pseudonym under which the record of the look-up itself is found.

        The one of the latest year in which something was sent there, so that an erasure, which
        only finds pseudonyms by the sends of a member, reaches it; else this year's. Raises
        `NoPseudonymKey` where the zone has none for this year.
        """
        current = self._ring.pseudonym(log, self._clock.now().year, destination)
        for year in sorted(self._ring.years(log), reverse=True):
            pseudonym = self._ring.pseudonym(log, year, destination)
            if await self._log.names_members(pseudonym):
                return pseudonym
        return current

    async def __call__(self, log: str, destination: str) -> SubjectRecord:
        """Find by the pseudonyms of all years; the caller records the look-up."""
        found = await self._found(log, destination)
        latest, entries = await asyncio.gather(self._latest(log, found), self._all(log, found))
        return SubjectRecord(latest, entries)

    async def sends(
        self, log: str, destination: str, below: int | None, most: int
    ) -> Page[Stored, int]:
        """Give up to `most` sends whose first entry is below an index; the newest first.

        A send keeps its place while the log grows, though its latest entry changes.
        """
        found = await self._found(log, destination)
        rows = await self._rows(log, found)
        later = [row for row in rows if below is None or row["first"] < below]
        page = page_of(later, most, lambda row: int(row["first"]))
        return Page(await self._entries(log, found, page.items), page.next)

    async def record(
        self, log: str, destination: str, after: int | None, most: int
    ) -> Page[Stored, int]:
        """Give up to `most` entries of the whole record behind an index; the oldest first."""
        entries = await self._all(log, await self._found(log, destination))
        later = [entry for entry in entries if after is None or entry.index > after]
        return page_of(later, most, lambda entry: entry.index)

    async def _found(self, log: str, destination: str) -> list[Stored]:
        """Give the entries whose private part is about the destination."""
        years = self._ring.years(log)
        pseudonyms = [self._ring.pseudonym(log, year, destination) for year in years]
        return await self._log.about(log, pseudonyms)

    async def _all(self, log: str, found: Iterable[Stored]) -> list[Stored]:
        """Add what names the members that were reached, in the order of the log."""
        naming = await self._log.naming(log, sorted(_members(found)))
        by_index = {entry.index: entry for entry in (*found, *naming)}
        return [by_index[index] for index in sorted(by_index)]

    async def _latest(self, log: str, found: Iterable[Stored]) -> list[Stored]:
        return await self._entries(log, found, await self._rows(log, found))

    async def _rows(self, log: str, found: Iterable[Stored]) -> list[Document]:
        """Give the rows of the sends among what was found, the newest first."""
        ids = {orjson.loads(entry.body)["send_id"] for entry in found} - {None}
        return await self._sends.many(log, sorted(ids))

    async def _entries(
        self, log: str, found: Iterable[Stored], rows: Sequence[Document]
    ) -> list[Stored]:
        """Give the latest entry of each send, most of which are among what was found."""
        by_index = {entry.index: entry for entry in found}
        others = [row["last"] for row in rows if row["last"] not in by_index]
        by_index |= {entry.index: entry for entry in await self._log.at(log, others)}
        return [by_index[row["last"]] for row in rows]


def _members(entries: Iterable[Stored]) -> set[str]:
    """Give whom the found sends reached; who looked a number up says nothing about whose it is."""
    parts = (
        orjson.loads(entry.part)
        for entry in entries
        if entry.part is not None and orjson.loads(entry.body)["type"] == EntryType.SEND
    )
    return {member for part in parts for member in part["member_ids"]}
