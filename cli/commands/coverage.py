"""`buurtbode coverage`: how far a message got, drawn as it happens."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.api import Api, Json, RefusedError
from cli.connection import StackOption, connect
from cli.console import console, interactive, say, table
from shared.contracts.base import SILENT_STATES

_POLL_S = 0.5
_TIMES = ("time to", "50 %", "95 %", "all")
_NOT_FOUND = 404


def coverage(
    message: Annotated[str, typer.Argument(metavar="ID", help="The alert's or bulletin's id.")],
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep drawing until everything is settled.")
    ] = False,
    failures: Annotated[
        bool, typer.Option("--failures", help="Name who was not reached; that is put on record.")
    ] = False,
    seconds: Annotated[
        float, typer.Option("--for", min=1, help="With --follow: stop after this many seconds.")
    ] = 900,
    stack: StackOption = None,
) -> None:
    """Show how many people a message reached so far, how fast, and what became of the others."""
    with connect(stack).api("dispatcher", "police") as dispatcher:
        if follow:
            _follow(dispatcher, message, timedelta(seconds=seconds))
        else:
            _print(_ask(dispatcher, message))
        if failures:
            _name(dispatcher, message)


def sentence(found: Json) -> str:
    """Say a coverage in one line."""
    states: dict[str, int] = found["states"]
    named = ", ".join(f"{count} {state}" for state, count in sorted(states.items()) if count)
    last = found["accepted_seconds"]["all"]
    speed = f"; the last one accepted after {last:.1f} s" if last is not None else ""
    closed = "; closed" if found["closed"] else ""
    return f"{found['people']} people: {named or 'nothing sent yet'}{speed}{closed}"


def done(found: Json) -> tuple[int, int]:
    """Give how many sends got as far as they can for now, and how many there are."""
    states: dict[str, int] = found["states"]
    total = sum(states.values())
    silent = sum(states.get(str(state), 0) for state in SILENT_STATES)
    return total - silent, total


def _follow(dispatcher: Api, message: str, within: timedelta) -> None:
    deadline = time.monotonic() + within.total_seconds()
    if interactive():
        with Live(Text("Waiting for the plan..."), console=console()) as live:
            _poll(dispatcher, message, deadline, lambda found: live.update(_drawing(found)))
    else:
        _poll(dispatcher, message, deadline, _Changes())


class _Changes:
    """Prints a line whenever something changed."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, found: Json) -> None:
        line = sentence(found)
        if line != self._last:
            self._last = line
            say(line)


def _poll(dispatcher: Api, message: str, deadline: float, show: Callable[[Json], None]) -> None:
    """Show what changes until all is settled or the time is over."""
    while True:
        try:
            found = _ask(dispatcher, message)
        except RefusedError as error:
            # accepted a moment ago, perhaps not yet in the ledger
            if error.status != _NOT_FOUND or time.monotonic() > deadline:
                raise
        else:
            show(found)
            if found["closed"] or time.monotonic() > deadline:
                return
        time.sleep(_POLL_S)


def _ask(dispatcher: Api, message: str) -> Json:
    return dispatcher.get(f"/v1/messages/{message}/coverage")


def _print(found: Json) -> None:
    say(sentence(found))
    table(None, _TIMES, list(_times(found)))
    if len(found["networks"]) > 1:
        table(None, ("network", "state", "sends"), list(_by_network(found)))


def _name(dispatcher: Api, message: str) -> None:
    found = dispatcher.get(f"/v1/messages/{message}/coverage", failures=True)
    rows = [
        (
            " ".join(one["member_ids"]),
            " ".join(one["network_ids"]),
            one["state"],
            one["reason"] or "",
        )
        for one in found["failures"]
    ]
    table(None, ("members", "networks", "state", "reason"), rows)
    if len(rows) < found["failed"]:
        say(f"These are {len(rows)} of {found['failed']}.")


def _times(found: Json) -> Iterator[tuple[str, ...]]:
    for what in ("accepted", "delivered"):
        seconds: dict[str, float | None] = found[f"{what}_seconds"]
        shown = (f"{s:.1f} s" if s is not None else "-" for s in seconds.values())
        yield what, *shown


def _by_network(found: Json) -> Iterator[tuple[str, str, str]]:
    for network, states in sorted(found["networks"].items()):
        for state, count in sorted(states.items()):
            yield network, state, str(count)


def _drawing(found: Json) -> RenderableType:
    reached, total = done(found)
    rows = Table.grid(padding=(0, 2))
    for state, count in sorted(found["states"].items()):
        rows.add_row(str(state), str(count), ProgressBar(total=max(total, 1), completed=count))
    speed = Table(*_TIMES, box=None)
    for row in _times(found):
        speed.add_row(*row)
    networks = Table("network", "state", "sends", box=None)
    for row in _by_network(found):
        networks.add_row(*row)
    head = Text(sentence(found), style="bold")
    return Group(head, Text(f"{reached} of {total}"), rows, speed, networks)
