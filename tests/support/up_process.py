"""`up` as a process of its own, as a terminal runs it."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

_SCRIPT = """
import sys
from pathlib import Path
from deploy.local.options import UpOptions
from deploy.local.up import up
data, services = sys.argv[1], sys.argv[2]
sys.exit(up(UpOptions(Path(data), services=tuple(filter(None, services.split(",")))) ))
"""


_STARTED: list["UpProcess"] = []


def end_all() -> None:
    """End what a failed test left running; `up` takes its parts along."""
    for process in _STARTED:
        if process.running:
            process.kill()
    _STARTED.clear()


class UpProcess:
    """One `up`; what it prints goes to `DIR.out`."""

    def __init__(self, data: Path, services: Sequence[str] = ()) -> None:
        """Start it."""
        self.output = data.with_suffix(".out")
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SCRIPT, str(data), ",".join(services)],
                stdout=output,
                stderr=output,
            )

        _STARTED.append(self)

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def printed(self) -> str:
        """Give what it printed so far."""
        return self.output.read_text()

    def wait(self, seconds: float = 30) -> int:
        """Wait for its end, and give its exit code."""
        return self._process.wait(seconds)

    def interrupt(self) -> int:
        """Press Ctrl-C, and give the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self.wait()

    def terminate(self) -> int:
        """Ask it to end with SIGTERM, and give the exit code."""
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        """End it with SIGKILL, so that it cannot tidy up."""
        self._process.kill()
        self.wait()


def alive(pids: Sequence[int]) -> list[int]:
    """Give those of the processes that still run (a zombie does not)."""
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
