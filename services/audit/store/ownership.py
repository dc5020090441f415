"""Who writes a log: one process at a time, by a lease for politeness and an epoch for certainty.

The lease keeps a second process waiting while the first lives. The epoch, raised whenever the
writer changes, is a condition of every batch: a process that lost its lease without noticing
cannot store anything.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from pymongo import ReturnDocument

from shared.clock import Clock
from shared.failures import Retryable
from shared.mongo import Database, Document, Lease

LEASE = timedelta(seconds=6)
"""How long a process that died keeps others from its logs."""


@dataclass(slots=True)
class _Held:
    lease: Lease
    epoch: int
    renewed: float


class OtherWriter(Retryable):
    """Another process writes this log now."""


class Ownership:
    """The logs that this process writes."""

    def __init__(
        self, database: Database, owner: str, clock: Clock, length: timedelta = LEASE
    ) -> None:
        """Bind; `owner` names this process."""
        self._leases = database["leases"]
        self._heads = database["heads"]
        self._owner = owner
        self._clock = clock
        self._length = length
        self._held: dict[str, _Held] = {}
        self._lasting: set[str] = set()
        self._lock = asyncio.Lock()
        self.refused: set[str] = set()
        """Logs that somebody else writes while records of theirs came to us."""

    async def keep(self, log: str) -> int:
        """Claim a log whose records come to this process. Raises `OtherWriter`."""
        self._lasting.add(log)
        return await self.claim(log)

    async def claim(self, log: str) -> int:
        """Give our epoch of a log, becoming its writer. Raises `OtherWriter`."""
        async with self._lock:
            held = self._held.get(log)
            now = self._clock.monotonic()
            if held is not None and now - held.renewed < self._length.total_seconds() / 3:
                return held.epoch
            lease = Lease(self._leases, f"log|{log}", self._owner, self._length)
            if not await lease.hold():
                self._held.pop(log, None)
                self._lasting.discard(log)
                self.refused.add(log)
                raise OtherWriter(log)
            self.refused.discard(log)
            if held is None:
                held = _Held(lease, await self._raise_epoch(log), now)
                self._held[log] = held
            held.renewed = now
            return held.epoch

    @asynccontextmanager
    async def borrow(self, log: str) -> AsyncGenerator[None]:
        """Be a log's writer for one piece of work. Raises `OtherWriter`.

        The log is given back unless its records come to this process anyway: a job must not keep
        another process waiting for the rest of a lease.
        """
        lasting = log in self._held
        try:
            await self.claim(log)
        except OtherWriter:
            self.refused.discard(log)  # asked in passing: no record of ours waits for it
            raise
        try:
            yield
        finally:
            if not lasting:
                # a job that is ended just now would else leave its lease behind for its whole life
                await asyncio.shield(self._give_back(log))

    async def _give_back(self, log: str) -> None:
        async with self._lock:
            held = self._held.get(log)
            if held is not None and log not in self._lasting:
                del self._held[log]
                await held.lease.release()

    def forget(self, log: str) -> None:
        """Take notice of having been fenced; the next claim raises the epoch anew."""
        self._held.pop(log, None)
        self._lasting.discard(log)

    async def release(self) -> None:
        """Let the next process take over at once."""
        for held in list(self._held.values()):  # a consumer that ends may still give one back
            await held.lease.release()
        self._held.clear()

    async def _raise_epoch(self, log: str) -> int:
        start: Document = {"size": 0, "frontier": [], "batches": 0}
        head = await self._heads.find_one_and_update(
            {"_id": log},
            {"$inc": {"epoch": 1}, "$set": {"owner": self._owner}, "$setOnInsert": start},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return 0 if head is None else int(head["epoch"])  # upserted, so never None
