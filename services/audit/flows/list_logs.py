"""List the logs: how far each has come, how far it is signed, and when it was last checked."""

from dataclasses import dataclass
from datetime import datetime

from services.audit.flows.check_log import OVERDUE
from services.audit.store.checkpoints import Checkpoints
from services.audit.store.checks import Checked, Checks
from services.audit.store.log import LogStore, size_of
from shared.clock import Clock


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

    overdue: bool
    """Whether one of these daily checks has not ended for two days."""


class ListLogs:
    """What `buurtbode status` shows."""

    def __init__(
        self, log: LogStore, checkpoints: Checkpoints, checks: Checks, clock: Clock
    ) -> None:
        """Wire."""
        self._clock = clock
        self._log = log
        self._checkpoints = checkpoints
        self._checks = checks

    async def __call__(self) -> list[LogState]:
        """Give all logs, by name."""
        signed = await self._checkpoints.signings()
        checks = await self._checks.all()
        overdue = {log for log, _ in await self._checks.overdue(self._clock.now() - OVERDUE)}
        states: list[LogState] = []
        for log, head in (await self._log.heads()).items():
            entries = size_of(head)
            size, at = signed.get(log, (0, None))
            whole, lists = checks.get((log, "log")), checks.get((log, "lists"))
            states.append(LogState(log, entries, size, at, whole, lists, log in overdue))
        return states
