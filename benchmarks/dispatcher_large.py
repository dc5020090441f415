"""100,000 people and a provider that takes 50 ms: one dispatcher process, and two."""

import asyncio
import tempfile
from pathlib import Path

from benchmarks.dispatcher_rig import Run, given, rig
from benchmarks.dispatcher_sms import row

TITLE = "Dispatcher: 100,000 people"
ROUNDS, PEOPLE = given("ROUNDS", 5), given("PEOPLE", 100_000)
DELAY_MS, CONCURRENCY = 50, 400
_NETWORKS = 10


def measure() -> list[str]:
    """Run one process and two in turns and give a table."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[str]:
    alone: list[Run] = []
    shared: list[Run] = []
    sizes = {f"n{number}": PEOPLE // _NETWORKS for number in range(_NETWORKS)}
    async with rig(folder, DELAY_MS) as started:
        await started.start(TWILIO__CONCURRENCY=str(CONCURRENCY))
        await started.networks(sizes)
        for _ in range(ROUNDS):
            alone.append(await started.alert(list(sizes), PEOPLE))
            await started.start(TWILIO__CONCURRENCY=str(CONCURRENCY))
            shared.append(await started.alert(list(sizes), PEOPLE))
            started.parts.pop().stop()
    return [
        (
            f"{PEOPLE:,} people of {_NETWORKS} networks, a provider that answers after "
            f"{DELAY_MS} ms, {CONCURRENCY} requests at a time in each process, {ROUNDS} rounds in "
            "turns."
        ),
        "",
        "| seconds after publishing the alert | median | lowest | highest |",
        "|---|---|---|---|",
        row("one process: first acceptance", [one.first for one in alone], "{:.1f}"),
        row("one process: last acceptance (target 30)", [r.accepted for r in alone], "{:.1f}"),
        row("one process: last event on record", [one.seconds for one in alone], "{:.1f}"),
        row("two processes: first acceptance", [one.first for one in shared], "{:.1f}"),
        row("two processes: last acceptance", [one.accepted for one in shared], "{:.1f}"),
        row("two processes: last event on record", [one.seconds for one in shared], "{:.1f}"),
    ]
