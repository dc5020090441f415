"""How long an ordinary alert takes: on an idle system, and while 100,000 cold mails go out."""

import asyncio
import statistics
import tempfile
from pathlib import Path

from benchmarks.dispatcher_rig import Rig, rig

TITLE = "Dispatcher: an alert to 350 people"
ALERTS, PEOPLE, MAILS, DELAY_MS = 20, 350, 100_000, 50


def measure() -> list[str]:
    """Measure both and give a table."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[str]:
    async with rig(folder, DELAY_MS) as started:
        await started.start()
        await started.networks({"n1": PEOPLE, "cold": MAILS})
        await _alerts(started, 3)  # warms caches and connections
        idle = await _alerts(started, ALERTS)
        started.provider.reset("mail")
        await started.publish(started.bulletin_event("cold"))
        while started.provider.read("mail")["count"] == 0:  # noqa: ASYNC110 - elsewhere
            await asyncio.sleep(0.1)
        busy = await _alerts(started, ALERTS)
        went_out = started.provider.read("mail")["count"]
        if went_out >= MAILS:
            raise RuntimeError("the mails were through before the alerts")
    return [
        (
            f"{ALERTS} alerts to {PEOPLE} people, one after the other; a provider that answers "
            f"after {DELAY_MS} ms, 100 requests at a time. While cold mail went out: "
            f"{went_out:,.0f} of {MAILS:,} had gone when the last alert was through."
        ),
        "",
        "| seconds from topic to last acceptance | median | 95 % | highest |",
        "|---|---|---|---|",
        _row("idle (target: 95 % below 1)", idle),
        _row("while cold mails go out (target: 95 % below 2)", busy),
    ]


async def _alerts(started: Rig, count: int) -> list[float]:
    return [(await started.alert(["n1"], PEOPLE)).accepted for _ in range(count)]


def _row(name: str, seconds: list[float]) -> str:
    high = statistics.quantiles(seconds, n=20)[-1]
    return f"| {name} | {statistics.median(seconds):.2f} | {high:.2f} | {max(seconds):.2f} |"
