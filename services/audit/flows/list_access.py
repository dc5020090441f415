"""List who read or changed what in a zone."""

from dataclasses import dataclass

from services.audit.store.log import LogStore, Stored


@dataclass(frozen=True, slots=True)
class AccessPage:
    """Some entries of type `access`, and where to go on."""

    entries: list[Stored]
    next: int | None


class ListAccess:
    """The newest first, in the order of the log."""

    def __init__(self, log: LogStore) -> None:
        """Wire."""
        self._log = log

    async def __call__(self, log: str, below: int | None, most: int) -> AccessPage:
        """Give up to `most` entries."""
        entries = await self._log.accesses(log, below, most)
        return AccessPage(entries, entries[-1].index if len(entries) == most else None)
