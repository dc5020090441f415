"""Publish the events of sends, in order per send, until Kafka has acknowledged each."""

import asyncio
import math
from collections.abc import Callable
from datetime import timedelta

from services.dispatcher.domain.events import SOURCE
from services.dispatcher.store.events import Unpublished
from services.dispatcher.store.ledger import Ledger
from shared.clock import Clock
from shared.contracts import Send
from shared.envelope import CE_TRACEPARENT, CONTENT_TYPE
from shared.kafka import Log, Outgoing
from shared.mongo import Database, Lease
from shared.trace import traceparent

_LEASE = timedelta(seconds=60)
"""Longer than a publish can take (two request time-outs of 10 s and a retry)."""

_RENEW_S = 10.0
_ASK_S = 1.0

_MOST = 1000
_GATHER_S = 0.05
"""What comes within this is published together: a round costs the same for one as for many."""


class PublishEvents:
    """The job that drains the ledger's events.

    Each process publishes what it wrote itself; what a process left behind when it died, or was to
    be sent again, is published by the one that holds the lease. Whoever reads a send's events reads
    all that are not acknowledged, so the first appearance of each is in order; in a race an event
    may appear twice, with the same id and bytes.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        log: Log,
        database: Database,
        owner: str,
        clock: Clock,
        published: Callable[[], None],
    ) -> None:
        """Wire; `published` is told whenever events were acknowledged."""
        self._ledger = ledger
        self._log = log
        self._lease = Lease(database["leases"], "send events", owner, _LEASE)
        self._clock = clock
        self._published = published
        self._held = False
        self._asked = -math.inf

    async def once(self) -> bool:
        """Publish what waits; tell whether there may be more. Raises `Retryable`."""
        others = await self._hold()
        waiting = await self._ledger.events.unpublished(_MOST, others=others)
        if not waiting:
            return False
        await self._log.publish([_record(item, event) for item in waiting for event in item.events])
        await self._ledger.events.acknowledged(waiting)
        self._published()
        if len(waiting) < _MOST // 2:
            await asyncio.sleep(_GATHER_S)
        return True

    async def _hold(self) -> bool:
        """Hold the lease; renewed now and then, since each renewal is a write to the disk."""
        now = self._clock.monotonic()
        if now - self._asked >= (_RENEW_S if self._held else _ASK_S):
            self._held = await self._lease.hold()
            self._asked = now
        return self._held

    async def release(self) -> None:
        """Let another process publish at once what is left."""
        await self._lease.release()


def _record(item: Unpublished, event: tuple[str, object, bytes]) -> Outgoing:
    event_id, at, value = event
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", Send.TYPE.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_time", str(at).replace(" ", "T").encode()),
        ("content-type", CONTENT_TYPE.encode()),
        (CE_TRACEPARENT, traceparent(item.message_id, event_id).encode()),
    )
    return Outgoing(Send.TOPIC.name, item.zone_id, value, headers)
