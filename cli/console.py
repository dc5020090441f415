"""How commands speak: colour and tables on a terminal, plain lines everywhere else."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 240
"""Where nobody looks at a terminal, a line is not broken in the middle for looks."""


def console() -> Console:
    """Give the console of standard output as it is now (a test may have replaced it)."""
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(width=width, highlight=False, soft_wrap=not sys.stdout.isatty())


def error_console() -> Console:
    """Give the console of standard error, where complaints go."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def interactive() -> bool:
    """Tell whether somebody can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def say(line: str = "", style: str | None = None) -> None:
    """Print one line as it is: square brackets in a text are text, not markup."""
    console().print(line, style=style, markup=False)


def complain(line: str) -> None:
    """Print one line on standard error."""
    error_console().print(line, style="bold red", markup=False)


def counted(count: int, one: str, many: str | None = None) -> str:
    """Say how many of something there are: `1 network`, `3 networks`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; on a pipe, lines with tabs between the fields, for `cut` and `awk`."""
    if not sys.stdout.isatty():
        if title:
            say(title)
        for row in (columns, *rows):
            print("\t".join(str(cell) for cell in row))  # rich would turn tabs into spaces
        return
    shown = Table(*columns, title=title, title_justify="left")
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    console().print(shown, markup=False)
