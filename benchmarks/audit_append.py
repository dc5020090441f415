"""How fast the audit log grows: from the topic to a signed checkpoint, and what to hold it against.

The limit is the database's bare insert rate for the same bytes; the naive way is a hash chain, one
durable insert per entry, with no proofs, no counters and no private parts.
"""

import asyncio
import hashlib
import statistics
import tempfile
import time
from pathlib import Path

import orjson
import psutil
from pymongo import AsyncMongoClient

from benchmarks.audit_rig import Servers, audit_service, publish_sends, send, servers
from services.audit.domain.drafting import draft_of
from services.audit.domain.entries import seal
from shared.mongo import Client, Document, connect, database

TITLE = "Audit: appending"
ROUNDS, SENDS, NAIVE = 5, 6_000, 300
_BATCH = 2000
_WITHIN_S = 120


def measure() -> list[str]:
    """Run all three in turns and give a table."""
    with tempfile.TemporaryDirectory() as folder:
        zones = [f"zone-{number}" for number in range(ROUNDS + 1)]
        with servers(Path(folder), zones) as started:
            return asyncio.run(_measure(started, zones))


async def _measure(started: Servers, zones: list[str]) -> list[str]:
    settings = started.settings("audit_benchmark")
    appended: list[float] = []
    naive: list[float] = []
    bare: list[float] = []
    costs: list[tuple[float, float]] = []
    async with connect(settings.mongo, "benchmark") as client, audit_service(settings):
        await _append(client, started, zones[0], 1000)  # warms caches and joins the group
        for number, zone in enumerate(zones[1:]):
            rate, cost = await _append(client, started, zone, SENDS)
            appended.append(rate)
            costs.append(cost)
            naive.append(await _naive(client, number))
            bare.append(await _bare(client, number))
    ours, python = statistics.median(appended), statistics.median(cost[0] for cost in costs)
    return [
        f"One process, one zone, {SENDS:,} sends a round, {ROUNDS} rounds in turns.",
        "",
        "| entries per second | median | lowest | highest | ours in proportion |",
        "|---|---|---|---|---|",
        _row("from topic to signed checkpoint", appended, ours),
        _row(f"naive: insert one, hash chain ({NAIVE} a round)", naive, ours),
        _row(f"bare insert of the same bodies, {_BATCH} at a time", bare, ours),
        "",
        (
            f"Processor time per entry: {python:.0f} us in the service, "
            f"{statistics.median(cost[1] for cost in costs):.0f} us in the database."
        ),
    ]


def _row(name: str, rates: list[float], ours: float) -> str:
    middle = statistics.median(rates)
    return (
        f"| {name} | {middle:,.0f} | {min(rates):,.0f} | {max(rates):,.0f} | {ours / middle:.2f} |"
    )


async def _append(
    client: Client, started: Servers, zone: str, count: int
) -> tuple[float, tuple[float, float]]:
    """Give the rate, and microseconds of processor time per entry: ours and the database's.

    The clock runs from the first record on the topic. What publishing costs this process, which
    the dispatcher does elsewhere, is measured with it.
    """
    log = database(client, "audit_benchmark")
    mongod = _mongod()
    begun, ours, theirs = time.perf_counter(), time.process_time(), _used(mongod)
    await publish_sends(started, zone, count)
    async with asyncio.timeout(_WITHIN_S):
        while True:
            row = await log["signed"].find_one({"_id": zone}, {"size": 1})
            if row is not None and row["size"] >= count:
                break
            await asyncio.sleep(0.02)
    spent = time.perf_counter() - begun
    per = 1e6 / count
    return count / spent, ((time.process_time() - ours) * per, (_used(mongod) - theirs) * per)


def _mongod() -> psutil.Process:
    children = psutil.Process().children(recursive=True)
    return next(child for child in children if child.name() == "mongod")


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _bodies(count: int) -> list[bytes]:
    drafts = [draft_of(send("naive", number)) for number in range(count)]
    return [
        seal(draft, number, "naive", bytes(32)).body
        for number, draft in enumerate(drafts)
        if draft is not None
    ]


async def _naive(client: AsyncMongoClient[Document], number: int) -> float:
    rows, last = database(client, "naive")[f"chain{number}"], bytes(32)
    begun = time.perf_counter()
    for index in range(NAIVE):
        draft = draft_of(send("naive", index))
        if draft is None:
            continue
        body = seal(draft, index, "naive", bytes(32)).body
        last = hashlib.sha256(last + body).digest()
        await rows.insert_one({"_id": index, "entry": orjson.loads(body), "hash": last})
    return NAIVE / (time.perf_counter() - begun)


async def _bare(client: AsyncMongoClient[Document], number: int) -> float:
    rows = database(client, "bare")[f"rows{number}"]
    documents: list[Document] = [
        {"_id": index, "body": body} for index, body in enumerate(_bodies(SENDS))
    ]
    begun = time.perf_counter()
    for first in range(0, SENDS, _BATCH):
        await rows.insert_many(documents[first : first + _BATCH])
    return SENDS / (time.perf_counter() - begun)
