"""Which messages are closed, with what statement, and whether the audit service agreed.

Collection `closings`: the ledger opens a row when a message may be sent, and again whenever one of
its sends changes (`stamp` counts that, so that no change slips past a closing under way).
"""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.dispatcher.domain.events import EventIds
from services.dispatcher.domain.message import Message, MessageKey
from shared.contracts.base import MessageType, SendState
from shared.mongo import Database, Document, Session

_MOST = 50
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Closing:
    """A message on its way to its closing statement. `revision` 0: there is none yet."""

    key: MessageKey
    revision: int
    stamp: int
    accepted_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    digest: str | None
    looks: int
    again: bool
    """Whether a new revision is owed although nothing changed: the events were sent again."""


class Closings:
    """The rows."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._rows = database["closings"]
        self._sends = database["sends"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index(
            "look_at", name="open", partialFilterExpression={"open": True}
        )
        await self._rows.create_index(
            "expires_at", name="over", partialFilterExpression={"expired": False}
        )
        await self._rows.create_index(
            "drop", name="to_drop", partialFilterExpression={"drop": True}
        )
        await self._rows.create_index(
            "closed_at", name="with_destinations", partialFilterExpression={"destinations": True}
        )
        await self._rows.create_index([("zone", 1), ("message_id", 1)], name="message")

    async def open(self, message: Message, revision: int, now: datetime) -> None:
        """Have a message's closing looked at, since its sends go free."""
        await self._rows.update_one(
            {"_id": str(message.key)},
            {
                "$set": {"open": True, "planned": revision, "look_at": now},
                "$inc": {"stamp": 1},
                "$setOnInsert": _first(message),
            },
            upsert=True,
        )

    async def reopen(
        self, messages: Collection[str], now: datetime, session: Session | None = None
    ) -> None:
        """Have closing statements looked at again: something about these messages changed."""
        await self._rows.update_many(
            {"_id": {"$in": list(messages)}},
            {"$set": {"open": True, "look_at": now}, "$inc": {"stamp": 1}},
            session=session,
        )

    async def due(self, now: datetime) -> list[Closing]:
        """Give the open ones that are to be looked at."""
        found = self._rows.find({"open": True, "look_at": {"$lte": now}})
        return [_closing(row) async for row in found.sort("look_at", 1).limit(_MOST)]

    async def look_at(self, closing: Closing, at: datetime) -> None:
        """Look again later, unless something changes before."""
        await self._rows.update_one(
            {"_id": str(closing.key), "stamp": closing.stamp},
            {"$set": {"look_at": at}, "$inc": {"looks": 1}},
        )

    async def close(
        self, session: Session, closing: Closing, now: datetime, digest: str, states: Document
    ) -> bool:
        """Store a revision; False where something changed meanwhile."""
        result = await self._rows.update_one(
            {"_id": str(closing.key), "stamp": closing.stamp, "revision": closing.revision},
            {
                "$set": {
                    "open": False,
                    "revision": closing.revision + 1,
                    "closed_at": now,
                    "digest": digest,
                    "states": states,
                    "looks": 0,
                    "again": False,
                    "destinations": True,
                }
            },
            session=session,
        )
        return result.matched_count == 1

    async def leave(self, closing: Closing) -> None:
        """Close without a new revision: nothing in the statement changed."""
        await self._rows.update_one(
            {"_id": str(closing.key), "stamp": closing.stamp},
            {"$set": {"open": False, "looks": 0}},
        )

    async def over(self, now: datetime) -> list[Closing]:
        """Give the messages whose life is over and whose planned sends have not been expired."""
        found = self._rows.find({"expired": False, "expires_at": {"$lte": now}})
        return [_closing(row) async for row in found.limit(_MOST)]

    async def expired(self, closing: Closing) -> None:
        """Note that nothing of a message is planned any more."""
        await self._rows.update_one(
            {"_id": str(closing.key), "stamp": closing.stamp}, {"$set": {"expired": True}}
        )

    async def agreed(
        self, session: Session, zone_id: str, message_id: str, release: str | None, revision: int
    ) -> None:
        """Note that the audit service has what a revision says; older revisions are ignored."""
        await self._rows.update_one(
            {
                "zone": zone_id,
                "message_id": message_id,
                "release": release,
                "revision": revision,
            },
            {"$set": {"agreed": revision, "drop": True}},
            session=session,
        )

    async def resend(
        self,
        session: Session,
        zone_id: str,
        message_id: str,
        release: str | None,
        now: datetime,
    ) -> None:
        """Note that the events are to be published again, and a new revision after them."""
        await self._rows.update_one(
            {"zone": zone_id, "message_id": message_id, "release": release},
            {
                "$set": {"resend": True, "again": True, "open": True, "look_at": now},
                "$inc": {"stamp": 1},
            },
            session=session,
        )

    async def to_resend(self) -> list[Closing]:
        """Give the messages whose events are to be published again."""
        found = self._rows.find({"resend": True, "open": True}).hint("open")
        return [_closing(row) async for row in found.limit(_MOST)]

    async def resent(self, closing: Closing) -> None:
        """Note that the events are marked for publishing."""
        await self._rows.update_one({"_id": str(closing.key)}, {"$unset": {"resend": ""}})

    async def to_drop(self) -> list[Closing]:
        """Give the agreed ones, nothing of which changed since, whose bytes may go."""
        found = self._rows.find(
            {"drop": True, "open": False, "$expr": {"$eq": ["$agreed", "$revision"]}}
        )
        return [_closing(row) async for row in found.limit(_MOST)]

    async def dropped(self, closing: Closing) -> None:
        """Note that the bytes are gone."""
        await self._rows.update_one(
            {"_id": str(closing.key), "revision": closing.revision}, {"$unset": {"drop": ""}}
        )

    async def with_destinations(self, until: datetime) -> list[Closing]:
        """Give the messages that were closed by then, and whose destinations are still kept."""
        found = self._rows.find(
            {"destinations": True, "closed_at": {"$lte": until}, "open": False}
        ).hint("with_destinations")
        return [_closing(row) async for row in found.limit(_MOST)]

    async def without_destinations(self, closing: Closing) -> None:
        """Note that they are gone."""
        await self._rows.update_one(
            {"_id": str(closing.key), "stamp": closing.stamp}, {"$unset": {"destinations": ""}}
        )

    async def restore(
        self, message: Message, revision: int, digest: str | None, closed_at: datetime | None
    ) -> None:
        """Take over a closing statement that the database forgot: the next one comes after it."""
        key = message.key
        first: Document = _first(message) | {"open": False, "stamp": 0}
        await self._rows.update_one({"_id": str(key)}, {"$setOnInsert": first}, upsert=True)
        await self._rows.update_one(
            {"_id": str(key), "revision": {"$lt": revision}},
            {
                "$set": {
                    "revision": revision,
                    "digest": digest,
                    "closed_at": closed_at,
                    "destinations": True,
                },
                "$inc": {"stamp": 1},
            },
        )

    async def catch_up(
        self, key: str, revision: int, digest: str | None, closed_at: datetime | None
    ) -> None:
        """Do the same where the message has its row, and have it looked at again."""
        await self._rows.update_one(
            {"_id": key, "revision": {"$lt": revision}},
            {
                "$set": {
                    "revision": revision,
                    "digest": digest,
                    "closed_at": closed_at,
                    "open": True,
                    "look_at": closed_at,
                    "destinations": True,
                },
                "$inc": {"stamp": 1},
            },
        )

    async def of_message(self, zone_id: str, message_id: str) -> list[Closing]:
        """Give the closings of a message; a bulletin has one per release."""
        found = self._rows.find({"zone": zone_id, "message_id": message_id})
        return [_closing(row) async for row in found]

    async def is_open(self, key: MessageKey) -> tuple[bool, bool]:
        """Tell whether a message has unsettled sends, and whether it has unpublished events."""
        query = {"message": str(key)}
        unsettled = await self._sends.find_one(
            {**query, "settled": False}, {"_id": 1}, hint="unsettled"
        )
        pending = await self._sends.find_one(
            {**query, "pending": True}, {"_id": 1}, hint="unpublished"
        )
        return unsettled is not None, pending is not None

    async def summary(self, key: MessageKey) -> tuple[Counter[SendState], EventIds]:
        """Give a message's sends by state, and the ids of all their events.

        In pages, and the ids in a thread: 100,000 sends take half a second, for which an alert
        must not wait.
        """
        states: Counter[SendState] = Counter()
        ids = EventIds()
        found = self._sends.find({"message": str(key)}, {"seq": 1, "state": 1}, batch_size=_PAGE)
        while page := await found.to_list(_PAGE):
            states.update(SendState(item["state"]) for item in page)
            await asyncio.to_thread(ids.add, [(item["_id"], item["seq"]) for item in page])
        return states, ids


def _closing(row: Document) -> Closing:
    return Closing(
        key=MessageKey(row["zone"], MessageType(row["type"]), row["message_id"], row["release"]),
        revision=row["revision"],
        stamp=row["stamp"],
        accepted_at=row["accepted_at"],
        expires_at=row["expires_at"],
        closed_at=row.get("closed_at"),
        digest=row.get("digest"),
        looks=row.get("looks", 0),
        again=row.get("again", False),
    )


def _first(message: Message) -> Document:
    """Give what a row begins with, besides whether it is open."""
    key = message.key
    return {
        "zone": key.zone_id,
        "type": str(key.message_type),
        "message_id": key.message_id,
        "release": key.release,
        "lane": str(message.lane),
        "accepted_at": message.accepted_at,
        "expires_at": message.expires_at,
        "revision": 0,
        "expired": False,
    }
