"""The events of sends: made with the change that they tell of, kept until Kafka has them.

They stand in the row that changed, in collection `sends`, so a change and its event are one write.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from bson import Binary
from prometheus_client import Counter as Metric

from services.dispatcher.domain.events import send_event
from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.message import Message, MessageKey
from services.dispatcher.store.closings import Closings
from shared.clock import Clock
from shared.contracts.base import Channel, Status
from shared.failures import Retryable
from shared.mongo import Database, Document

SENDS = Metric(
    "buurtbode_sends",
    "Sends by the state they came into, each counted once the ledger had it",
    ["lane", "channel", "state", "provider", "reason"],
)

MessageOf = Callable[[MessageKey], Awaitable[Message | None]]

_FRESH_MOST = 50_000
_CACHED = 256


class Unpublished(NamedTuple):
    """Events of one send that Kafka has not acknowledged yet, oldest first."""

    send_id: str
    zone_id: str
    message: str
    message_id: str
    seq: int
    events: tuple[tuple[str, datetime, bytes], ...]


def nobody() -> None:
    """Wake nobody: nobody asked."""


def _unnamed(_channel: Channel, _status: Status) -> str:
    """Name no provider: nobody told them."""
    return ""


class SendEvents:
    """Makes the events of rows, counts them, and gives those that Kafka has not acknowledged."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        closings: Closings,
        message_of: MessageOf,
        look_back: timedelta,
    ) -> None:
        """Bind; `message_of` gives a message's own data, which its events carry."""
        self._sends = database["sends"]
        self._closings = closings
        self._clock = clock
        self._message_of = message_of
        self._look_back = look_back
        self._messages: dict[MessageKey, Message] = {}
        self._fresh: dict[str, None] = {}
        """Sends with events that this process wrote and has not read to publish; kept short."""

        self._swept = -math.inf
        self.on_event: Callable[[], None] = nobody
        """Told when there is something to publish; set by whoever wires."""

        self.provider_of: Callable[[Channel, Status], str] = _unnamed
        """Names the provider of a channel, for the metrics; set by whoever wires."""

    async def count(self, rows: Iterable[Row]) -> None:
        """Count rows that came into their states; within a transaction nobody knows that yet."""
        tally = Counter((row.key, row.lane, row.channel, row.state, row.reason) for row in rows)
        for (key, lane, channel, state, reason), count in tally.items():
            message = await self.message(key)
            provider = self.provider_of(channel, message.status)
            SENDS.labels(lane, channel, state, provider, reason or "").inc(count)

    def written(self, send_ids: Iterable[str]) -> None:
        """Remember what is to be published; what is too much is found by looking."""
        if len(self._fresh) < _FRESH_MOST:
            self._fresh |= dict.fromkeys(send_ids)
        self.on_event()

    async def document(self, row: Row, at: datetime, seq: int) -> Document:
        """Make the event of a row's new state, as the row keeps it. Raises `Retryable`."""
        message = self._messages.get(row.key) or await self.message(row.key)
        event_id_, value = send_event(row, message, at, seq)
        return {"id": event_id_, "seq": seq, "at": at, "value": Binary(value)}

    async def message(self, key: MessageKey) -> Message:
        """Give a message's own data. Raises `Retryable` where it is not stored yet."""
        known = self._messages.get(key)
        if known is None:
            known = await self._message_of(key)
            if known is None:
                raise Retryable("the ledger has sends of a message that is not stored yet")
            if len(self._messages) >= _CACHED:
                self._messages.pop(next(iter(self._messages)))
            self._messages[key] = known
        return known

    async def unpublished(self, most: int, *, others: bool = True) -> list[Unpublished]:
        """Give events that Kafka has not acknowledged, in order per send.

        Those that this process wrote; and now and then, with `others`, all there are.
        """
        ids = list(self._fresh)[:most]
        for send_id in ids:
            del self._fresh[send_id]
        found = await self._pending({"_id": {"$in": ids}}, most, "_id_") if ids else []
        at = self._clock.monotonic()
        rested = at - self._swept >= self._look_back.total_seconds()
        if not others or not rested or len(found) == most:
            return found
        known = {item.send_id for item in found}
        swept = await self._pending({}, most, "unpublished")
        self._swept = at if len(swept) < most else -math.inf
        return found + [item for item in swept if item.send_id not in known]

    async def _pending(self, query: Document, most: int, index: str) -> list[Unpublished]:
        found = self._sends.find(
            {**query, "pending": True},
            {"zone": 1, "message": 1, "message_id": 1, "seq": 1, "acked": 1, "events": 1},
        )
        return [_unpublished(item) for item in await found.hint(index).limit(most).to_list()]

    async def acknowledged(self, sent: Sequence[Unpublished]) -> None:
        """Note that Kafka has these; their messages are looked at again for closing."""
        await self._closings.reopen({item.message for item in sent}, self._clock.now())
        by_seq: dict[int, list[str]] = defaultdict(list)
        for item in sent:
            by_seq[item.seq].append(item.send_id)
        for seq, ids in by_seq.items():
            await self._sends.update_many(
                {"_id": {"$in": ids}, "seq": seq},
                {"$set": {"acked": seq}, "$unset": {"pending": ""}},
            )

    async def publish_again(self, key: MessageKey) -> int:
        """Have all kept events of a message published again; give how many sends have some."""
        result = await self._sends.update_many(
            {"message": str(key), "events.0": {"$exists": True}},
            {"$set": {"pending": True, "acked": 0}},
        )
        return result.modified_count

    async def drop(self, key: MessageKey, until: datetime) -> None:
        """Drop the bytes of events up to a closing statement that both sides agreed on."""
        await self._sends.update_many(
            {"message": str(key), "pending": {"$ne": True}, "events.0": {"$exists": True}},
            {"$pull": {"events": {"at": {"$lte": until}}}},
        )


def _unpublished(item: Document) -> Unpublished:
    acked = item.get("acked", 0)
    events: Iterable[Document] = item.get("events", [])
    return Unpublished(
        item["_id"],
        item["zone"],
        item["message"],
        item["message_id"],
        item["seq"],
        tuple((e["id"], e["at"], bytes(e["value"])) for e in events if e["seq"] > acked),
    )
