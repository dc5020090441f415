"""Whether a send costs more in a large message than in a small one, and whether memory grows."""

import asyncio
import statistics
import tempfile
from pathlib import Path

import psutil

from benchmarks.dispatcher_rig import Rig, Run, rig

TITLE = "Dispatcher: 10,000 against 400,000 sends"
ROUNDS, SMALL, LARGE = 5, 10_000, 400_000
_NETWORKS = 10


def measure() -> list[str]:
    """Run small ones, the large one, and small ones again; give a table."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[str]:
    sizes = {f"n{number}": LARGE // _NETWORKS for number in range(_NETWORKS)}
    async with rig(folder) as started:
        await started.start()
        await started.networks({"small": SMALL, **sizes})
        small = [await _watched(started, ["small"], SMALL) for _ in range(ROUNDS)]
        large, most = await _watched(started, list(sizes), LARGE)
        after = [await _watched(started, ["small"], SMALL) for _ in range(2)]
    costs = [_cost(run) for run, _ in small]
    middle = statistics.median(costs)
    return [
        (
            f"One process; a provider that answers at once. {ROUNDS} messages to {SMALL:,} people, "
            f"then one to {LARGE:,}, then two more small ones on the grown ledger. Costs are "
            "processor time of dispatcher, database and broker."
        ),
        "",
        "| | us per send | in proportion | sends per second | most memory, dispatcher |",
        "|---|---|---|---|---|",
        (
            f"| {SMALL:,}, median ({min(costs):.0f} to {max(costs):.0f}) | {middle:.0f} | 1.00 | "
            f"{statistics.median(run.rate for run, _ in small):,.0f} | "
            f"{max(memory for _, memory in small):.0f} MB |"
        ),
        (
            f"| {LARGE:,} (target 1.10) | {_cost(large):.0f} | {_cost(large) / middle:.2f} | "
            f"{large.rate:,.0f} | {most:.0f} MB |"
        ),
        *(
            f"| {SMALL:,} afterwards | {_cost(run):.0f} | {_cost(run) / middle:.2f} | "
            f"{run.rate:,.0f} | {memory:.0f} MB |"
            for run, memory in after
        ),
    ]


def _cost(run: Run) -> float:
    return sum(run.cpu.values()) / run.people * 1e6


async def _watched(started: Rig, networks: list[str], people: int) -> tuple[Run, float]:
    """Run an alert, and give the dispatcher's greatest memory meanwhile, in MB."""
    process = psutil.Process(started.parts[0].pid)
    most = 0.0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, process.memory_info().rss / 1e6)
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    try:
        run = await started.alert(networks, people, within=300)
    finally:
        watching.cancel()
    return run, most
