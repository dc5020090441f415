"""List who read or changed what in a zone."""

from services.audit.domain.pages import Page, page_of
from services.audit.store.log import LogStore, Stored


class ListAccess:
    """The newest first, in the order of the log."""

    def __init__(self, log: LogStore) -> None:
        """Wire."""
        self._log = log

    async def __call__(self, log: str, below: int | None, most: int) -> Page[Stored, int]:
        """Give up to `most` entries of type `access`."""
        entries = await self._log.accesses(log, below, most + 1)
        return page_of(entries, most, lambda entry: entry.index)
