"""Account for every private part that is not there: an erasure took it, or its date has come.

Each erasure's entry counts what it took by year, and what was taken is noted by entry. So a part
that somebody drops is either not noted, or noted beyond what the entries count.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from services.audit.domain.entries import LASTING, OF_MEMBERS, EntryType, year_of
from services.audit.store.log import LogStore, Stored
from shared.mongo import Client, Session, transaction


class AccountForParts:
    """Reads along with a check of a whole log; one object for one reading."""

    def __init__(self, client: Client, log: LogStore, name: str) -> None:
        """Begin with the log called `name`."""
        self._client = client
        self._log = log
        self._name = name
        self._read = 0
        self._taken: Counter[str] = Counter()

    async def page(self, page: Sequence[Stored], entries: Sequence[dict[str, Any]]) -> bool:
        """Take the next entries in; False where a part is missing without a reason.

        `entries` are those of the page, read already.
        """
        start, self._read = self._read, self._read + len(page)
        self._taken += _taken(page)
        kept, erased = await transaction(
            self._client, lambda session: self._log.beside(session, self._name, start, self._read)
        )
        return all(
            self._is_accounted_for(
                entry, is_kept=entry["index"] in kept, erased=erased.get(entry["index"])
            )
            for entry in entries
        )

    def _is_accounted_for(
        self, entry: dict[str, Any], *, is_kept: bool, erased: str | None
    ) -> bool:
        if erased is not None:
            may_be = entry["private"] is not None and entry["type"] in OF_MEMBERS
            return may_be and not is_kept and erased == year_of(entry)
        if is_kept or entry["private"] is None:
            return True
        return entry["type"] not in LASTING and self._log.has_ended(entry)

    async def adds_up(self) -> bool:
        """Tell, at the end, whether as much was taken as the entries of the erasures count."""
        return await transaction(self._client, self._adds_up)

    async def _adds_up(self, session: Session) -> bool:
        taken = self._taken + _taken(await self._log.grown(session, self._name, self._read))
        return dict(taken) == await self._log.erased_by_year(session, self._name)


def _taken(page: Iterable[Stored]) -> Counter[str]:
    taken: Counter[str] = Counter()
    for stored in page:
        if stored.part is not None and orjson.loads(stored.body)["type"] == EntryType.ERASURE:
            taken.update(orjson.loads(stored.part)["parts"])
    return taken
