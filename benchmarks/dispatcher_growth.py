"""Whether a send costs more in a large message than in a small one, and whether memory grows."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.dispatcher_rig import Rig, Run, given, rig
from shared.mongo import Client

TITLE = "Dispatcher: 10,000 against 400,000 sends"
SMALL, LARGE = given("SMALL", 10_000), given("LARGE", 400_000)
ROUNDS = given("ROUNDS", 5)
BUDGET_S = 60 * given("MINUTES", 60)
"""The first large message is always sent; more of them as long as they fit into this."""

CACHE_GB = given("CACHE_GB", 1)
"""The database's cache; 1 is what the local stack gives it."""

_BEFORE, _AFTER = 3, 3
_NETWORKS = 8
"""With the small one no more than ten: beyond that an alert needs a second officer."""
_PATIENCE_S = 3600


def measure() -> list[str]:
    """Run small ones and large ones in turns; give a table."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


class _Watched(NamedTuple):
    """A run, and what was seen of the processes meanwhile."""

    run: Run
    memory: float
    """The dispatcher's greatest, in MB."""

    read: float
    """What the database read from its files into its cache, in KB per send."""

    written: float
    """What it wrote from its cache into its files, in KB per send."""


async def _measure(folder: Path) -> list[str]:
    sizes = {f"n{number}": LARGE // _NETWORKS for number in range(_NETWORKS)}
    began = time.monotonic()
    small: list[_Watched] = []
    large: list[_Watched] = []
    async with rig(folder) as started:
        cache = {"wiredTigerEngineRuntimeConfig": f"cache_size={CACHE_GB}G"}
        await started.client.admin.command({"setParameter": 1, **cache})
        await started.start()
        await started.networks({"small": SMALL, **sizes})
        await _watched(started, ["small"], SMALL)  # warms caches and connections
        small += [await _watched(started, ["small"], SMALL) for _ in range(_BEFORE)]
        while not large or (
            len(large) < ROUNDS and time.monotonic() - began + _turn(small, large) < BUDGET_S
        ):
            large.append(await _watched(started, list(sizes), LARGE))
            small += [await _watched(started, ["small"], SMALL) for _ in range(_AFTER)]
        ledger = await started.database.command("collStats", "sends", scale=10**6)
    return [*_report(small, large), "", _size(ledger)]


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
            "processor time of dispatcher, database and broker, together (lowest to highest) and "
            "each; medians. The last columns are what the database read into its cache and wrote "
            "from it."
        ),
        "",
        (
            "| | us per send | in proportion | dispatcher | mongod | kafka | sends per second | "
            "most memory, dispatcher | KB read per send | KB written |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
        _row(f"{SMALL:,}, all", small, middle),
        _row(f"{SMALL:,}, before any large one", small[:_BEFORE], middle),
        _row(f"{SMALL:,}, after one", small[_BEFORE:], middle),
        _row(f"{LARGE:,} (target 1.10)", large, middle),
    ]


def _row(name: str, watched: list[_Watched], middle: float) -> str:
    costs = [_cost(one.run) for one in watched]
    cost = statistics.median(costs)
    parts = [
        f"{statistics.median(one.run.cpu[part] / one.run.people * 1e6 for one in watched):.0f}"
        for part in ("dispatcher", "mongod", "kafka")
    ]
    cells = [
        name,
        f"{cost:.0f} ({min(costs):.0f} to {max(costs):.0f})",
        f"{cost / middle:.2f}",
        *parts,
        f"{statistics.median(one.run.rate for one in watched):,.0f}",
        f"{max(one.memory for one in watched):.0f} MB",
        f"{statistics.median(one.read for one in watched):.1f}",
        f"{statistics.median(one.written for one in watched):.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _size(ledger: dict[str, Any]) -> str:
    return (
        f"At the end the ledger has {ledger['count']:,} sends: {ledger['size']:,} MB, "
        f"{ledger['storageSize']:,} MB on disk, and {ledger['totalIndexSize']:,} MB of indexes; "
        f"the database's cache is {CACHE_GB} GB."
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

    before = await _passed(started.client)
    watching = asyncio.create_task(watch())
    try:
        run = await started.alert(networks, people, within=_PATIENCE_S)
    finally:
        watching.cancel()
    read, written = (
        (after - was) / 1e3 / people
        for was, after in zip(before, await _passed(started.client), strict=True)
    )
    return _Watched(run, most, read, written)


async def _passed(client: Client) -> tuple[int, int]:
    """Give the bytes that the database's cache has read and written since its start."""
    cache = (await client.admin.command("serverStatus"))["wiredTiger"]["cache"]
    return int(cache["bytes read into cache"]), int(cache["bytes written from cache"])
