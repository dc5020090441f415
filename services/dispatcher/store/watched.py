"""Which warm messages are still to be looked at for coverage, and which have too little."""

from dataclasses import dataclass
from datetime import datetime

from services.dispatcher.domain.message import Message
from services.dispatcher.store.messages import message_of
from shared.contracts.base import SendState
from shared.mongo import Database, Document, Session

_NOT_OWED = (SendState.SUPPRESSED, SendState.CANCELLED, SendState.UNREACHABLE)
_MOST = 50


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a message came up to a moment."""

    owed: int
    accepted: int

    def share(self) -> float:
        """Give the share that was accepted; 1 where nobody was owed anything."""
        return self.accepted / self.owed if self.owed else 1.0


class Watched:
    """Reads collections `messages` and `sends`; sets `watched` and `alarm` of a message."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._messages = database["messages"]
        self._sends = database["sends"]

    async def prepare(self) -> None:
        """Create the indexes; both hold the messages of the last minutes only."""
        await self._messages.create_index(
            "accepted_at", name="to_watch", partialFilterExpression={"watched": False}
        )
        await self._messages.create_index(
            "expires_at", name="alarmed", partialFilterExpression={"alarm": True}
        )

    async def due(self, until: datetime) -> list[tuple[Message, bool]]:
        """Give the messages accepted before a moment, and whether each was planned by now."""
        found = self._messages.find({"watched": False, "accepted_at": {"$lte": until}})
        rows = found.sort("accepted_at", 1).limit(_MOST)
        return [(message_of(row), bool(row["planned_acked"])) async for row in rows]

    async def alarmed(self, now: datetime) -> list[Message]:
        """Give the messages below the threshold that are still worth something."""
        found = self._messages.find({"alarm": True, "expires_at": {"$gt": now}})
        return [message_of(row) async for row in found.sort("expires_at", 1).limit(_MOST)]

    async def reach(self, message: Message, until: datetime | None = None) -> Reach:
        """Count what a message owes, and what was accepted of it up to a moment, or by now."""
        query: Document = {"message": str(message.key)}
        states = [str(state) for state in _NOT_OWED]
        owed = await self._sends.count_documents({**query, "state": {"$nin": states}})
        in_time: Document = {"$ne": None} if until is None else {"$ne": None, "$lte": until}
        accepted = await self._sends.count_documents({**query, "accepted_at": in_time})
        return Reach(owed, accepted)

    async def looked_at(self, message: Message, session: Session, *, alarm: bool) -> bool:
        """Note that a message was looked at; False where another process has done so."""
        result = await self._messages.update_one(
            {"_id": str(message.key), "watched": False},
            {"$set": {"watched": True, "alarm": alarm}},
            session=session,
        )
        return result.matched_count == 1

    async def over(self, message: Message) -> None:
        """Note that a message reached its threshold after all."""
        await self._messages.update_one({"_id": str(message.key)}, {"$set": {"alarm": False}})
