"""Rows of a ledger that was restored from a backup: brought to what Kafka remembers of them."""

from collections.abc import Sequence
from dataclasses import replace

from pymongo import UpdateMany
from pymongo.errors import BulkWriteError

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.states import Cause
from services.dispatcher.store.changes import Change, Changes
from services.dispatcher.store.events import SendEvents
from services.dispatcher.store.plans import Plans
from services.dispatcher.store.rows import WITHOUT_EVENTS, base, changing, to_document, to_row
from shared.clock import Clock
from shared.contracts.base import MessageType, SendState
from shared.mongo import Database, Document

_DUPLICATE_KEY = 11000


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
        """List sends that may have been attempted since, in the order of their ids."""
        query: Document = {
            "$or": [
                {"state": {"$in": [str(SendState.CLAIMED), str(SendState.ATTEMPTING)]}},
                {"state": str(SendState.PLANNED), "sendable": True},
                {"state": str(SendState.UNKNOWN), "settled": False},
            ]
        }
        if after is not None:
            query["_id"] = {"$gt": after}
        found = self._sends.find(query, WITHOUT_EVENTS).sort("_id", 1)
        return [to_row(item) async for item in found.limit(most)]

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
            gone = {"fence": "", "held": "", "lease": "", "pending": "", "second": ""}
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

        What is there already stays as it is.
        """
        now = self._clock.now()
        documents: list[Document] = []
        for row, events in rows:
            duties = self._changes.duties(Change(Cause.RESTORE, row, row, now), row)
            if events:
                document = to_document(row) | {"acked": row.seq, "events": list(events)}
            else:
                document = await self._plans.new_document(row, now)
            if row.key.message_type is MessageType.BULLETIN and row.reason != (
                SendReason.OTHER_NETWORK
            ):
                document["base"] = base(row.key)
            documents.append(document | duties)
        known: set[int] = set()
        try:
            if documents:
                await self._sends.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(e.get("code") != _DUPLICATE_KEY for e in error.details["writeErrors"]):
                raise
            known = {e["index"] for e in error.details["writeErrors"]}
        self._events.written(row.send_id for row, events in rows if not events)
        new = [row for index, (row, events) in enumerate(rows) if not events and index not in known]
        await self._events.count(new)
