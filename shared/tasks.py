"""Tasks that run side by side, and how they end."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

Task = Callable[[], Coroutine[Any, Any, None]]

_AGAIN_S = 2.0
"""How long a task has to end before it is cancelled again."""


@asynccontextmanager
async def beside(tasks: Sequence[Task]) -> AsyncGenerator[None]:
    """Run tasks beside the block: one that fails ends all and is raised; leaving ends them."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(task()) for task in tasks]
        try:
            yield
        finally:
            await end(running)


async def end(running: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks until all have ended.

    Once is not enough: before Python 3.12, `asyncio.wait_for` loses a cancellation that comes
    together with what it waits for. The database's driver waits by it, and the task would go on.
    """
    while going := [task for task in running if not task.done()]:
        for task in going:
            task.cancel()
        await asyncio.wait(going, timeout=_AGAIN_S)


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for the end of what must not be cut off, however often this task is cancelled."""
    working = asyncio.create_task(work)
    while not working.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([working])
    await working
