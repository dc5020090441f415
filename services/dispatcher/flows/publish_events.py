"""Publish the events of sends, in order per send, until Kafka has acknowledged each."""

from collections.abc import Callable
from datetime import timedelta

from services.dispatcher.store.ledger import Ledger, Unpublished
from shared.clock import Clock
from shared.contracts import Send
from shared.envelope import CONTENT_TYPE
from shared.kafka import Log, Outgoing
from shared.mongo import Database, Lease

SOURCE = "buurtbode/dispatcher"
_LEASE = timedelta(seconds=60)
"""Longer than a publish can take (two request time-outs of 10 s and a retry)."""

_RENEW_S = 10.0

_MOST = 1000


class PublishEvents:
    """The job that drains the ledger's events. One process at a time does, under a lease."""

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
        self._held: float | None = None

    async def once(self) -> bool:
        """Publish what waits; tell whether there may be more. Raises `Retryable`."""
        if not await self._hold():
            return False
        waiting = await self._ledger.unpublished(_MOST)
        if not waiting:
            return False
        await self._log.publish([_record(item, event) for item in waiting for event in item.events])
        await self._ledger.acknowledged(waiting)
        self._published()
        return True

    async def _hold(self) -> bool:
        """Hold the lease; renewed now and then, since each renewal is a write to the disk."""
        now = self._clock.monotonic()
        if self._held is not None and now - self._held < _RENEW_S:
            return True
        self._held = now if await self._lease.hold() else None
        return self._held is not None

    async def release(self) -> None:
        """Let another process publish at once."""
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
    )
    return Outgoing(Send.TOPIC.name, item.zone_id, value, headers)
