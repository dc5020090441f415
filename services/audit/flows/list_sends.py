"""List sends: each by its latest entry."""

from dataclasses import dataclass

from services.audit.store.log import LogStore
from services.audit.store.sends import SendFilter, Sends


@dataclass(frozen=True, slots=True)
class SendPage:
    """Some sends, and where to go on."""

    bodies: list[bytes]
    """Their latest entries, as they were hashed."""

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
        by_index = await self._log.bodies_at(log, [row["last"] for row in rows])
        bodies = [by_index[row["last"]] for row in rows]
        return SendPage(bodies, rows[-1]["first"] if len(rows) == most else None)
