"""List sends: each by its latest entry."""

from dataclasses import dataclass

from services.audit.store.log import LogStore, Stored
from services.audit.store.sends import SendFilter, Sends
from shared.mongo import Document


@dataclass(frozen=True, slots=True)
class SendPage:
    """Some sends, and where to go on."""

    entries: list[Stored]
    next: int | None


class ListSends:
    """The list is ordered by each send's first entry, which never changes; so paging is stable."""

    def __init__(self, log: LogStore, sends: Sends) -> None:
        """Wire."""
        self._log = log
        self._sends = sends

    async def __call__(
        self, log: str, wanted: SendFilter, below: int | None, most: int
    ) -> SendPage:
        """Give up to `most` sends, the newest first."""
        rows = await self._sends.page(log, wanted, below, most)
        entries = await self.latest(log, rows)
        return SendPage(entries, rows[-1]["first"] if len(rows) == most else None)

    async def latest(self, log: str, rows: list[Document]) -> list[Stored]:
        """Give the latest entry of each row, in the rows' order."""
        by_index = {
            entry.index: entry for entry in await self._log.at(log, [r["last"] for r in rows])
        }
        return [by_index[row["last"]] for row in rows]
