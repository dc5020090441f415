"""How far the database knows its own topics, and what a restored one read back from them.

Collections `history` (marks, and the doubt while there is one), `restored_events`,
`restored_messages` and `restored_verdicts`. The last three are filled by a recovery; events go as
their message is planned anew, verdicts answer for the records that are read again.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Collection as Some
from dataclasses import dataclass
from datetime import datetime

from bson import Binary
from pymongo import ReplaceOne, UpdateOne

from services.dispatcher.domain.message import MessageKey
from services.dispatcher.domain.restoring import key_of
from shared.contracts import Event, MessageClosed, MessagePlanned, Send, Verdict
from shared.contracts.base import Channel
from shared.mongo import Collection, Database, Document, Session
from shared.records import Partition, Positions, Record

_MARKS, _DOUBT = "marks", "doubt"


@dataclass(frozen=True, slots=True)
class Marker:
    """A message that was seen on `bin.sends` beyond what the restored database knew."""

    revision: int
    """The last planned event that was published; 0 where none was: then nothing was attempted."""

    closed: int
    digest: str | None
    closed_at: datetime | None


class Restored:
    """The collections."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._history = database["history"]
        self._events = database["restored_events"]
        self._messages = database["restored_messages"]
        self._verdicts = database["restored_verdicts"]
        self._sends = database["sends"]
        self._rows = database["messages"]
        self._closings = database["closings"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._events.create_index([("message", 1), ("channel", 1), ("recipient", 1)])
        await self._events.create_index([("send", 1), ("seq", 1)])
        await self._events.create_index([("message", 1), ("members", 1)])

    # ---- marks and doubt

    async def marks(self) -> Positions:
        """Give up to where the database is known to know its own topics."""
        row = await self._history.find_one({"_id": _MARKS})
        found: dict[str, int] = {} if row is None else row["ends"]
        return {_partition(name): end for name, end in found.items()}

    async def mark(self, ends: Positions, session: Session | None = None) -> None:
        """Raise the marks; several processes may at once."""
        raised = {f"ends.{_name(partition)}": end for partition, end in ends.items()}
        await self._history.update_one(
            {"_id": _MARKS}, {"$max": raised}, upsert=True, session=session
        )

    async def doubt(self) -> str | None:
        """Give why nothing may be sent, if so."""
        row = await self._history.find_one({"_id": _DOUBT})
        return None if row is None else str(row["why"])

    async def set_doubt(self, why: str, at: datetime) -> None:
        """Hold everything, in every process, until a recovery."""
        await self._history.update_one(
            {"_id": _DOUBT}, {"$setOnInsert": {"why": why, "at": at}}, upsert=True
        )

    async def settle_doubt(self, session: Session, ends: Positions) -> None:
        """Let everything go on: the topics are known up to these ends."""
        await self.mark(ends, session)
        await self._history.delete_one({"_id": _DOUBT}, session=session)

    # ---- what the database knows

    async def knows_sends(self, events: Sequence[Send]) -> bool:
        """Tell whether the ledger has all these events."""
        last: dict[str, int] = {}
        for event in events:
            last[event.send_id] = max(event.seq, last.get(event.send_id, 0))
        found = self._sends.find({"_id": {"$in": list(last)}}, {"seq": 1})
        known = {row["_id"]: int(row["seq"]) async for row in found}
        return all(known.get(send_id, 0) >= seq for send_id, seq in last.items())

    async def knows_plan(self, planned: MessagePlanned) -> bool:
        """Tell whether a plan was made by this database."""
        found = await self._rows.find_one(
            {"_id": str(_key(planned)), "plan.revision": {"$gte": planned.revision}}, {"_id": 1}
        )
        return found is not None

    async def knows_closing(self, closed: MessageClosed) -> bool:
        """Tell whether a closing statement was made by this database."""
        found = await self._closings.find_one(
            {"_id": str(_key(closed)), "revision": {"$gte": closed.revision}}, {"_id": 1}
        )
        return found is not None

    # ---- what a recovery keeps

    async def keep(self, events: Sequence[Event]) -> None:
        """Keep what our own topics say, until it is put into the ledger; again is the same."""
        sends = [event for event in events if isinstance(event, Send)]
        await _write(self._events, [_kept_event(event) for event in sends])
        verdicts = [event for event in events if isinstance(event, Verdict)]
        await _write(self._verdicts, [_kept_verdict(verdict) for verdict in verdicts])
        seen = dict.fromkeys(str(key_of(event)) for event in sends)
        marks: list[UpdateOne] = [_marked(key, {}) for key in seen]
        for event in events:
            if isinstance(event, MessagePlanned):
                marks.append(_marked(str(_key(event)), {"revision": event.revision}))
            elif isinstance(event, MessageClosed):
                values = {"closed": event.revision, "closed_at": event.closed_at}
                marks.append(_marked(str(_key(event)), values, digest=event.digest))
        if marks:
            await self._messages.bulk_write(marks)

    async def markers(self) -> AsyncIterator[tuple[str, Marker]]:
        """Give every message that was seen."""
        async for row in self._messages.find():
            yield row["_id"], _marker(row)

    async def marker(self, key: MessageKey) -> Marker | None:
        """Give one message's, if it was seen."""
        row = await self._messages.find_one({"_id": str(key)})
        return None if row is None else _marker(row)

    async def by_send(self) -> AsyncIterator[list[tuple[Send, Document]]]:
        """Give all kept events, send by send, in order, each with what the ledger stores of it."""
        group: list[tuple[Send, Document]] = []
        async for row in self._events.find().sort([("send", 1), ("seq", 1)]):
            if group and group[0][0].send_id != row["send"]:
                yield group
                group = []
            group.append(_event(row))
        if group:
            yield group

    async def of_message(
        self, key: MessageKey, after: str | None, limit: int
    ) -> dict[str, list[tuple[Send, Document]]]:
        """Give the kept events of up to `limit` sends of a message, beginning after one."""
        query: Document = {"message": str(key)}
        if after is not None:
            query["send"] = {"$gt": after}
        found: dict[str, list[tuple[Send, Document]]] = {}
        async for row in self._events.find(query).sort([("send", 1), ("seq", 1)]):
            if row["send"] not in found and len(found) == limit:
                break
            found.setdefault(row["send"], []).append(_event(row))
        return found

    async def matching(
        self,
        key: MessageKey,
        channel: Channel,
        recipients: Some[str],
        member_ids: Some[str],
    ) -> list[tuple[Send, Document]]:
        """Give the kept events of a message that went to one of these, or concern these members."""
        query: Document = {
            "message": str(key),
            "channel": str(channel),
            "$or": [
                {"recipient": {"$in": list(recipients)}},
                {"members": {"$in": list(member_ids)}},
            ],
        }
        found = self._events.find(query).sort([("send", 1), ("seq", 1)])
        return [_event(row) async for row in found]

    async def years(self, key: MessageKey) -> list[int]:
        """Give the years whose pseudonym keys the events of a message used."""
        found: list[int] = await self._events.distinct("year", {"message": str(key)})
        return sorted(found)

    async def done(self, send_ids: Some[str]) -> None:
        """Forget the events of sends that the ledger has now."""
        await self._events.delete_many({"send": {"$in": list(send_ids)}})

    async def left(self) -> list[str]:
        """Give the messages of which the ledger still lacks sends."""
        found: list[str] = await self._events.distinct("message")
        return found

    async def verdicts(
        self, session: Session, records: Sequence[Record]
    ) -> dict[tuple[Partition, int], Verdict]:
        """Take out the verdicts that these records got before the database was restored.

        Each answers once: a record that an operator replays later is judged anew.
        """
        ids = {_position(r.topic, r.partition, r.offset): (r.source, r.offset) for r in records}
        found = self._verdicts.find({"_id": {"$in": list(ids)}}, session=session)
        rows = await found.to_list()
        if rows:
            done = [row["_id"] for row in rows]
            await self._verdicts.delete_many({"_id": {"$in": done}}, session=session)
        return {ids[row["_id"]]: Verdict.from_json(bytes(row["value"])) for row in rows}


def _name(partition: Partition) -> str:
    return f"{partition.topic.replace('.', ':')}|{partition.number}"  # a dot would be a path


def _partition(name: str) -> Partition:
    topic, _, number = name.partition("|")
    return Partition(topic.replace(":", "."), int(number))


def _position(topic: str, partition: int, offset: int) -> str:
    return f"{topic}|{partition}|{offset}"


def _key(event: MessagePlanned | MessageClosed) -> MessageKey:
    return MessageKey(event.zone_id, event.message_type, event.message_id, event.release)


def _kept_event(event: Send) -> Document:
    return {
        "_id": event.event_id,
        "send": event.send_id,
        "seq": event.seq,
        "message": str(key_of(event)),
        "channel": str(event.channel),
        "recipient": event.recipient,
        "year": event.recipient_year,
        "members": list(event.member_ids),
        "at": event.time,
        "value": Binary(event.to_json()),
    }


def _kept_verdict(verdict: Verdict) -> Document:
    original = verdict.original
    return {
        "_id": _position(original.topic, original.partition, original.offset),
        "value": Binary(verdict.to_json()),
    }


def _marked(key: str, values: Document, *, digest: str | None = None) -> UpdateOne:
    update: Document = {"$max": {"revision": 0, "closed": 0, **values}}
    if digest is not None:
        update["$set"] = {"digest": digest}  # read in order, so the last one stays
    return UpdateOne({"_id": key}, update, upsert=True)


def _marker(row: Document) -> Marker:
    return Marker(int(row["revision"]), int(row["closed"]), row.get("digest"), row.get("closed_at"))


def _event(row: Document) -> tuple[Send, Document]:
    stored = {"id": row["_id"], "seq": row["seq"], "at": row["at"], "value": row["value"]}
    return Send.from_json(bytes(row["value"])), stored


async def _write(rows: Collection, documents: Sequence[Document]) -> None:
    writes = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents]
    if writes:
        await rows.bulk_write(writes, ordered=False)
