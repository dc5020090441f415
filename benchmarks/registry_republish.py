"""How fast the whole of a zone's members is sent again, and in how much memory.

From the request of `buurtbode republish` to the log's acknowledgement of each event, publisher
included. The limit is reading the same rows from the database and nothing else. The log takes
records at once and keeps none: Kafka's own speed is measured elsewhere.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter

from benchmarks.registry_rig import NETWORK, fill, memory, registry, run, spread
from shared.kafka import Outgoing
from shared.outbox import OutboxPublisher
from tests.integration.registry.harness import Registry
from tests.support.memory_kafka import MemoryCluster, MemoryLog

TITLE = "Registry: republishing all members"
PEOPLE, ROUNDS, TARGET = 100_000, 5, 5_000


class Counted(MemoryLog):
    """Takes records at once, and keeps their number only."""

    taken = 0

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Count them."""
        self.taken += len(records)


def measure() -> list[str]:
    """Republish and read, in turns."""
    return run(_measure())


async def _measure() -> list[str]:
    rates: dict[int, list[float]] = {300: [], 5: []}
    reads: list[float] = []
    held: list[float] = []
    async with registry(-(-PEOPLE // NETWORK)) as made:
        await fill(made, PEOPLE, per_network=NETWORK)
        for _ in range(ROUNDS):
            for history, found in rates.items():
                await made.client.admin.command(
                    {"setParameter": 1, "minSnapshotHistoryWindowInSeconds": history}
                )
                rate, most = await _republish(made)
                found.append(rate)
                held.append(most)
            begun = perf_counter()
            count = len([1 async for _row in made.database["members"].find({})])
            reads.append(count / (perf_counter() - begun))
    return [
        (
            f"{PEOPLE:,} members of {-(-PEOPLE // NETWORK)} networks, {ROUNDS} rounds in turns; "
            "the service and its publisher in one process, the database with a cache of 256 MB."
        ),
        "",
        "| members per second | median | lowest | highest |",
        "|---|---|---|---|",
        *(
            f"| republished and taken by the log, history of {history} s (target above "
            f"{TARGET:,}) | {spread(found, '')} |"
            for history, found in rates.items()
        ),
        f"| limit: read from the database, nothing else | {spread(reads, '')} |",
        "",
        (
            "History is MongoDB's `minSnapshotHistoryWindowInSeconds`, for how long it keeps what "
            "was changed or deleted. The process's memory grew by at most "
            f"{max(held):.0f} MB within a round; all events together are about "
            f"{PEOPLE * 700 / 1e6:.0f} MB."
        ),
    ]


async def _republish(made: Registry) -> tuple[float, float]:
    """Send all again while the publisher runs; give the rate and the growth of memory in MB."""
    log = Counted(MemoryCluster())
    publisher = OutboxPublisher(made.app.context.outbox, log, made.database, "benchmark")
    running = asyncio.create_task(publisher.run())
    before, most = memory(), 0.0
    begun = perf_counter()
    try:
        cursor: str | None = None
        while True:
            params = {"topic": "bin.members"} | ({} if cursor is None else {"cursor": cursor})
            page = await made.operator.post("/republish", params=params)
            most = max(most, memory() - before)
            cursor = page["next"]
            if cursor is None:
                break
        while await made.app.context.outbox.waiting():  # noqa: ASYNC110 - rows, not an event
            await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return PEOPLE / (perf_counter() - begun), most
