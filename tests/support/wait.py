"""Waiting for a condition with a bound, in place of sleeping and hoping."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Return once the condition holds. Raises `TimeoutError` when it never does."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)  # what is waited for lives in a database or a broker
