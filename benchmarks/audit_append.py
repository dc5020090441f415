"""How fast the audit log grows: from the topic to a signed checkpoint, and what to hold it against.

The limit is the database's bare insert rate for the same bytes; the naive way is a hash chain, one
durable insert per entry, with no proofs, no counters and no private parts.

The service runs as it is deployed, in a process of its own. It is stopped (SIGSTOP) while the
records are laid out on the topic, so that what publishing costs is not in the figure, and the clock
runs from the moment at which it goes on.
"""

import asyncio
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil
from pymongo import AsyncMongoClient

from benchmarks.audit_rig import (
    Servers,
    child,
    publish_sends,
    send,
    servers,
    service_process,
    used,
)
from services.audit.domain.drafting import draft_of
from services.audit.domain.entries import seal
from shared.contracts import Send
from shared.contracts.base import SendState
from shared.mongo import Client, Document, connect, database

TITLE = "Audit: appending"
ROUNDS, NAIVE = 5, 300
ENTRIES = int(os.environ.get("BUURTBODE_BENCHMARK_APPENDED", "40000"))
_BATCH = 2000
_WITHIN_S = 120
_DATABASE = "audit_benchmark"

Load = Callable[[str], Iterator[Send]]


@dataclass(frozen=True, slots=True)
class Appended:
    """One round: entries a second, and microseconds of processor time per entry."""

    rate: float
    service: float
    mongod: float
    broker: float
    megabytes: float
    """The most memory that the service had during the round."""


def measure() -> list[str]:
    """Run all in turns and give a table."""
    with tempfile.TemporaryDirectory() as folder:
        zones = [f"{kind}-{number}" for kind in ("one", "two") for number in range(ROUNDS + 1)]
        with servers(Path(folder), zones) as started:
            return asyncio.run(_measure(started, Path(folder)))


async def _measure(started: Servers, folder: Path) -> list[str]:
    settings = started.settings(_DATABASE)
    ones: list[Appended] = []
    twos: list[Appended] = []
    naive: list[float] = []
    bare: list[float] = []
    async with connect(settings.mongo, "benchmark") as client:
        with service_process(settings, folder / "service.log") as service:
            for kind in (_first, _both):  # warms caches and joins the group
                await _append(client, started, service, kind, f"{_name(kind)}-0")
            for number in range(1, ROUNDS + 1):
                ones.append(await _append(client, started, service, _first, f"one-{number}"))
                twos.append(await _append(client, started, service, _both, f"two-{number}"))
                naive.append(await _naive(client, number))
                bare.append(await _bare(client, number))
    ours = statistics.median(item.rate for item in ones)
    return [
        f"One process, one zone, {ENTRIES:,} entries a round, {ROUNDS} rounds in turns.",
        "",
        "| entries per second | median | lowest | highest | ours in proportion |",
        "|---|---|---|---|---|",
        _row("from topic to signed checkpoint", [item.rate for item in ones], ours),
        _row("the same, every send accepted, then delivered", [item.rate for item in twos], ours),
        _row(f"naive: insert one, hash chain ({NAIVE} a round)", naive, ours),
        _row(f"bare insert of the same bodies, {_BATCH} at a time", bare, ours),
        "",
        *_costs("one entry a send", ones),
        *_costs("two entries a send", twos),
        *_memory(ones, twos),
    ]


def _name(kind: Load) -> str:
    return "one" if kind is _first else "two"


def _first(zone: str) -> Iterator[Send]:
    return (send(zone, number) for number in range(ENTRIES))


def _both(zone: str) -> Iterator[Send]:
    """Give two changes of each send, a thousand sends apart, as receipts come."""
    half, apart = ENTRIES // 2, 1000
    for number in range(half + apart):
        if number < half:
            yield send(zone, number).model_copy(update={"state": SendState.ACCEPTED})
        if number >= apart:
            yield send(zone, number - apart, 2).model_copy(update={"state": SendState.DELIVERED})


def _costs(name: str, rounds: list[Appended]) -> list[str]:
    middle = {
        part: statistics.median(getattr(item, part) for item in rounds)
        for part in ("service", "mongod", "broker")
    }
    room = (os.cpu_count() or 1) * 1_000_000 / sum(middle.values())
    return [
        (
            f"Processor time per entry, {name}: {middle['service']:.0f} us in the service, "
            f"{middle['mongod']:.0f} us in the database, {middle['broker']:.0f} us in the broker: "
            f"this machine, doing nothing else, never waiting, has room for {room:,.0f} a second."
        )
    ]


def _memory(ones: list[Appended], twos: list[Appended]) -> list[str]:
    """Say what the service had in each round, in the order in which they came."""
    most = [item.megabytes for both in zip(ones, twos, strict=True) for item in both]
    shown = ", ".join(f"{value:.0f}" for value in most)
    return [
        (
            f"Memory of the service, which stays one process throughout, at most, round by round "
            f"of {ENTRIES:,} entries ({ENTRIES * len(most):,} in all, after two rounds that warm "
            f"it): {shown} MB."
        )
    ]


def _row(name: str, rates: list[float], ours: float) -> str:
    middle = statistics.median(rates)
    return (
        f"| {name} | {middle:,.0f} | {min(rates):,.0f} | {max(rates):,.0f} | {ours / middle:.2f} |"
    )


async def _append(
    client: Client, started: Servers, service: psutil.Process, load: Load, zone: str
) -> Appended:
    log = database(client, _DATABASE)
    service.suspend()
    try:
        await publish_sends(started, load(zone))
        mongod, broker = child("mongod"), child("java")
        parts = (service, mongod, broker)
        before = [used(part) for part in parts]
        begun = time.perf_counter()
    finally:
        service.resume()
    most = 0.0
    async with asyncio.timeout(_WITHIN_S):
        while True:
            most = max(most, service.memory_info().rss / 1e6)
            row = await log["signed"].find_one({"_id": zone}, {"size": 1})
            if row is not None and row["size"] >= ENTRIES:
                break
            await asyncio.sleep(0.02)
    spent = time.perf_counter() - begun
    costs = [
        (used(part) - spent_before) * 1e6 / ENTRIES
        for part, spent_before in zip(parts, before, strict=True)
    ]
    return Appended(ENTRIES / spent, *costs, megabytes=most)


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
        {"_id": index, "body": body} for index, body in enumerate(_bodies(ENTRIES))
    ]
    begun = time.perf_counter()
    for first in range(0, ENTRIES, _BATCH):
        await rows.insert_many(documents[first : first + _BATCH])
    return ENTRIES / (time.perf_counter() - begun)
