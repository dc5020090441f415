"""Whether a send costs more in a large message than in a small one, and whether memory grows."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.dispatcher_rig import Rig, Run, given, rig

TITLE = "Dispatcher: 10,000 against 400,000 sends"
SMALL, LARGE = given("SMALL", 10_000), given("LARGE", 400_000)
BUDGET_S = 60 * given("MINUTES", 10)
"""The first large message is always sent; more of them as long as they fit into this."""

_BEFORE, _AFTER = 3, 3
_NETWORKS = 8
"""With the small one no more than ten: beyond that an alert needs a second officer."""
_PATIENCE_S = 3600


def measure() -> list[str]:
    """Run small ones and large ones in turns; give a table."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


class _Watched(NamedTuple):
    """A run, and the dispatcher's greatest memory meanwhile, in MB."""

    run: Run
    memory: float


async def _measure(folder: Path) -> list[str]:
    sizes = {f"n{number}": LARGE // _NETWORKS for number in range(_NETWORKS)}
    began = time.monotonic()
    small: list[_Watched] = []
    large: list[_Watched] = []
    async with rig(folder) as started:
        await started.start()
        await started.networks({"small": SMALL, **sizes})
        await _watched(started, ["small"], SMALL)  # warms caches and connections
        small += [await _watched(started, ["small"], SMALL) for _ in range(_BEFORE)]
        while not large or time.monotonic() - began + _turn(small, large) < BUDGET_S:
            large.append(await _watched(started, list(sizes), LARGE))
            small += [await _watched(started, ["small"], SMALL) for _ in range(_AFTER)]
    return _report(small, large)


def _turn(small: list[_Watched], large: list[_Watched]) -> float:
    """Say how long one more large message and the small ones after it will take, in seconds."""
    return large[-1].run.seconds + _AFTER * small[-1].run.seconds


def _report(small: list[_Watched], large: list[_Watched]) -> list[str]:
    middle = statistics.median(_cost(one.run) for one in small)
    return [
        (
            f"One process; a provider that answers at once. In turns: {len(small)} messages to "
            f"{SMALL:,} people and {len(large)} to {LARGE:,}, {_BEFORE} small ones first and "
            f"{_AFTER} after each large one, on the ledger that has grown by then. Costs are "
            "processor time of dispatcher, database and broker; median (lowest to highest)."
        ),
        "",
        "| | us per send | in proportion | sends per second | most memory, dispatcher |",
        "|---|---|---|---|---|",
        _row(f"{SMALL:,}, all", small, middle),
        _row(f"{SMALL:,}, before any large one", small[:_BEFORE], middle),
        _row(f"{SMALL:,}, after one", small[_BEFORE:], middle),
        _row(f"{LARGE:,} (target 1.10)", large, middle),
    ]


def _row(name: str, watched: list[_Watched], middle: float) -> str:
    costs = [_cost(one.run) for one in watched]
    cost = statistics.median(costs)
    return (
        f"| {name} | {cost:.0f} ({min(costs):.0f} to {max(costs):.0f}) | {cost / middle:.2f} | "
        f"{statistics.median(one.run.rate for one in watched):,.0f} | "
        f"{max(one.memory for one in watched):.0f} MB |"
    )


def _cost(run: Run) -> float:
    return sum(run.cpu.values()) / run.people * 1e6


async def _watched(started: Rig, networks: list[str], people: int) -> _Watched:
    """Run an alert, and look at the dispatcher's memory meanwhile."""
    process = psutil.Process(started.parts[0].pid)
    most = 0.0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, process.memory_info().rss / 1e6)
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    try:
        run = await started.alert(networks, people, within=_PATIENCE_S)
    finally:
        watching.cancel()
    return _Watched(run, most)
