"""Find what was sent to a number or address, over all years whose key still exists."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from services.audit.domain.entries import EntryType
from services.audit.store.log import LogStore, Stored
from services.audit.store.sends import Sends
from shared.clock import Clock
from shared.failures import Retryable
from shared.pseudonyms import KeyRing, NoPseudonymKey


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
        `Retryable` while the zone has no key for this year.
        """
        try:
            current = self._ring.pseudonym(log, self._clock.now().year, destination)
        except NoPseudonymKey as missing:
            raise Retryable(str(missing)) from missing
        for year in sorted(self._ring.years(log), reverse=True):
            pseudonym = self._ring.pseudonym(log, year, destination)
            if await self._log.names_members(pseudonym):
                return pseudonym
        return current

    async def __call__(self, log: str, destination: str) -> SubjectRecord:
        """Find by the pseudonyms of all years."""
        pseudonyms = [
            self._ring.pseudonym(log, year, destination) for year in self._ring.years(log)
        ]
        found = await self._log.about(log, pseudonyms)
        naming, latest = await asyncio.gather(
            self._log.naming(log, sorted(_members(found))), self._latest(log, found)
        )
        by_index = {entry.index: entry for entry in (*found, *naming)}
        return SubjectRecord(latest, [by_index[index] for index in sorted(by_index)])

    async def _latest(self, log: str, found: Iterable[Stored]) -> list[Stored]:
        """Give the latest entry of each send, most of which are among what was found."""
        by_index = {entry.index: entry for entry in found}
        ids = {orjson.loads(entry.body)["send_id"] for entry in by_index.values()} - {None}
        rows = await self._sends.many(log, sorted(ids))
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
