"""Child processes of the local stack: how one is started, watched, ended, and never orphaned."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_LIBC: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
"""Looked up before any fork: afterwards it might need a lock that nobody gives back."""

_LOG_LIMIT = 20_000_000
"""Bytes; a longer log is set aside as `NAME.log.1` at the next start."""

_POLL_SECONDS = 0.1
"""Between two looks at a starting part; each look costs the busy machine a connection."""


class ChildDiedError(Exception):
    """A part of the stack ended, or was not ready in time; the message names its log file."""


class Child(ABC):
    """One process of the stack.

    A supervisor calls `prepare`, `spawn` and `await_ready` one by one; a test calls `start`.
    `spawn` must run in a thread that outlives the child: Linux kills the child with that thread.
    """

    def __init__(self, name: str, log: Path, ready_within: timedelta) -> None:
        """`log` is appended to; `ready_within` is how long a start may take."""
        self.name = name
        self.log = log
        self.ready_within = ready_within
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Give the command line; no secret belongs in it, every local user can read it."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Look once, briefly, whether the started process can be used."""

    def prepare(self) -> None:  # noqa: B027 - most parts need nothing
        """Do what must be done before each start; may take time, must be repeatable."""

    def environment(self) -> Mapping[str, str]:
        """Give the environment variables to add to this process's own."""
        return {}

    def advice(self, code: int) -> str:  # noqa: ARG002 - for those who know their codes
        """Give what to add to the message when the process ended with this status; may be empty."""
        return ""

    @property
    def pid(self) -> int:
        """The process's number; raises `ChildDiedError` when it was never started."""
        return self._started().pid

    @property
    def started(self) -> bool:
        """Whether the process was started, running or not."""
        return self._process is not None

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Prepare, start and wait until ready; what a test or a script needs."""
        self.prepare()
        self.spawn()
        try:
            self.await_ready()
        except BaseException:
            self.stop()
            raise

    def spawn(self) -> None:
        """Start the process and return at once."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._process = spawn(self.command(), self.environment(), output.fileno())

    def await_ready(self) -> None:
        """Wait until `is_ready`; raises `ChildDiedError` when it ends or takes too long."""
        process = self._started()
        deadline = time.monotonic() + self.ready_within.total_seconds()
        while True:
            code = process.poll()
            if code is not None:
                message = f"{self.name} ended with status {code} while starting, see {self.log}"
                raise ChildDiedError(message + self.advice(code))
            if self.is_ready():
                return
            if time.monotonic() > deadline:
                message = f"{self.name} was not ready in {self.ready_within}, see {self.log}"
                raise ChildDiedError(message)
            time.sleep(_POLL_SECONDS)

    def ask_to_stop(self) -> None:
        """Send SIGTERM, when the process still runs."""
        if self.running:
            self._started().terminate()

    def stop(self, grace: timedelta = timedelta(seconds=15)) -> None:
        """End the process: SIGTERM, and SIGKILL when it is still there after `grace`."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(grace.total_seconds())
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End the process with SIGKILL, as the kernel would when memory runs out."""
        self._started().kill()
        self._started().wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            message = f"{self.name} was not started"
            raise ChildDiedError(message)
        return self._process


def spawn(
    command: Sequence[str], environment: Mapping[str, str], output: int
) -> subprocess.Popen[bytes]:
    """Start a process that Ctrl-C does not reach and that Linux kills when its parent dies.

    In a session of its own: a Ctrl-C in the terminal goes to the supervisor alone, which then
    ends its children in order.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died between the fork and the line above
                os._exit(1)

    return subprocess.Popen(
        command,
        env={**_inherited(), **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - children are started from one thread
    )


def _inherited() -> dict[str, str]:
    """Give this process's environment without our own settings: a part gets exactly its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BUURTBODE_")}
