"""List sends: each by its latest entry."""

from services.audit.domain.pages import Page, page_of
from services.audit.store.log import LogStore
from services.audit.store.sends import SendFilter, Sends


class ListSends:
    """The list is ordered by each send's first entry, which never changes; so paging is stable."""

    def __init__(self, log: LogStore, sends: Sends) -> None:
        """Wire."""
        self._log = log
        self._sends = sends

    async def __call__(
        self, log: str, wanted: SendFilter, below: int | None, most: int
    ) -> Page[bytes, int]:
        """Give the latest entries of up to `most` sends as they were hashed, the newest first."""
        rows = await self._sends.page(log, wanted, below, most + 1)
        page = page_of(rows, most, lambda row: int(row["first"]))
        by_index = await self._log.bodies_at(log, [row["last"] for row in page.items])
        return Page([by_index[row["last"]] for row in page.items], page.next)
