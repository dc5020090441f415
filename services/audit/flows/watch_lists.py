"""Check daily that what the service answers from follows from the logs."""

import structlog

from services.audit.domain.alarms import Doubt
from services.audit.flows.check_lists import CheckLists
from services.audit.flows.check_log import OVERDUE, WHOLE_EVERY
from services.audit.flows.metrics import LIST_DOUBTS, OVERDUE_CHECKS
from services.audit.store.checks import Checked, Checks
from services.audit.store.log import LogStore
from shared.clock import Clock


class WatchLists:
    """A job: once a day for each log, whatever the database says of the last time.

    Who can change a list can also change the row that says when it was checked, and what was found.
    So each process keeps its own time, and what it found itself, until it finds nothing any more.
    """

    def __init__(self, check: CheckLists, log: LogStore, checks: Checks, clock: Clock) -> None:
        """Wire."""
        self._looked: dict[str, float] = {}
        """When this process last checked a log, or first saw it, on the monotonic clock."""

        self._found: dict[str, str] = {}
        self._check = check
        self._log = log
        self._checks = checks
        self._clock = clock
        self._logger = structlog.get_logger(job="lists")

    async def once(self) -> bool:
        """Check the logs that are due."""
        for log, head in (await self._log.heads()).items():
            if head is not None and await self._is_due(log):
                self._looked[log] = self._clock.monotonic()
                await self._note(log, head.size, await self._check(log))
        OVERDUE_CHECKS.set(len(await self._checks.overdue(self._clock.now() - OVERDUE)))
        return False

    async def _is_due(self, log: str) -> bool:
        now = self._clock.monotonic()
        own = now - self._looked.setdefault(log, now) >= WHOLE_EVERY.total_seconds()
        return await self._checks.begin(log, "lists", self._clock.now(), WHOLE_EVERY) or own

    async def _note(self, log: str, size: int, doubt: Doubt | None) -> None:
        text = None if doubt is None else doubt.value
        self._found.pop(log, None)
        await self._checks.end(log, "lists", Checked(self._clock.now(), size, text))
        if doubt is not None:
            self._found[log] = doubt.value
            self._logger.critical("lists differ", zone_id=log, reason=text)
        LIST_DOUBTS.set(len(await self.doubted()))

    async def doubted(self) -> dict[str, str]:
        """Give the logs whose lists were in doubt when they were last checked, and why."""
        told = {
            log: checked.doubt
            for (log, what), checked in (await self._checks.all()).items()
            if what == "lists" and checked.doubt is not None
        }
        return told | self._found
