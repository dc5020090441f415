"""Show one send's whole history."""

from services.audit.store.log import LogStore, Stored
from services.audit.store.sends import Sends


class ShowSend:
    """Every entry of a send, with its private parts where they still exist."""

    def __init__(self, log: LogStore, sends: Sends) -> None:
        """Wire."""
        self._log = log
        self._sends = sends

    async def __call__(self, log: str, send_id: str) -> list[Stored]:
        """Give the entries in the order of the log; empty where there is no such send."""
        row = await self._sends.one(log, send_id)
        return [] if row is None else await self._log.at(log, row["entries"])
