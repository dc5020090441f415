"""Waiting for a condition, never for an amount of time; beyond its bound it is an error."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from cli.failures import CommandError

T = TypeVar("T")
_PAUSE_S = 0.15


class Waiter:
    """Waits on behalf of somebody who may be told to stop."""

    def __init__(self) -> None:
        """Nobody has said stop yet."""
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End every wait, now and later, with `CommandError`."""
        self._stopped.set()

    def until(self, look: Callable[[], T | None], within: float, what: str) -> T:
        """Look again and again until there is something, at most `within` seconds.

        Raises `CommandError` naming `what` did not happen.
        """
        deadline = time.monotonic() + within
        while True:
            found = look()
            if found is not None:
                return found
            if time.monotonic() > deadline:
                message = f"waited {within:.0f} s for this, in vain: {what}"
                raise CommandError(message)
            if self._stopped.wait(_PAUSE_S):
                raise CommandError("stopped")
