"""Hold back what a restored backup would say: nothing is published before it is recovered.

A database that is older than its own topics sends nothing until `recover` (docs/decisions/0010).
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from services.registry.store.ahead import Ahead
from shared.consume import PositionStore
from shared.failures import Held, Retryable
from shared.kafka import Log, Positions, Record
from shared.mongo import Database
from shared.outbox import OutboxPublisher
from shared.tasks import Task

BEHIND = (
    "the database is older than its own topics (a restored backup?): nothing is published or "
    "changed; 'buurtbode recover registry' as an operator, see docs/operations.md"
)
_LOOK_S = 0.1
_WAIT_S = 30.0
"""How long a consumer waits in one go: far below the interval after which Kafka gives it up."""


class Gate:
    """Open once all that was ever published was read, and nothing of it is unknown here."""

    def __init__(
        self, database: Database, log: Log, ahead: Ahead, reads: Sequence[tuple[str, str]]
    ) -> None:
        """Bind; `reads` are the consumer groups that compare, with a topic each."""
        self._log = log
        self._ahead = ahead
        self._positions = PositionStore(database)
        self._reads = reads
        self._ends: list[tuple[str, Positions]] | None = None
        self._caught_up = False
        self._looking = asyncio.Lock()
        self._logger = structlog.get_logger(part="gate")

    async def caught_up(self) -> bool:
        """Tell whether the topics were read as far as they went at the start.

        Raises `Retryable` where Kafka does not answer.
        """
        if self._caught_up:
            return True
        if self._ends is None:
            self._ends = [(g, await self._log.end_offsets([t])) for g, t in self._reads]
        passed = [await self._positions.passed(group, ends) for group, ends in self._ends]
        self._caught_up = all(passed)
        return self._caught_up

    async def is_open(self) -> bool:
        """Tell whether the service may publish and change things."""
        return await self.caught_up() and not await self._ahead.any()

    async def behind(self) -> bool:
        """Tell whether the database is known to be older than its topics."""
        return await self._ahead.any()

    def after(self, task: Task) -> Task:
        """Give a task that begins once it is open: one that has not begun cannot seem stalled."""

        async def held() -> None:
            async with self._looking:  # one looks, for all
                await self._opening()
            await task()

        return held

    async def _opening(self) -> None:
        pause = _LOOK_S
        while True:
            try:
                if await self.is_open():
                    return
                pause = _LOOK_S
            except (Retryable, PyMongoError) as error:
                pause = min(pause * 2, 5.0)
                self._logger.warning("tries again", error=type(error).__name__)
            await asyncio.sleep(pause)

    async def wait(self, _records: Sequence[Record]) -> None:
        """Wait, before a batch is handled, until it is open. Raises `Held` after a while."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _WAIT_S
        while not await self.is_open():
            if loop.time() > until:
                raise Held("the topics are still being read, or a backup was restored")
            await asyncio.sleep(0.05)


class HeldPublisher(OutboxPublisher):
    """The outbox's publisher, behind the gate."""

    def __init__(self, gate: Gate, *wiring: Any) -> None:
        """Wire; `wiring` is what the publisher takes."""
        super().__init__(*wiring)
        self._gate = gate

    async def publish_once(self) -> int:
        """Publish what stands first; nothing while the gate is closed."""
        return await super().publish_once() if await self._gate.is_open() else 0
