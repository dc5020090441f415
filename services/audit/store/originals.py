"""What the police wrote, byte for byte, by position: collection `originals`.

Outsiders choose their own partitioner, so an original and the verdict on it come in any order and
perhaps to different processes. `waiting` says what a row lacks: its `verdict`, its `original`, or
only its `entry` in the log.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import Binary
from pymongo import UpdateOne

from shared.contracts import Verdict
from shared.contracts.police import APPROVAL_HEADER, SIGNATURE_HEADER
from shared.envelope import sha256
from shared.kafka import Record
from shared.mongo import Database, Document, Session

_MOST_BYTES = 1024 * 1024
"""Of a value; the police's topics take no larger one. Of one that has more, the hash is kept."""

_KEY_BYTES = 64
_HEADER_BYTES = 8 * 1024
_HEADERS = frozenset({SIGNATURE_HEADER, APPROVAL_HEADER})
_AT_ONCE_BYTES = 8 * 1024 * 1024


class Originals:
    """Originals and the verdicts on them."""

    def __init__(self, database: Database, text_kept_for: timedelta) -> None:
        """Bind to the service's database."""
        self._rows = database["originals"]
        self._text_kept_for = text_kept_for

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index([("waiting", 1), ("seen_at", 1)])
        await self._rows.create_index("text_until", sparse=True)

    async def add(self, session: Session, records: Sequence[Record], now: datetime) -> None:
        """Keep records; whatever they hold."""
        writes = {
            f"{record.topic}|{record.partition}|{record.offset}": (
                {
                    "$set": {
                        **_kept(record),
                        "sha256": sha256(record.value),
                        "text_until": now + self._text_kept_for,
                    },
                    "$setOnInsert": {"waiting": "verdict"},
                    "$min": {"seen_at": now},
                }
            )
            for record in records
        }
        await self._write(session, writes)

    async def judge(self, session: Session, log: str, verdicts: Sequence[Verdict]) -> None:
        """Join verdicts to their originals; the latest one counts."""
        writes = {
            _id(verdict): (
                {
                    "$set": {"log": log, "verdict": verdict.model_dump(mode="json")},
                    "$setOnInsert": {"waiting": "original"},
                }
            )
            for verdict in verdicts
        }
        await self._write(session, writes)

    async def _write(self, session: Session, changes: Mapping[str, Document]) -> None:
        if not changes:
            return
        await self._rows.bulk_write(
            [UpdateOne({"_id": name}, change, upsert=True) for name, change in changes.items()],
            session=session,
        )
        complete: Document = {
            "_id": {"$in": list(changes)},
            "waiting": {"$in": ["verdict", "original"]},
            "verdict": {"$exists": True},
            "seen_at": {"$exists": True},
        }
        await self._rows.update_many(complete, {"$set": {"waiting": "entry"}}, session=session)

    async def joined(self, most: int) -> list[Document]:
        """Give rows that are complete and not in the log yet: so many, or some megabytes."""
        rows: list[Document] = []
        size = 0
        async with self._rows.find({"waiting": "entry"}).limit(most) as found:
            async for row in found:
                rows.append(row)
                size += len(row.get("value", b""))
                if size > _AT_ONCE_BYTES:
                    break
        return rows

    async def logged(self, session: Session, ids: Sequence[str]) -> None:
        """Note that rows are in the log."""
        done: Document = {"$set": {"waiting": None}}
        await self._rows.update_many({"_id": {"$in": list(ids)}}, done, session=session)

    async def unjudged(self, before: datetime, most: int) -> list[Document]:
        """Give originals that nobody judged since a time, and for which no alarm was raised."""
        query: Document = {
            "waiting": "verdict",
            "seen_at": {"$lt": before},
            "alarmed": {"$exists": False},
        }
        return (
            await self._rows.find(query, {"topic": 1, "key": 1, "sha256": 1}).limit(most).to_list()
        )

    async def alarmed(self, session: Session, row_id: str) -> None:
        """Note that an alarm was raised."""
        await self._rows.update_one({"_id": row_id}, {"$set": {"alarmed": True}}, session=session)

    async def drop_texts(self, now: datetime) -> int:
        """Drop what was written once its date has come; hash and verdict stay.

        The record key goes too: whoever wrote the record chose it, so it can hold anything.
        """
        gone: dict[str, Any] = {
            "$unset": dict.fromkeys(("key", "value", "headers", "text_until"), "")
        }
        result = await self._rows.update_many({"text_until": {"$lt": now}}, gone)
        return result.modified_count


def _kept(record: Record) -> Document:
    """Give what is kept of a record, whatever it holds: an outsider chose every byte of it."""
    key = record.key or b""
    kept: Document = {
        "topic": record.topic,
        "key": key.decode(errors="replace") if len(key) <= _KEY_BYTES else "",
        "headers": [
            [name, Binary(value)]
            for name, value in record.headers
            if name in _HEADERS and len(value) <= _HEADER_BYTES
        ],
    }
    if len(record.value) <= _MOST_BYTES:
        kept["value"] = Binary(record.value)
    return kept


def _id(verdict: Verdict) -> str:
    original = verdict.original
    return f"{original.topic}|{original.partition}|{original.offset}"
