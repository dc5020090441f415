"""`buurtbode up`: the whole stack in the foreground, until Ctrl-C."""

import asyncio
import signal
from contextlib import suppress
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from deploy.local.child import ChildDiedError
from deploy.local.jars import JarMismatchError
from deploy.local.options import BadOptionError, UpOptions
from deploy.local.ports import NoFreePortError
from deploy.local.running import AlreadyRunningError, Load, run_stack
from deploy.local.stack import STACK_FILE, Stack

_EXPECTED = (
    AlreadyRunningError,
    BadOptionError,
    ChildDiedError,
    JarMismatchError,
    NoFreePortError,
)
"""What can go wrong for reasons that the message explains; no traceback is needed."""


def up(options: UpOptions, load: Load | None = None, console: Console | None = None) -> int:
    """Run a stack until Ctrl-C or SIGTERM; gives the exit code: 1 when it could not start.

    `load` puts the demo's people into a new stack (`--with-demo-data`).
    """
    shown = console or Console()
    try:
        asyncio.run(_until_told(options, load, shown))
    except _EXPECTED as problem:
        shown.print(f"[red]buurtbode up:[/red] {problem}", soft_wrap=True, highlight=False)
        return 1
    return 0


async def _until_told(options: UpOptions, load: Load | None, console: Console) -> None:
    """Run until a signal; a signal during the start ends what was started so far."""
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(_run(options, load, console))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


async def _run(options: UpOptions, load: Load | None, console: Console) -> None:
    def tell(line: str) -> None:
        console.print(line, soft_wrap=True, highlight=False)

    with _Fetching(console) as fetching:
        stack = run_stack(options, load=load, tell=tell, progress=fetching.at)
        async with stack as running:
            fetching.done()
            _show(running.read(), console)
            file = running.data / STACK_FILE
            tell(f"ready; everything is in {file} (Ctrl-C ends it)")
            try:
                await asyncio.Event().wait()
            finally:
                tell("ending")


class _Fetching:
    """Shows the first fetch of Kafka's jars: a bar on a terminal, a few plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("fetching Apache Kafka"), BarColumn(), MofNCompleteColumn(), console=console
        )
        self._task = self._bar.add_task("fetching", total=None, visible=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.done()

    def at(self, have: int, total: int) -> None:
        """Show how many jars are there."""
        if self._console.is_terminal:
            self._bar.start()
            self._bar.update(self._task, completed=have, total=total, visible=True)
        elif have in {0, total}:
            self._console.print(f"fetching Apache Kafka: {have} of {total} files")
        if have == total:
            self.done()

    def done(self) -> None:
        """Take the bar away."""
        if self._console.is_terminal:
            self._bar.stop()


def _show(stack: Stack, console: Console) -> None:
    """Show where everything is; passwords stay in the file, tokens are for copying."""
    table = Table("what", "where", title="Buurtbode on this machine", title_justify="left")
    for name in ("registry", "dispatcher", "audit", "sandbox", "issuer"):
        table.add_row(name, getattr(stack, name))
    table.add_row("kafka", stack.kafka.bootstrap)
    table.add_row("mongo", stack.mongo.rpartition("@")[2].partition("/")[0])
    console.print(table)
    for name, token in stack.tokens.items():  # a token cut by a table's border cannot be copied
        console.print(f"token of {name}:\n{token}", soft_wrap=True, highlight=False)
