"""What must be closed by when, and what the closing statements said: collection `closings`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from pymongo import UpdateOne

from services.audit.domain.closing import Expected
from services.audit.store.blocks import ids_of
from shared.contracts import MessageClosed
from shared.contracts.base import MessageType
from shared.mongo import Database, Document, Session

COUNTED_AGAIN = timedelta(minutes=1)
"""After how long a statement that differs is counted again, where events of its message came."""

_CAME: Document = {"$ifNull": ["$came", 0]}
_COUNTED: Document = {"$ifNull": ["$counted", 0]}
"""Of the batches that brought some of them (`came`), how many were there at the last count."""


class Closings:
    """One row per message or release."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["closings"]

    async def prepare(self) -> None:
        """Create the indexes of what is to be done."""
        await self._rows.create_index([("open", 1), ("due_at", 1)])
        await self._rows.create_index("ask", sparse=True)
        await self._rows.create_index("stays_different", sparse=True)
        await self._rows.create_index([("log", 1), ("message_id", 1)])

    async def expect(self, session: Session, log: str, expected: Sequence[Expected]) -> None:
        """Remember what must be closed; the earliest date counts."""
        if not expected:
            return
        writes = [
            UpdateOne(
                {"_id": _id(log, item.message_type, item.message_id, item.release)},
                {
                    "$min": {"due_at": item.due_at},
                    "$setOnInsert": {
                        "log": log,
                        "message_type": item.message_type.value,
                        "message_id": item.message_id,
                        "release": item.release,
                        "network_ids": list(item.network_ids),
                        "open": True,
                        "answer": None,
                    },
                },
                upsert=True,
            )
            for item in expected
        ]
        await self._rows.bulk_write(writes, session=session)

    async def state(
        self, session: Session, log: str, closed: MessageClosed, bound: int | None
    ) -> None:
        """Take a closing statement in, to be answered; an older revision is only on record.

        `bound` is the statement's own index: what it speaks of stands below it. None where the
        statement came again: then everything counts, and it is answered again.
        """
        row_id = _id(log, closed.message_type, closed.message_id, closed.release)
        row = await self._rows.find_one({"_id": row_id}, session=session)
        if row is not None and row.get("revision", 0) > closed.revision:
            return
        change: Document = {
            "log": log,
            "message_type": closed.message_type.value,
            "message_id": closed.message_id,
            "release": closed.release,
            "open": False,
            "ask": True,
            "answer": None,
            "event_id": closed.event_id,
            "revision": closed.revision,
            "sends": closed.sends,
            "states": {state.value: count for state, count in closed.states.items()},
            "events": closed.events,
            "digest": closed.digest,
            "closed_at": closed.closed_at,
            "bound": bound,
        }
        # how often it was asked stays: after each request a new revision is stated
        write: Document = {"$set": change, "$unset": {"looked_at": "", "seen": ""}}
        await self._rows.update_one({"_id": row_id}, write, upsert=True, session=session)

    async def came(self, session: Session, sent: Mapping[str, Collection[str | None]]) -> None:
        """Note the messages, by log, of which a batch brought events, where a statement asks."""
        names = {name for some in sent.values() for name in some}
        if not names:
            return
        query: Document = {
            "ask": True,
            "log": {"$in": [*sent]},
            "message_id": {"$in": [*names]},
        }
        rows = self._rows.find(query, {"log": 1, "message_id": 1}, session=session)
        # few ask at a time: by its index, whatever the batch holds
        asking = await rows.hint([("ask", 1)]).to_list()
        ids = [row["_id"] for row in asking if row["message_id"] in sent[row["log"]]]
        if ids:
            change: Document = {"$inc": {"came": 1}}
            await self._rows.update_many({"_id": {"$in": ids}}, change, session=session)

    async def asking(self, now: datetime, most: int) -> list[Document]:
        """Give statements to look at.

        New ones, those some of whose events came since they were counted, and those that are due
        to be asked again.
        """
        asks: Document = {"ask": True}
        came: Document = {
            "looked_at": {"$ne": None},
            "counted_at": {"$not": {"$gt": now - COUNTED_AGAIN}},
            "$expr": {"$ne": [_CAME, _COUNTED]},
        }
        new = self._rows.find({**asks, "looked_at": None}).limit(most)
        moved = self._rows.find({**asks, **came}).limit(most)
        due = self._rows.find({**asks, "again_at": {"$lte": now}}).limit(most)
        found = [*await new.to_list(), *await moved.to_list(), *await due.to_list()]
        return list({row["_id"]: row for row in found}.values())

    async def counted(self, row: Document, events: int, digest: str, now: datetime) -> None:
        """Note what was on record of a statement that differs, until more of its message comes."""
        same = {"_id": row["_id"], "event_id": row["event_id"]}
        note = {
            "seen": {"events": events, "digest": digest},
            "counted": row.get("came", 0),
            "counted_at": now,
        }
        await self._rows.update_one(same, {"$set": note})

    async def answered(
        self,
        session: Session,
        row: Document,
        answer: str,
        size: int,
        again_at: datetime | None = None,
    ) -> bool:
        """Note an answer, unless another statement came meanwhile.

        After `resend` the statement is looked at again once some of its events have come, and they
        are asked for again at `again_at`.
        """
        attempts = int(row.get("attempts", 0)) + 1
        note: Document = {"$set": {"answer": answer, "looked_at": size, "attempts": attempts}}
        if again_at is None:
            note["$unset"] = dict.fromkeys(_ASKING, "")
        else:
            note["$set"]["again_at"] = again_at
            note["$inc"] = {"requests": 1}
        same = {
            "_id": row["_id"],
            "event_id": row["event_id"],
            "attempts": row.get("attempts"),  # else another process answered it meanwhile
        }
        result = await self._rows.update_one(same, note, session=session)
        return result.matched_count == 1

    async def gave_up(self, session: Session, row: Document) -> bool:
        """Note that asking again does not help, unless another statement came meanwhile."""
        same = {"_id": row["_id"], "event_id": row["event_id"]}
        note: Document = {"$set": {"stays_different": True}, "$unset": {"again_at": ""}}
        result = await self._rows.update_one(same, note, session=session)
        return result.matched_count == 1

    async def staying_different(self) -> int:
        """Count the statements of which asking again did not help."""
        return await self._rows.count_documents({"stays_different": True})

    async def looked(self, row: Document, size: int) -> None:
        """Note that a statement still differs at a log's size."""
        same = {"_id": row["_id"], "event_id": row["event_id"]}
        await self._rows.update_one(same, {"$set": {"looked_at": size}})

    async def overdue(self, now: datetime, most: int) -> list[Document]:
        """Give what should have been closed, and for which no alarm was raised."""
        query: Document = {"open": True, "due_at": {"$lt": now}, "alarmed": {"$exists": False}}
        return await self._rows.find(query).limit(most).to_list()

    async def alarmed(self, session: Session, row_id: str) -> None:
        """Note that an alarm was raised."""
        await self._rows.update_one({"_id": row_id}, {"$set": {"alarmed": True}}, session=session)

    async def of_message(self, log: str, message_id: str) -> list[Document]:
        """Give the rows of a message."""
        return await self._rows.find({"log": log, "message_id": message_id}).to_list()

    async def of(self, session: Session, log: str, message_ids: Sequence[str]) -> list[Document]:
        """Give every row of some messages, for whoever checks them."""
        query: Document = {"log": log, "message_id": {"$in": list(message_ids)}}
        return await self._rows.find(query, session=session).to_list()

    async def ids(self, log: str) -> set[str]:
        """Give the ids of the messages that rows of a log name, by their own ids or by `log`."""
        own: list[Document] = [{"_id": ids_of(log)}, {"log": log}]
        return {str(row.get("message_id")) async for row in self._rows.find({"$or": own})}


_ASKING = (
    *("ask", "requests", "again_at", "stays_different"),
    *("seen", "came", "counted", "counted_at"),
)
"""What a row has while its statement differs."""


def has_come(row: Document) -> bool:
    """Tell whether events of a statement's message came since it was counted."""
    return row.get("came", 0) != row.get("counted", 0)


def _id(log: str, kind: MessageType, message_id: str, release: str | None) -> str:
    return f"{log}|{kind}|{message_id}|{release or ''}"
