"""The messages that auditors list: collection `messages`. What was said stands in the log."""

from collections.abc import Sequence

from pymongo import UpdateOne

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

    async def judge(
        self, session: Session, log: str, verdicts: Sequence[tuple[int, Verdict]]
    ) -> None:
        """Take verdicts in, each with its index. Only an accepted one replaces another."""
        writes: list[UpdateOne] = []
        for index, verdict in verdicts:
            if verdict.message_id is None:
                continue
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
            key = _key(log, verdict.message_type, verdict.message_id, index)
            if verdict.verdict is VerdictKind.ACCEPTED:
                change: Document = {"$set": known, "$setOnInsert": key}
            else:
                change = {"$setOnInsert": {**known, **key}}
            row_id = _id(log, verdict.message_type, verdict.message_id)
            writes.append(UpdateOne({"_id": row_id}, change, upsert=True))
        if writes:
            await self._rows.bulk_write(writes, session=session)

    async def release(
        self, session: Session, log: str, bulletins: Sequence[tuple[int, Bulletin]]
    ) -> None:
        """Take releases in; a coordinator's own bulletin has no verdict."""
        if not bulletins:
            return
        writes = [
            UpdateOne(
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
            for index, bulletin in bulletins
        ]
        await self._rows.bulk_write(writes, session=session)

    async def page(self, log: str, below: int | None, most: int) -> list[Document]:
        """List messages, the newest first, whose first entry is below an index."""
        query: Document = {"log": log}
        if below is not None:
            query["first"] = {"$lt": below}
        return await self._rows.find(query).sort("first", -1).limit(most).to_list()

    async def one(self, log: str, message_id: str) -> Document | None:
        """Give a message's row."""
        return await self._rows.find_one({"log": log, "message_id": message_id})


def _id(log: str, kind: MessageType, message_id: str) -> str:
    return f"{log}|{kind}|{message_id}"


def _key(log: str, kind: MessageType, message_id: str, index: int) -> Document:
    return {"log": log, "message_type": kind.value, "message_id": message_id, "first": index}
