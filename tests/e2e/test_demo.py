"""`buurtbode demo` tells the whole story, ends with 0 and leaves nothing behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.demo_people import audience, people
from tests.e2e.local_stack import ROOT


@pytest.mark.timeout(240)
def test_the_demo_tells_its_story_and_leaves_no_process_behind(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "demo"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    phones = len(audience())
    mailboxes = sum(not person.leaves for person in people())
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < 150
    for told in (
        "The neighbourhood",
        "Accepted",
        f"{phones} of {phones} phones have it",
        f"{mailboxes} of {mailboxes} mailboxes have it",
        "VERIFIED",
        "NOT VERIFIED",
    ):
        assert told in done.stdout
    assert _mentioning(str(tmp_path)) == []
    assert not list(tmp_path.iterdir())


def _mentioning(folder: str) -> list[str]:
    """Give the command lines of processes that have to do with a folder."""
    found: list[str] = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            found += [text for text in _texts(process) if folder in text]
    return found


def _texts(process: Path) -> list[str]:
    try:
        return [
            (process / name).read_bytes().replace(b"\0", b" ").decode(errors="replace")
            for name in ("cmdline", "environ")
        ]
    except OSError:
        return []  # ended meanwhile
