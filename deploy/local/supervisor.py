"""Keeps the parts of the stack running: a part that dies is started again, until the end."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from deploy.local.child import Child, ChildDiedError

_POLL_SECONDS = 0.05
_STEADY_SECONDS = 5.0
"""A part that was ready for this long before it died is started again at once."""

_LONGEST_PAUSE = 10.0

_LOG = logging.getLogger(__name__)

Notice = Callable[[str], None]


class Supervisor:
    """Starts parts, watches them, and ends them in the opposite order.

    To be used in one thread's event loop: on Linux a child dies with the thread that started it.
    """

    def __init__(self, changed: Callable[[], None], tell: Notice) -> None:
        """`changed` is called when a part runs under a new pid, `tell` with lines for people."""
        self._changed = changed
        self._tell = tell
        self._groups: list[Sequence[Child]] = []
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self, *parts: Child) -> None:
        """Start parts beside each other and wait until all are ready.

        Raises `ChildDiedError` when one is not; it and the others are ended by `stop`.
        """
        self._groups.append(parts)
        starting = [asyncio.create_task(_start(part)) for part in parts]
        try:
            await asyncio.gather(*starting)
        finally:
            for task in starting:
                task.cancel()
        self._watchers += [asyncio.create_task(self._watch(part)) for part in parts]

    def pids(self) -> dict[str, int]:
        """Give the pid of each part that was started."""
        return {part.name: part.pid for parts in self._groups for part in parts if part.started}

    async def stop(self) -> None:
        """End everything, the last started first, parts that started together together."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for parts in reversed(self._groups):
            for part in parts:
                part.ask_to_stop()
            for part in parts:
                await asyncio.to_thread(part.stop)

    async def _watch(self, part: Child) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            while part.running:  # noqa: ASYNC110 - no event tells of a child's end on every system
                await asyncio.sleep(_POLL_SECONDS)
            failures = 0 if time.monotonic() - began > _STEADY_SECONDS else failures + 1
            self._tell(f"{part.name} has ended; starting it again")
            await self._revive(part, failures)
            self._tell(f"{part.name} is back")
            self._changed()

    async def _revive(self, part: Child, failures: int) -> None:
        """Start a dead part until it stays; the first time at once, then ever more slowly."""
        while True:
            await asyncio.sleep(min(2.0 ** (failures - 1) - 1, _LONGEST_PAUSE) if failures else 0)
            try:
                await _start(part)
            except ChildDiedError as problem:
                _LOG.warning("%s", problem)
                self._tell(str(problem))
                await asyncio.to_thread(part.stop)
                failures += 1
            else:
                return


async def _start(part: Child) -> None:
    await asyncio.to_thread(part.prepare)
    part.spawn()  # here, not in a worker thread: see the class
    await asyncio.to_thread(part.await_ready)
