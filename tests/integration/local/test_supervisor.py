"""The supervisor, with small processes that end, hang and come back as told."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from deploy.local.child import Child, ChildDiedError
from deploy.local.supervisor import Supervisor
from tests.support.timing import limit
from tests.support.up_process import alive

_STAY = "READY; import time; time.sleep(600)"
_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


class _Script(Child):
    """A Python script that is ready once it wrote its file."""

    def __init__(self, folder: Path, script: str = _STAY, name: str = "script") -> None:
        super().__init__(name, folder / f"{name}.log", timedelta(seconds=5))
        self._file = folder / f"{name}.ready"
        self.script = script

    def prepare(self) -> None:
        self._file.unlink(missing_ok=True)

    def command(self) -> Sequence[str]:
        ready = f"open({str(self._file)!r}, 'w').close()"
        return [sys.executable, "-c", self.script.replace("READY", ready)]

    def is_ready(self) -> bool:
        return self._file.exists()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_dead_part_is_started_again_and_the_change_is_told(tmp_path: Path) -> None:
    """Each time under a new pid; `changed` is called once it is ready."""
    changes: list[int] = []
    lines: list[str] = []
    part = _Script(tmp_path)
    supervisor = Supervisor(lambda: changes.append(part.pid), lines.append)
    await supervisor.start(part)
    try:
        for _ in range(2):
            before, told = part.pid, len(changes)
            os.kill(before, 9)
            await _until(lambda told=told: len(changes) > told)
            assert part.pid != before
            assert alive([part.pid, before]) == [part.pid]
            assert supervisor.pids() == {"script": part.pid}
        assert lines[0] == "script has ended; starting it again"
    finally:
        await supervisor.stop()
    assert alive([part.pid]) == []


async def test_a_part_that_dies_at_once_is_not_started_in_a_tight_loop(tmp_path: Path) -> None:
    """The pauses grow, so that a broken part does not take the machine down."""
    lines: list[str] = []
    supervisor = Supervisor(lambda: None, lines.append)
    await supervisor.start(_Script(tmp_path, "READY; import time; time.sleep(0.1)"))
    await asyncio.sleep(3)
    await supervisor.stop()
    assert 2 <= sum("has ended" in line for line in lines) <= 4


async def test_a_part_that_ends_while_starting_is_an_error(tmp_path: Path) -> None:
    """The message names the part, its exit status and its log."""
    supervisor = Supervisor(lambda: None, lambda _line: None)
    good = _Script(tmp_path, name="good")
    bad = _Script(tmp_path, name="bad")
    bad.is_ready = lambda: False  # type: ignore[method-assign]
    bad.script = "raise SystemExit(7)"
    with pytest.raises(ChildDiedError, match=r"bad ended with status 7 .*bad\.log"):
        await supervisor.start(good, bad)
    await supervisor.stop()
    assert alive([good.pid]) == []


async def test_a_part_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    """SIGTERM first; who ignores it is ended with SIGKILL after the grace."""
    part = _Script(tmp_path, _DEAF + _STAY)
    part.start()
    began = time.monotonic()
    await asyncio.to_thread(part.stop, timedelta(seconds=0.5))
    assert 0.5 <= time.monotonic() - began < limit(3)
    assert alive([part.pid]) == []


def test_a_part_gets_none_of_our_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable in the developer's shell must not reach a service."""
    monkeypatch.setenv("BUURTBODE_LOG_LEVEL", "debug")
    monkeypatch.setenv("ORDINARY", "yes")
    part = _Script(tmp_path)
    part.start()
    try:
        environment = psutil.Process(part.pid).environ()
        assert "BUURTBODE_LOG_LEVEL" not in environment
        assert environment["ORDINARY"] == "yes"
    finally:
        part.stop()
