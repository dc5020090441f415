"""An event loop whose clock jumps to what comes next."""

import asyncio
import selectors
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


class _Jumping(selectors.DefaultSelector):
    """Passes time instead of waiting for it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.now += timeout or 0.0
        return super().select(0)


@contextmanager
def jumping_loop() -> Generator[asyncio.AbstractEventLoop]:
    """Give the loop; its time begins at 0."""
    selector = _Jumping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    try:
        yield loop
    finally:
        loop.close()
