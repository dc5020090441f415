"""List the logs: how far each has come, how far it is signed, and when it was last checked."""

from dataclasses import dataclass
from datetime import datetime

from services.audit.store.checkpoints import Checkpoints
from services.audit.store.checks import Checked, Checks
from services.audit.store.log import LogStore


@dataclass(frozen=True, slots=True)
class LogState:
    """One log, for an operator."""

    log: str
    entries: int
    """None are counted where the head is broken; then the check says so."""

    signed: int
    signed_at: datetime | None
    whole: Checked | None
    """The last check of all entries against checkpoints and head."""

    lists: Checked | None
    """The last check of tiles, lists and counters against the entries."""


class ListLogs:
    """What `buurtbode status` shows."""

    def __init__(self, log: LogStore, checkpoints: Checkpoints, checks: Checks) -> None:
        """Wire."""
        self._log = log
        self._checkpoints = checkpoints
        self._checks = checks

    async def __call__(self) -> list[LogState]:
        """Give all logs, by name."""
        signed = await self._checkpoints.signings()
        checks = await self._checks.all()
        states: list[LogState] = []
        for log, head in (await self._log.heads()).items():
            entries = 0 if head is None else head.size
            size, at = signed.get(log, (0, None))
            whole, lists = checks.get((log, "log")), checks.get((log, "lists"))
            states.append(LogState(log, entries, size, at, whole, lists))
        return states
