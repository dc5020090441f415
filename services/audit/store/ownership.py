"""Who writes a log: one process at a time, by a lease for politeness and an epoch for certainty.

The lease keeps a second process waiting while the first lives. The epoch, raised whenever the
writer changes, is a condition of every batch: a process that lost its lease without noticing
cannot store anything.

A process may write hundreds of logs, so leases and epochs are asked for together, and a lease is
never renewed within a transaction: there the epoch is enough.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from pymongo import UpdateOne

from shared.clock import Clock
from shared.failures import Retryable
from shared.mongo import Database, Document, Leases, Session

LEASE = timedelta(seconds=6)
"""How long a process that died keeps others from its logs."""


class OtherWriter(Retryable):
    """Another process writes this log now.

    Where that lasts while records of the log come to us, our watchdog ends this process, and Kafka
    gives its partitions to the one that writes.
    """


class Ownership:
    """The logs that this process writes."""

    def __init__(
        self, database: Database, owner: str, clock: Clock, length: timedelta = LEASE
    ) -> None:
        """Bind; `owner` names this process."""
        self._leases = Leases(database["leases"], owner, length)
        self._heads = database["heads"]
        self._owner = owner
        self._clock = clock
        self._renew_after = length.total_seconds() / 3
        self._held: dict[str, int] = {}
        """Our epochs of the logs whose leases are ours, all of them renewed at once."""

        self._renewed = 0.0
        self._lasting: set[str] = set()
        """Logs whose records come to this process: held until they may come to another."""

        self._borrowed: Counter[str] = Counter()
        self._lock = asyncio.Lock()
        self.refused: set[str] = set()
        """Logs that somebody else writes while records of theirs came to us."""

    async def keep(self, logs: Collection[str]) -> None:
        """Claim the logs whose records come to this process. Raises `OtherWriter`."""
        self._lasting.update(logs)
        await self._claim_for_records(logs)

    async def claim(self, log: str) -> int:
        """Give our epoch of a log, becoming its writer. Raises `OtherWriter`."""
        await self._claim_for_records([log])
        return self._held[log]

    async def _claim_for_records(self, logs: Collection[str]) -> None:
        missing = await self._claim(logs)
        self.refused.difference_update(logs)
        self.refused.update(missing)
        self._lasting.difference_update(missing)
        for log in missing:
            raise OtherWriter(log)

    def epoch(self, log: str) -> int:
        """Give our epoch of a log that was claimed before. Raises `OtherWriter`."""
        epoch = self._held.get(log)
        if epoch is None:
            raise OtherWriter(log)
        return epoch

    async def touch(self, session: Session, logs: Collection[str]) -> None:
        """Change the heads of logs first of all, in a transaction that appends to each.

        A job that is at one of them is met now, and not when most of the work is done.
        """
        if len(logs) > 1:  # with one, appending begins with it
            heads = {"_id": {"$in": sorted(logs)}}
            await self._heads.update_many(heads, {"$inc": {"batches": 1}}, session=session)

    @asynccontextmanager
    async def borrow(self, log: str) -> AsyncGenerator[None]:
        """Be a log's writer for one piece of work. Raises `OtherWriter`.

        The log is given back unless its records come to this process anyway: a job must not keep
        another process waiting for the rest of a lease.
        """
        self._borrowed[log] += 1
        try:
            if await self._claim([log]):
                raise OtherWriter(log)
            yield
        finally:
            self._borrowed[log] -= 1
            # a job that is ended just now would else leave its lease behind for its whole life
            await asyncio.shield(self._give_back([log]))

    async def let_go(self) -> None:
        """Give every log back, but for what jobs are at: their records may go to others now.

        What still comes to this process is claimed again with its next record. A log that is kept
        on would be renewed with all others, and its new writer would wait for ever.
        """
        self._lasting.clear()
        self.refused.clear()
        await self._give_back([*self._held])

    def forget(self, log: str) -> None:
        """Take notice of having been fenced; the next claim raises the epoch anew."""
        self._held.pop(log, None)
        self._lasting.discard(log)

    async def release(self) -> None:
        """Let the next process take over at once."""
        held = [*self._held]
        self._held.clear()
        if held:
            await self._leases.release(_lease(log) for log in held)

    async def _claim(self, logs: Collection[str]) -> list[str]:
        """Hold logs, and give those that another process holds."""
        async with self._lock:
            now = self._clock.monotonic()
            if self._held and now - self._renewed >= self._renew_after:
                await self._renew(now)
            wanted = [log for log in logs if log not in self._held]
            if wanted:
                await self._take(wanted, now)
            return [log for log in wanted if log not in self._held]

    async def _renew(self, now: float) -> None:
        ours = await self._leases.renew(_lease(log) for log in self._held)
        self._renewed = now
        for log in [log for log in self._held if _lease(log) not in ours]:
            self.forget(log)

    async def _take(self, logs: Collection[str], now: float) -> None:
        taken = await self._leases.take(_lease(log) for log in logs)
        epochs = await self._raise_epochs([log for log in logs if _lease(log) in taken])
        if not self._held:
            self._renewed = now
        self._held |= epochs

    async def _give_back(self, logs: Iterable[str]) -> None:
        async with self._lock:
            spare = [
                log
                for log in logs
                if log in self._held and log not in self._lasting and not self._borrowed[log]
            ]
            for log in spare:
                del self._held[log]
            if spare:
                await self._leases.release(_lease(log) for log in spare)

    async def _raise_epochs(self, logs: Collection[str]) -> dict[str, int]:
        if not logs:
            return {}
        change: Document = {
            "$inc": {"epoch": 1},
            "$set": {"owner": self._owner},
            "$setOnInsert": {"size": 0, "frontier": [], "batches": 0},
        }
        await self._heads.bulk_write(
            [UpdateOne({"_id": log}, change, upsert=True) for log in sorted(logs)], ordered=False
        )
        # whoever raised one after us is its owner, so that an epoch is never two processes'
        ours: Document = {"_id": {"$in": sorted(logs)}, "owner": self._owner}
        rows = self._heads.find(ours, {"epoch": 1})
        return {row["_id"]: int(row["epoch"]) async for row in rows}


def _lease(log: str) -> str:
    return f"log|{log}"
