"""Rows of a ledger that was restored from a backup: brought to what Kafka remembers of them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from pymongo import UpdateMany
from pymongo.errors import BulkWriteError, DuplicateKeyError

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.states import UNSENT, Cause
from services.dispatcher.store.changes import Change, Changes
from services.dispatcher.store.events import SendEvents
from services.dispatcher.store.plans import Plans
from services.dispatcher.store.rows import (
    KEPT,
    WITHOUT_EVENTS,
    base,
    changing,
    to_document,
    to_row,
)
from shared.clock import Clock
from shared.contracts.base import MessageType, SendState
from shared.failures import Retryable
from shared.mongo import Database, Document, only_duplicates


class Recovery:
    """Brings rows up to date, and stores those that the backup did not have."""

    def __init__(
        self, database: Database, clock: Clock, events: SendEvents, changes: Changes, plans: Plans
    ) -> None:
        """Bind."""
        self._sends = database["sends"]
        self._clock = clock
        self._events = events
        self._changes = changes
        self._plans = plans

    async def in_doubt(self, after: str | None, most: int) -> list[Row]:
        """List sends that may have been attempted since, in the order of their ids.

        One that waited behind another network's may be among them once that one never went out.
        """
        query: Document = {
            "$or": [
                {"state": {"$in": [str(SendState.CLAIMED), str(SendState.ATTEMPTING)]}},
                {"state": str(SendState.PLANNED), "sendable": True},
                {"state": str(SendState.PLANNED), "freed": True},
                {"state": str(SendState.UNKNOWN), "settled": False},
            ]
        }
        if after is not None:
            query["_id"] = {"$gt": after}
        doubtful: list[Row] = []
        async for item in self._sends.find(query, WITHOUT_EVENTS).sort("_id", 1):
            if len(doubtful) == most:
                break
            if "behind" not in item or not await self._stands_another(item):
                doubtful.append(to_row(item))
        return doubtful

    async def _stands_another(self, waiting: Document) -> bool:
        place = {name: waiting[name] for name in ("channel", "destination")}
        return (
            await self._sends.find_one({"base": waiting["behind"], **place}, {"_id": 1}) is not None
        )

    async def take_places(self) -> None:
        """Have a bulletin's sends that went out, or may have, stand for their person again.

        One that waited in the backup went out since in the place of another network's; without
        its place a third network's release would reach the same person once more.
        """
        went: Document = {
            "type": str(MessageType.BULLETIN),
            "state": {"$nin": [str(state) for state in (*UNSENT, SendState.PLANNED)]},
            "base": {"$exists": False},
            "destination": KEPT,
        }
        async for item in self._sends.find(went, WITHOUT_EVENTS):
            row = to_row(item)
            with suppress(DuplicateKeyError):  # another stands for them already
                await self._sends.update_one(
                    {"_id": row.send_id},
                    {"$set": {"base": base(row.key)}, "$unset": {"behind": "", "freed": ""}},
                )

    async def replay(self, changed: Sequence[tuple[Row, Sequence[Document]]]) -> None:
        """Bring rows to what events of theirs say that the ledger had forgotten.

        The events are Kafka's already, so none of them is new, and their bytes are kept with them.
        """
        now = self._clock.now()
        writes: list[UpdateMany] = []
        for row, events in changed:
            after = replace(row, version=row.version + 1)
            update = changing(after) | self._changes.duties(
                Change(Cause.RESTORE, row, row, now), row
            )
            update |= {"members": list(row.member_ids), "networks": list(row.network_ids)}
            gone = {"fence": "", "held": "", "lease": "", "pending": "", "second": ""}
            if row.state in UNSENT:  # it stands in no other network's way any more
                gone |= {"base": "", "behind": "", "freed": ""}
            if "check_at" not in update:
                gone["check_at"] = ""
            writes.append(
                UpdateMany(
                    {"_id": row.send_id},
                    {
                        "$set": update | {"acked": row.seq},
                        "$unset": gone,
                        "$push": {"events": {"$each": list(events)}},
                    },
                )
            )
        if writes:
            await self._sends.bulk_write(writes, ordered=False)

    async def restore(self, rows: Sequence[tuple[Row, Sequence[Document]]]) -> None:
        """Store sends that the ledger had forgotten; those without an event get theirs now.

        What is there already, by its id or its destination, stays as it is. Raises `Retryable`
        where the sends that it turns on change meanwhile: what was stored is there the next time.
        """
        now = self._clock.now()
        documents = [await self._restored(row, events, now) for row, events in rows]
        refused = await self._insert(documents)
        siblings = [rows[index] for index, pattern in refused.items() if "base" in pattern]
        taken = [rows[index] for index, pattern in refused.items() if "references" in pattern]
        again = [await self._sibling(row, events, now) for row, events in siblings]
        again += [
            await self._restored(_without_references(row), events, now) for row, events in taken
        ]
        twice = await self._insert(again)
        if any("base" in pattern or "references" in pattern for pattern in twice.values()):
            raise Retryable("what is restored changes at the same moment")
        new = [one for index, one in enumerate(documents) if index not in refused]
        new += [one for index, one in enumerate(again) if index not in twice]
        told = [to_row(one) for one in new if one.get("pending")]
        self._events.written(row.send_id for row in told)
        await self._events.count(told)

    async def _restored(self, row: Row, events: Sequence[Document], now: datetime) -> Document:
        if events:
            document = to_document(row) | {"acked": row.seq, "events": list(events)}
        else:
            document = await self._plans.new_document(row, now)
        if row.key.message_type is MessageType.BULLETIN and row.state not in UNSENT:
            document["base"] = base(row.key)
        return document | self._changes.duties(Change(Cause.RESTORE, row, row, now), row)

    async def _sibling(self, row: Row, events: Sequence[Document], now: datetime) -> Document:
        """Give a bulletin's send for whose person another network's send stands.

        What its events say is so. Without any it was not attempted, since the other would have
        had to make way first: it is what planning it makes of it.
        """
        if events:
            document = await self._restored(row, events, now)
            del document["base"]
            return document
        planned = replace(
            row, state=SendState.PLANNED, reason=None, attempts=(), unknown_since=None
        )
        ((_, document),) = await self._plans.placed(None, [planned])
        return document

    async def _insert(self, documents: Sequence[Document]) -> dict[int, Document]:
        """Insert what can be; give the key of the unique index that refused each other one."""
        try:
            if documents:
                await self._sends.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            return {one["index"]: one["keyPattern"] for one in only_duplicates(error)}
        return {}


def _without_references(row: Row) -> Row:
    return replace(row, attempts=tuple(replace(one, reference=None) for one in row.attempts))
