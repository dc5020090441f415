"""Append entries that a job made, together with what else the job changes."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from services.audit.domain.entries import Draft, Sealed
from services.audit.flows.metrics import ENTRIES
from services.audit.store.blocks import BrokenLog
from services.audit.store.log import LogStore
from services.audit.store.ownership import OtherWriter, Ownership
from shared.failures import Fenced
from shared.mongo import Client, Session, transaction

Also = Callable[[Session], Awaitable[None]]


class AppendEntries:
    """The one way in which anything but the consumer writes to a log."""

    def __init__(self, client: Client, log: LogStore, ownership: Ownership) -> None:
        """Wire."""
        self._client = client
        self._log = log
        self._ownership = ownership

    async def __call__(self, log: str, drafts: Sequence[Draft], also: Also) -> bool:
        """Append and change in one transaction.

        False where another process writes this log, or it is broken, which its check says.
        """

        async def write() -> bool:
            await transaction(self._client, lambda session: self._work(session, log, drafts, also))
            return True

        return await self.as_writer(log, write)

    async def as_writer(self, log: str, work: Callable[[], Awaitable[bool]]) -> bool:
        """Do as a log's writer what leads to an entry, and give what came of it.

        False where another process writes this log, which then does it, or where it is broken.
        """
        try:
            async with self._ownership.borrow(log):
                return await work()
        except (OtherWriter, Fenced, BrokenLog):
            return False

    async def knows(self, session: Session, log: str, event_id: str) -> bool:
        """Tell whether a log has an entry of an event that is no send's."""
        return await self._log.knows(session, log, event_id)

    async def _work(self, session: Session, log: str, drafts: Sequence[Draft], also: Also) -> None:
        await also(session)
        await self.append(session, log, drafts)

    async def append(self, session: Session, log: str, drafts: Sequence[Draft]) -> list[Sealed]:
        """Append in the caller's transaction to a log that was claimed before it.

        Raises `Fenced`, `OtherWriter`, `BrokenLog`.
        """
        epoch = self._ownership.epoch(log)
        try:
            sealed = await self._log.append(session, log, epoch, drafts)
        except Fenced:
            self._ownership.forget(log)
            raise
        for kind, count in Counter(entry.draft.type for entry in sealed).items():
            ENTRIES.labels(kind.value).inc(count)
        return sealed
