"""Check daily that what the service answers from follows from the logs."""

import structlog

from services.audit.domain.alarms import Doubt
from services.audit.flows.check_lists import CheckLists
from services.audit.flows.check_log import WHOLE_EVERY
from services.audit.flows.metrics import LIST_DOUBTS
from services.audit.store.checks import Checked, Checks
from services.audit.store.log import LogStore
from shared.clock import Clock


class WatchLists:
    """A job: one process does it for each log, once a day."""

    def __init__(self, check: CheckLists, log: LogStore, checks: Checks, clock: Clock) -> None:
        """Wire."""
        self._check = check
        self._log = log
        self._checks = checks
        self._clock = clock
        self._logger = structlog.get_logger(job="lists")

    async def once(self) -> bool:
        """Check the logs that are due."""
        for head in await self._log.heads():
            if await self._checks.begin(head.log, "lists", self._clock.now(), WHOLE_EVERY):
                doubt = await self._check(head.log)
                await self._note(head.log, head.size, doubt)
        return False

    async def _note(self, log: str, size: int, doubt: Doubt | None) -> None:
        text = None if doubt is None else doubt.value
        await self._checks.end(log, "lists", Checked(self._clock.now(), size, text))
        if doubt is not None:
            self._logger.critical("lists differ", zone_id=log, reason=text)
        LIST_DOUBTS.set(len(await self.doubted()))

    async def doubted(self) -> dict[str, str]:
        """Give the logs whose lists were in doubt when they were last checked, and why."""
        return {
            log: checked.doubt
            for (log, what), checked in (await self._checks.all()).items()
            if what == "lists" and checked.doubt is not None
        }
