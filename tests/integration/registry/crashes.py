"""Ends the process, as it were, between any two writes: at the level of the driver's commands."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous import command_runner

_WRITES = frozenset({"insert", "update", "delete", "findAndModify", "commitTransaction"})


class Crash(Exception):  # noqa: N818 - it stands for the end of a process
    """The process ends here."""


@dataclass
class Writes:
    """What was written until the crash, or the end."""

    count: int = 0
    committed: int = 0
    crashed: bool = False
    left_open: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """The session whose transaction the crash left open."""


@contextmanager
def crashing(at: int | None, *, after_commit: bool = False) -> Generator[Writes]:
    """Raise `Crash` in place of the `at`-th write; None only counts.

    Where that write is a commit, `after_commit` lets it reach the server first, so that the
    change is stored and nobody was told. From the crash on nothing reaches the server but the
    abort, which the server would do by itself once the connection is gone.
    """
    seen = Writes()
    runner: Any = command_runner  # the one function through which every command goes
    send = runner._run_command

    async def counted(conn: Any, command: Any, *args: Any, **rest: Any) -> Any:
        name = next(iter(command))
        if name not in _WRITES:
            return await send(conn, command, *args, **rest)
        if seen.crashed:
            raise Crash
        seen.count += 1
        here = seen.count == at
        if here and not (after_commit and name == "commitTransaction"):
            seen.crashed = True
            seen.left_open += [command["lsid"]] if "lsid" in command else []
            raise Crash
        answer = await send(conn, command, *args, **rest)
        seen.committed += name == "commitTransaction"
        if here:
            seen.crashed = True
            raise Crash
        return answer

    runner._run_command = counted
    try:
        yield seen
    finally:
        runner._run_command = send
