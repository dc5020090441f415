"""Whether a second process makes eight zones faster, as zones are shared out by partition.

Both processes are as they are deployed. They are stopped (SIGSTOP) while the records are laid out,
each round on zones of its own, and the clock runs until the last zone's checkpoint is signed.
"""

import asyncio
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil
from aiokafka import partitioner  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.audit_rig import (
    Servers,
    child,
    publish_sends,
    send,
    servers,
    service_process,
    used,
)
from shared.contracts import Send
from shared.mongo import Client, connect, database
from shared.topics import PARTITIONS

TITLE = "Audit: eight zones, one process and two"
ROUNDS, ENTRIES = 5, 4_000
_WITHIN_S = 120
_DATABASE = "audit_zones"


def measure() -> list[str]:
    """Run one process and two in turns and give a table."""
    with tempfile.TemporaryDirectory() as folder:
        groups = [_zones(number) for number in range(2 * (ROUNDS + 1))]
        with servers(Path(folder), [zone for group in groups for zone in group]) as started:
            return asyncio.run(_measure(started, Path(folder), iter(groups)))


def _zones(number: int) -> list[str]:
    """Give eight names, one per partition."""
    found: dict[int, str] = {}
    for attempt in itertools.count():
        name = f"zone-{number}-{attempt}"
        found.setdefault(_partition(name), name)
        if len(found) == PARTITIONS:
            return list(found.values())
    return []


def _partition(key: str) -> int:
    hashed: int = cast("Any", partitioner).murmur2(key.encode())
    return (hashed & 0x7FFFFFFF) % PARTITIONS


@dataclass(frozen=True, slots=True)
class Round:
    """Entries a second, and microseconds of processor time per entry."""

    rate: float
    services: float
    servers: float


async def _measure(started: Servers, folder: Path, groups: Iterator[list[str]]) -> list[str]:
    rounds: dict[int, list[Round]] = {1: [], 2: []}
    settings = started.settings(_DATABASE)
    async with connect(settings.mongo, "benchmark") as client:
        with service_process(settings, folder / "first.log") as first:
            await _round(client, started, [first], next(groups))  # joins, warms
            for _ in range(ROUNDS):
                rounds[1].append(await _round(client, started, [first], next(groups)))
                other = started.settings(_DATABASE)
                with service_process(other, folder / "second.log") as second:
                    await _shared(client, started)
                    rounds[2].append(await _round(client, started, [first, second], next(groups)))
                await asyncio.sleep(2)  # the first takes its partitions back
    rates = {processes: [item.rate for item in found] for processes, found in rounds.items()}
    one = statistics.median(rates[1])
    return [
        f"Eight zones, one per partition, {ENTRIES:,} entries each, {ROUNDS} rounds in turns.",
        "",
        "| entries per second, all zones | median | lowest | highest | of one process |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {statistics.median(found):,.0f} | {min(found):,.0f} | {max(found):,.0f} "
            f"| {statistics.median(found) / one:.2f} |"
            for name, found in (("one process", rates[1]), ("two processes", rates[2]))
        ),
        "",
        "Both share two cores with the database, the broker and each other.",
        *(_costs(name, rounds[number]) for number, name in ((1, "one process"), (2, "two"))),
    ]


async def _shared(client: Client, started: Servers) -> None:
    """Wait until the second process has its partitions and both write: zones of no round show it.

    A log that the first wrote is free for the second once its lease has ended.
    """
    probe = _zones(int(time.time() * 1000) % 10**9)
    await publish_sends(started, (send(zone, 0) for zone in probe))
    await _signed(client, probe, 1)
    owners = database(client, _DATABASE)["heads"]
    names = {row["owner"] async for row in owners.find({"_id": {"$in": probe}}, {"owner": 1})}
    if len(names) < 2:
        await asyncio.sleep(1)
        await _shared(client, started)


async def _round(
    client: Client, started: Servers, services: Sequence[psutil.Process], zones: Sequence[str]
) -> Round:
    servers = [child("mongod"), child("java")]
    for service in services:
        service.suspend()
    try:
        await publish_sends(started, _changes(zones))
        before = [sum(map(used, part)) for part in (services, servers)]
        begun = time.perf_counter()
    finally:
        for service in services:
            service.resume()
    await _signed(client, zones, ENTRIES)
    spent, entries = time.perf_counter() - begun, ENTRIES * len(zones)
    after = [sum(map(used, part)) for part in (services, servers)]
    costs = [(late - early) * 1e6 / entries for early, late in zip(before, after, strict=True)]
    return Round(entries / spent, *costs)


def _costs(name: str, rounds: Sequence[Round]) -> str:
    services = statistics.median(item.services for item in rounds)
    others = statistics.median(item.servers for item in rounds)
    room = (os.cpu_count() or 1) * 1_000_000 / (services + others)
    return (
        f"Processor time per entry, {name}: {services:.0f} us in the services, {others:.0f} us in "
        f"database and broker; never waiting, there is room for {room:,.0f} a second."
    )


def _changes(zones: Sequence[str]) -> Iterator[Send]:
    return (send(zone, number) for number in range(ENTRIES) for zone in zones)


async def _signed(client: Client, zones: Sequence[str], size: int) -> None:
    rows = database(client, _DATABASE)["signed"]
    query = {"_id": {"$in": list(zones)}, "size": {"$gte": size}}
    async with asyncio.timeout(_WITHIN_S):
        while True:
            if await rows.count_documents(query) == len(zones):
                return
            await asyncio.sleep(0.02)
