"""Show one send's whole history."""

from services.audit.store.log import LogStore, Stored
from services.audit.store.sends import Sends
from shared.mongo import Document


class ShowSend:
    """Every entry of a send, with its private parts where they still exist."""

    def __init__(self, log: LogStore, sends: Sends) -> None:
        """Wire."""
        self._log = log
        self._sends = sends

    async def row(self, log: str, send_id: str) -> Document | None:
        """Give a send's row, or None where there is no such send: then nothing is read."""
        return await self._sends.one(log, send_id)

    async def entries(self, row: Document) -> list[Stored]:
        """Give its entries in the order of the log; the caller records the reading."""
        return await self._log.at(row["log"], row["entries"])
