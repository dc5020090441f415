"""An append-only file of what happened: the sandbox's memory over a restart."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

Entry = dict[str, Any]


class Journal:
    """One JSON object per line; a line that was cut off by a crash is dropped at the start.

    Lines reach the operating system before `add` returns, so a killed sandbox loses nothing;
    the power going off is not what a sandbox must survive.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, readable by its owner only."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._cut_partial_line()

    def add(self, entry: Entry) -> None:
        """Append one entry."""
        os.write(self._file, orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))

    def entries(self) -> Iterator[Entry]:
        """Read everything from the start."""
        with self._path.open("rb") as lines:
            for line in lines:
                yield orjson.loads(line)

    def clear(self) -> None:
        """Forget everything."""
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _cut_partial_line(self) -> None:
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._file, whole)
