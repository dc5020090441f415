"""The dispatcher's whole pipeline against the bare SDK, and against a task per notification."""

import asyncio
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson

from benchmarks.celery_rig import CeleryRig, CeleryRun, celery
from benchmarks.dispatcher_rig import Rig, Run, rig

TITLE = "Dispatcher: the whole pipeline, SMS"
ROUNDS, SENDS, CONCURRENCY = 5, 3_000, 200
TASKS, WORKERS = 600, 4


def measure() -> list[str]:
    """Run all three in turns and give a table."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[str]:
    ours: list[Run] = []
    bare: list[dict[str, float]] = []
    tasks: list[CeleryRun] = []
    async with rig(folder) as started:
        await started.start(TWILIO__CONCURRENCY=str(CONCURRENCY))
        await started.networks({"n1": SENDS})
        with celery(started.provider, folder, WORKERS) as worker:
            await _round(started, worker)  # warms caches, connections and workers
            for _ in range(ROUNDS):
                one, two, three = await _round(started, worker)
                ours.append(one)
                bare.append(two)
                tasks.append(three)
    return _report(ours, bare, tasks)


async def _round(started: Rig, worker: CeleryRig) -> tuple[Run, dict[str, float], CeleryRun]:
    ours = await started.alert(["n1"], SENDS)
    await asyncio.sleep(1)
    bare = await asyncio.to_thread(run_bare, "sms", started.provider.http, SENDS, CONCURRENCY)
    return ours, bare, await asyncio.to_thread(worker.deliver, started.provider, TASKS)


def run_bare(channel: str, port: int, count: int, concurrency: int) -> dict[str, float]:
    """Run `benchmarks.bare` in a process of its own and give its figures."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.bare", channel, "--port", str(port)),
            *("--count", str(count), "--concurrency", str(concurrency)),
        ],
        check=True,
        capture_output=True,
    )
    return dict(orjson.loads(done.stdout))


def _report(ours: list[Run], bare: list[dict[str, float]], tasks: list[CeleryRun]) -> list[str]:
    our_rates = [one.rate for one in ours]
    bare_rates = [SENDS / one["seconds"] for one in bare]
    task_rates = [one.count / one.seconds for one in tasks]
    our_cpu = [sum(one.cpu.values()) / one.people for one in ours]
    task_cpu = [one.cpu / one.count for one in tasks]
    against_bare = [mine / other for mine, other in zip(our_rates, bare_rates, strict=True)]
    against_tasks = [mine / other for mine, other in zip(our_rates, task_rates, strict=True)]
    cpu_share = [mine / other for mine, other in zip(our_cpu, task_cpu, strict=True)]
    parts = {
        name: statistics.median(one.cpu[name] / one.people * 1e6 for one in ours)
        for name in ours[0].cpu
    }
    return [
        (
            f"One dispatcher process, {SENDS:,} people a round, {ROUNDS} rounds in turns, "
            f"{CONCURRENCY} requests at a time; a stand-in provider that answers at once "
            "(`benchmarks/provider.py`, without status callbacks). Ours runs from before the "
            "alert is published to Kafka's acknowledgement of the last send's event; the SDK only "
            f"sends, in one process on uvloop; Celery's {WORKERS} worker processes take "
            f"{TASKS:,} tasks a round from Redis and keep no record."
        ),
        "",
        "| sends per second | median | lowest | highest |",
        "|---|---|---|---|",
        row("topic, ledger, SMS, event", our_rates),
        row("bare SDK", bare_rates),
        row("a Celery task each", task_rates),
        row("ours to the bare SDK (target 0.7)", against_bare, "{:.2f}"),
        row("ours to Celery (target 10)", against_tasks, "{:.1f}"),
        "",
        "| processor time per send, us | median | lowest | highest |",
        "|---|---|---|---|",
        row("ours, with database and broker", [one * 1e6 for one in our_cpu]),
        row("bare SDK", [one["cpu"] / SENDS * 1e6 for one in bare]),
        row("a Celery task each, with Redis", [one * 1e6 for one in task_cpu]),
        row("ours to Celery (target 0.125)", cpu_share, "{:.3f}"),
        "",
        "Of ours: " + ", ".join(f"{name} {value:.0f} us" for name, value in parts.items()) + ".",
    ]


def row(name: str, values: list[float], shape: str = "{:,.0f}") -> str:
    """Give a line of a table: the median and the spread."""
    figures = (statistics.median(values), min(values), max(values))
    return f"| {name} | " + " | ".join(shape.format(value) for value in figures) + " |"
