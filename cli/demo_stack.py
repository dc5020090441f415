"""Runs the demo's story on a stack of its own, which ends with it, however it ends."""

import asyncio
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from cli import demo_data
from cli.connection import StackFile, connect
from cli.console import say
from cli.demo import Story
from cli.failures import CommandError
from cli.waiting import Waiter
from deploy.local.child import ChildDiedError
from deploy.local.jars import JarMismatchError
from deploy.local.options import UpOptions
from deploy.local.ports import NoFreePortError
from deploy.local.running import run_stack
from deploy.local.stack import Stack

_EXPECTED = (ChildDiedError, CommandError, JarMismatchError, NoFreePortError)
"""What can go wrong for reasons that the message explains."""


def run_demo() -> None:
    """Tell the story. Raises `CommandError` with what went wrong."""
    began = time.monotonic()
    with TemporaryDirectory(prefix="buurtbode-demo-") as folder:
        try:
            asyncio.run(_on_a_stack(Path(folder)))
        except* _EXPECTED as problems:
            raise CommandError(_said(problems)) from None
        except* asyncio.CancelledError:
            raise CommandError("ended before the story did; nothing is left running") from None
    say()
    say(f"Everything has been taken down again. It took {time.monotonic() - began:.0f} seconds.")


async def _on_a_stack(folder: Path) -> None:
    _end_in_order_on_sigterm()

    def load(stack: Stack) -> None:
        demo_data.load(StackFile.model_validate(stack.model_dump()), folder / "keys")

    say("Starting Kafka, MongoDB, the services and a sandbox for SMS and mail", style="bold")
    shown = _Fetching()
    waiter = Waiter()
    async with run_stack(
        UpOptions(folder), load=load, tell=lambda line: say(f"  {line}"), progress=shown.at
    ):
        story = asyncio.to_thread(Story(connect(folder), folder, waiter).tell)
        try:
            await story
        finally:
            waiter.stop()  # on Ctrl-C: the thread ends at its next wait, not after its last


def _end_in_order_on_sigterm() -> None:
    """Take everything down on SIGTERM too, as Ctrl-C does by itself."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


class _Fetching:
    """Says how the first fetch of Kafka's jars goes, now and then."""

    def __init__(self) -> None:
        self._said = -1

    def at(self, have: int, total: int) -> None:
        """Take note of how many are there."""
        tenth = have * 4 // max(total, 1)
        if tenth != self._said:
            self._said = tenth
            say(f"  fetching Apache Kafka: {have} of {total} files")


def _said(problems: BaseExceptionGroup[Exception]) -> str:
    """Join what the problems say."""
    return "; ".join(
        _said(problem) if isinstance(problem, BaseExceptionGroup) else str(problem)
        for problem in problems.exceptions
    )
