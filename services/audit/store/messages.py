"""The messages that auditors list: collection `messages`. What was said stands in the log."""

from collections.abc import Sequence

from pymongo import UpdateOne

from services.audit.store.blocks import ids_of
from shared.contracts import Bulletin, Verdict
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import VerdictKind
from shared.mongo import Database, Document, Session


class Messages:
    """One row per message id, type and log."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["messages"]

    async def prepare(self) -> None:
        """Create the index of the list."""
        await self._rows.create_index([("log", 1), ("first", -1)])
        await self._rows.create_index([("log", 1), ("message_id", 1)])

    async def take(
        self, session: Session, log: str, events: Sequence[tuple[int, Verdict | Bulletin]]
    ) -> None:
        """Take verdicts and releases in, each with its index, in the order of the log.

        Only an accepted verdict replaces another. A coordinator's own bulletin has none.
        """
        ordered = sorted(events, key=lambda item: item[0])
        made = [_write(log, index, event) for index, event in ordered]
        writes = [write for write in made if write is not None]
        if writes:
            await self._rows.bulk_write(writes, session=session)

    async def page(self, log: str, below: int | None, most: int) -> list[Document]:
        """List messages, the newest first, whose first entry is below an index."""
        query: Document = {"log": log}
        if below is not None:
            query["first"] = {"$lt": below}
        return await self._rows.find(query).sort("first", -1).limit(most).to_list()

    async def of(self, session: Session, log: str, message_ids: Sequence[str]) -> list[Document]:
        """Give every row of some messages, for whoever checks them."""
        query: Document = {"log": log, "message_id": {"$in": list(message_ids)}}
        return await self._rows.find(query, session=session).to_list()

    async def ids(self, log: str) -> set[str]:
        """Give the ids of the messages that rows of a log name, by their own ids or by `log`."""
        own: list[Document] = [{"_id": ids_of(log)}, {"log": log}]
        return {str(row.get("message_id")) async for row in self._rows.find({"$or": own})}

    async def named(self, log: str, message_id: str) -> list[Document]:
        """Give what bears an id, by its first entry: of each type of message one row at most."""
        rows = self._rows.find({"log": log, "message_id": message_id})
        return await rows.sort("first", 1).to_list()


def _write(log: str, index: int, event: Verdict | Bulletin) -> UpdateOne | None:
    if isinstance(event, Bulletin):
        return _released(log, index, event)
    return None if event.message_id is None else _judged(log, index, event, event.message_id)


def _judged(log: str, index: int, verdict: Verdict, message_id: str) -> UpdateOne:
    known: Document = {
        "kind": verdict.kind,
        "status": verdict.status,
        "references": verdict.references,
        "network_ids": list(verdict.network_ids),
        "verdict": verdict.verdict.value,
        "reason": verdict.reason,
        "people": verdict.people,
        "signer": verdict.signer,
        "approver": verdict.approver,
        "judged_at": verdict.judged_at,
        "expires_at": verdict.expires_at,
    }
    key = _key(log, verdict.message_type, message_id, index)
    if verdict.verdict is VerdictKind.ACCEPTED:
        change: Document = {"$set": known, "$setOnInsert": key}
    else:
        change = {"$setOnInsert": {**known, **key}}
    return UpdateOne({"_id": _id(log, verdict.message_type, message_id)}, change, upsert=True)


def _released(log: str, index: int, bulletin: Bulletin) -> UpdateOne:
    return UpdateOne(
        {"_id": _id(log, MessageType.BULLETIN, bulletin.bulletin_id)},
        {
            "$addToSet": {"released_to": bulletin.network_id},
            "$setOnInsert": {
                **_key(log, MessageType.BULLETIN, bulletin.bulletin_id, index),
                "kind": bulletin.kind.value,
                "status": bulletin.status.value,
                "references": bulletin.references,
                "network_ids": [bulletin.network_id],
                "expires_at": bulletin.expires_at,
            },
        },
        upsert=True,
    )


def _id(log: str, kind: MessageType, message_id: str) -> str:
    return f"{log}|{kind}|{message_id}"


def _key(log: str, kind: MessageType, message_id: str, index: int) -> Document:
    return {"log": log, "message_type": kind.value, "message_id": message_id, "first": index}
