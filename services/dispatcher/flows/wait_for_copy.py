"""Wait until the copy knows what was published before a message arrived."""

import asyncio
from datetime import timedelta

from services.dispatcher.store.copy import Copy
from shared.clock import Clock
from shared.consume import PositionStore
from shared.failures import Held
from shared.kafka import Log, Positions
from shared.topics import ERASURES, MEMBERS, NETWORKS, ZONES, Party, group

COPY_GROUP = group(Party.DISPATCHER, "copy")
COPY_TOPICS = (ZONES.name, NETWORKS.name, MEMBERS.name, ERASURES.name)

PATIENCE = timedelta(seconds=2)
"""How long a message waits for a copy that has been complete before (docs/architecture.md)."""

_HELD_S = 30.0
"""Well before the watchdog takes the wait for a stall, and has the first copy begin again."""

_LOOK_AGAIN_S = 0.02
"""Other processes may be the ones that copy; ours tells at once (`moved`)."""


class CopyGate:
    """Lets a message through once the copy has passed the ends seen at its arrival."""

    def __init__(
        self,
        copy: Copy,
        log: Log,
        positions: PositionStore,
        clock: Clock,
        patience: timedelta = PATIENCE,
    ) -> None:
        """Bind; `positions` are those of the dispatcher's database."""
        self._copy = copy
        self._log = log
        self._positions = positions
        self._clock = clock
        self._patience = patience.total_seconds()
        self._moved = asyncio.Event()

    def moved(self) -> None:
        """Be told that this process copied something."""
        self._moved.set()

    async def wait(self) -> Positions:
        """Wait, and give the ends that the copy has not passed: empty where it is up to date.

        Without bound while the copy has never been complete: judged by half a copy, a good alert
        would be refused. So `Held` is raised now and then, which says that this is on purpose.
        Raises `Retryable` while Kafka does not tell its ends.
        """
        started = self._clock.monotonic()
        ends = await self._log.end_offsets(COPY_TOPICS)
        while True:
            self._moved.clear()
            if await self.passed(ends):
                return {}
            waited = self._clock.monotonic() - started
            if waited >= self._patience and await self._copy.was_complete():
                return ends
            if waited >= _HELD_S:
                raise Held("zones, networks and members were never copied as a whole yet")
            await self._pause()

    async def passed(self, ends: Positions) -> bool:
        """Tell whether the copy has passed these ends."""
        if not await self._positions.passed(COPY_GROUP, ends):
            return False
        if not await self._copy.was_complete():
            await self._copy.set_complete()
        return True

    async def check_complete(self) -> bool:
        """Job: note that the copy is complete for the first time; gives False (nothing more)."""
        if not await self._copy.was_complete():
            await self.passed(await self._log.end_offsets(COPY_TOPICS))
        return False

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_AGAIN_S):
                await self._moved.wait()
        except TimeoutError:
            return
