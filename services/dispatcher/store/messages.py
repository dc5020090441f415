"""The messages to send, and how far each is planned. Collection `messages`, one row per message.

    judged ─▶ planning ─▶ planned ─▶ open
                 ▲                    │
                 └── planned again ◀──┘  (the copy was behind; an all-clear waits for attempts)

`planned` is stored but not acknowledged by Kafka yet; `open` has its event on the topic, so its
sends may go out. What became of the sends is the ledger's matter.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pymongo import ReturnDocument

from services.dispatcher.domain.audience import Counts
from services.dispatcher.domain.message import Content, Message, MessageKey, Thread
from services.dispatcher.domain.notices import Recipient
from services.dispatcher.domain.permission import turn
from shared.contracts.base import AlertKind, Channel, Lane, MessageType, Status
from shared.failures import Fenced
from shared.kafka import Partition, Positions
from shared.mongo import Database, Document, Session

_LEASE = timedelta(seconds=30)
"""How long a planner may be silent; it renews with every page."""


_NO_CONTENT: Document = {"body": {}, "subject": {}, "attachment": None}


class PlanState(StrEnum):
    """How far a message is planned."""

    JUDGED = "judged"
    PLANNING = "planning"
    PLANNED = "planned"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Work:
    """A message in the hands of one planner, and how far the plan went."""

    message: Message
    state: PlanState
    fence: str
    revision: int
    behind: bool
    """Whether the copy was behind at judging, so that this plan is to be completed later."""

    stage: int
    """Which part of the audience is being planned (an all-clear's has one, an alert's two)."""

    after: str | None
    """The last destination of the stage that is in the ledger."""

    counts: Counts
    planned_at: datetime | None
    """When the last send came into the ledger."""

    recipient: Recipient | None
    """Whom a notice is for."""

    restored: bool | None = None
    """Where a restored database forgot the plan: whether its sends may have been attempted."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A planned message that is to be planned again, and what it waits for."""

    message: Message
    revision: int
    ends: Positions
    """Where the copy must have got to; empty where it waits for attempts to be resolved."""


class Messages:
    """The rows of the messages, and the markers of the alerts that were ended."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._rows = database["messages"]
        self._ended = database["ended_alerts"]
        self._restored = database["restored_messages"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index(
            [("lane", 1), ("accepted_at", 1)],
            name="to_plan",
            partialFilterExpression={"to_plan": True},
        )
        await self._rows.create_index(
            [("again", 1)], name="again", partialFilterExpression={"again": True}
        )
        await self._rows.create_index([("zone_id", 1), ("references", 1)], name="thread")
        await self._rows.create_index(
            "recipient.member_id",
            name="notices_to",
            partialFilterExpression={"recipient.member_id": {"$type": "string"}},
        )
        await self._rows.create_index(
            [("zone_id", 1), ("accepted_at", -1), ("_id", -1)], name="newest"
        )

    # ---- judging

    async def add(
        self,
        session: Session,
        message: Message,
        *,
        behind: Positions | None = None,
        recipient: Recipient | None = None,
    ) -> None:
        """Store an accepted message for its planner; again is the same message.

        `behind` is where the copy should have been and was not.
        """
        row = {
            **_document(message),
            "state": PlanState.JUDGED,
            "to_plan": True,
            "sendable": False,
            "planned_acked": False,
            "plan": _plan(1),
            "ends": [[*partition, end] for partition, end in (behind or {}).items()],
            "again": False,
            "fence": None,
            "until": None,
            "watched": message.lane is not Lane.WARM,
            "recipient": None if recipient is None else recipient.to_row(),
        }
        seen = await self._restored.find_one({"_id": str(message.key)}, session=session)
        if seen is not None:  # planned once before the database was restored
            row |= {
                "plan": _plan(seen["revision"] + 1),
                "restored": seen["revision"] > 0,
                "watched": True,
            }
        await self._rows.update_one(
            {"_id": str(message.key)}, {"$setOnInsert": row}, upsert=True, session=session
        )

    async def end(self, session: Session, thread: Thread, at: datetime) -> None:
        """Mark a thread, seen or not, as ended: nothing of it is attempted any more."""
        await self._ended.update_one(
            {"_id": _marker(thread)},
            {"$setOnInsert": {"at": at}},
            upsert=True,
            session=session,
        )

    async def end_content(self, key: MessageKey) -> None:
        """Drop what a message says; that there was one stays."""
        await self._rows.update_one({"_id": str(key)}, {"$set": {"content": _NO_CONTENT}})

    async def erase(self, session: Session, member_ids: Collection[str]) -> None:
        """Drop what notices say to these people: their own links are in it."""
        await self._rows.update_many(
            {"recipient.member_id": {"$in": list(member_ids)}},
            {"$set": {"content": _NO_CONTENT}},
            session=session,
        )

    # ---- reading

    async def get(self, key: MessageKey, session: Session | None = None) -> Message | None:
        """Give a message."""
        row = await self._rows.find_one({"_id": str(key)}, session=session)
        return None if row is None else message_of(row)

    async def ended(self, threads: Collection[Thread]) -> set[Thread]:
        """Tell which of these threads have an all-clear."""
        by_marker = {_marker(thread): thread for thread in threads}
        rows = self._ended.find({"_id": {"$in": list(by_marker)}}, {"_id": 1})
        return {by_marker[row["_id"]] async for row in rows}

    async def thread(self, thread: Thread) -> list[Message]:
        """Give an alert and its updates as far as they are known, in the order that counts.

        The alert comes first even where it was read after its update.
        """
        first = str(MessageKey(thread.zone_id, MessageType.ALERT, thread.alert_id))
        update = {
            "zone_id": thread.zone_id,
            "references": thread.alert_id,
            "message_type": str(MessageType.ALERT),
            "kind": str(AlertKind.UPDATE),
        }
        rows = self._rows.find({"status": str(thread.status), "$or": [{"_id": first}, update]})
        return sorted([message_of(row) async for row in rows], key=turn)

    # ---- planning

    async def take(self, lane: Lane, fence: str, former: Collection[str] = ()) -> Work | None:
        """Take the oldest message of a lane that nobody is planning, under a lease.

        `former` are fences of the caller's own under which nothing goes on any more.
        """
        free: Document = {
            "$or": [
                {"until": None},
                {"$expr": {"$lt": ["$until", "$$NOW"]}},
                {"fence": {"$in": list(former)}},
            ]
        }
        row = await self._rows.find_one_and_update(
            {"to_plan": True, "lane": str(lane), **free},
            [{"$set": {"fence": fence, "until": _until()}}],
            sort=[("accepted_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if row is None else _work(row, fence)

    async def proceed(self, work: Work, stage: int, after: str | None, counts: Counts) -> None:
        """Store how far a plan went, and renew the lease. Raises `Fenced` where it was lost."""
        await self._set(
            work,
            {
                "state": str(PlanState.PLANNING),
                "plan.stage": stage,
                "plan.after": {"$literal": after},
                "plan.counts": {"$literal": _counts_row(counts)},
                "until": _until(),
            },
        )

    async def dress(self, work: Work, content: Content) -> None:
        """Store the content that the planner completed (a member's own link in a notice)."""
        await self._set(work, {"content": {"$literal": _content_row(content)}})

    async def planned(self, work: Work, counts: Counts, at: datetime) -> Work:
        """Store that all sends are in the ledger. The event goes out next."""
        await self._set(
            work,
            {
                "state": str(PlanState.PLANNED),
                "plan.counts": {"$literal": _counts_row(counts)},
                "plan.at": at,
            },
        )
        return replace(work, state=PlanState.PLANNED, counts=counts, planned_at=at)

    async def opened(self, work: Work, *, again: bool) -> None:
        """Store that Kafka has the planned event and the sends may go; `again`: plan once more."""
        await self._set(
            work,
            {
                "state": str(PlanState.OPEN),
                "plan.after": None,  # a destination, which nobody needs any more
                "to_plan": False,
                "sendable": True,
                "planned_acked": True,
                "again": again,
                "fence": None,
                "until": None,
                "restored": None,
            },
        )

    async def give_back(self, work: Work, pause: timedelta) -> None:
        """Leave a message that cannot be planned now to whoever comes after `pause`."""
        await self._rows.update_one(
            {"_id": str(work.message.key), "fence": work.fence},
            [{"$set": {"fence": None, "until": _until(pause)}}],
        )

    async def _set(self, work: Work, changes: Mapping[str, object]) -> None:
        result = await self._rows.update_one(
            {"_id": str(work.message.key), "fence": work.fence}, [{"$set": dict(changes)}]
        )
        if result.matched_count == 0:
            raise Fenced(str(work.message.key.message_type))

    async def plan_restored(self, key: str, seen: int) -> None:
        """Have a message planned anew that a restored database knows less of than its topics.

        `seen`: the last revision of its plan that was published.
        """
        row = await self._rows.find_one({"_id": key}, {"plan": 1, "planned_acked": 1})
        if row is None:
            return  # its record is read again, and says so then
        revision = max(seen, int(row["plan"]["revision"]))
        await self._rows.update_one(
            {"_id": key},
            {
                "$set": {
                    "state": str(PlanState.JUDGED),
                    "to_plan": True,
                    "again": False,
                    "ends": [],
                    "plan": _plan(revision + 1),
                    "fence": None,
                    "until": None,
                    "restored": bool(seen or row["planned_acked"]),
                }
            },
        )

    async def open_revision(self, key: MessageKey) -> int | None:
        """Give the revision of a plan whose sends may go; None while it is being made."""
        row = await self._rows.find_one(
            {"_id": str(key), "state": str(PlanState.OPEN)}, {"plan.revision": 1}
        )
        return None if row is None else int(row["plan"]["revision"])

    async def revision(self, key: str) -> int | None:
        """Give the revision of a message's plan; None where the message is not there."""
        row = await self._rows.find_one({"_id": key}, {"plan.revision": 1})
        return None if row is None else int(row["plan"]["revision"])

    # ---- planning again

    async def waiting(self) -> list[Waiting]:
        """Give the messages that are to be planned again once what they wait for is there."""
        rows = self._rows.find({"again": True}).limit(100)
        return [
            Waiting(message_of(row), int(row["plan"]["revision"]), _ends(row)) async for row in rows
        ]

    async def reopen(self, waiting: Waiting) -> None:
        """Have a message planned again, as the next revision."""
        await self._rows.update_one(
            {
                "_id": str(waiting.message.key),
                "again": True,
                "plan.revision": waiting.revision,
            },
            {
                "$set": {
                    "state": str(PlanState.JUDGED),
                    "to_plan": True,
                    "again": False,
                    "ends": [],
                    "plan": _plan(waiting.revision + 1),
                }
            },
        )

    async def abandon(self, waiting: Waiting) -> None:
        """Leave a plan as it is: the message has expired."""
        await self._rows.update_one(
            {"_id": str(waiting.message.key), "plan.revision": waiting.revision},
            {"$set": {"again": False}},
        )


def _until(length: timedelta = _LEASE) -> Document:
    return {"$add": ["$$NOW", int(length.total_seconds() * 1000)]}


def _plan(revision: int) -> Document:
    return {
        "revision": revision,
        "stage": 0,
        "after": None,
        "counts": _counts_row(Counts()),
        "at": None,
    }


def _counts_row(counts: Counts) -> Document:
    return {
        "people": counts.people,
        "unreachable": counts.unreachable,
        "unresolved": counts.unresolved,
        "sends": {str(channel): count for channel, count in counts.sends.items()},
    }


def _counts(row: Document) -> Counts:
    sends = {Channel(channel): int(count) for channel, count in row["sends"].items()}
    return Counts(int(row["people"]), int(row["unreachable"]), sends, int(row["unresolved"]))


def _ends(row: Document) -> Positions:
    return {Partition(topic, number): int(end) for topic, number, end in row["ends"]}


def _work(row: Document, fence: str) -> Work:
    plan = row["plan"]
    recipient = row["recipient"]
    return Work(
        message=message_of(row),
        state=PlanState(row["state"]),
        fence=fence,
        revision=int(plan["revision"]),
        behind=bool(row["ends"]),
        stage=int(plan["stage"]),
        after=plan["after"],
        counts=_counts(plan["counts"]),
        planned_at=plan["at"],
        recipient=None if recipient is None else Recipient.of_row(recipient),
        restored=row.get("restored"),
    )


def _content_row(content: Content) -> Document:
    return {
        "body": dict(content.body),
        "subject": dict(content.subject),
        "attachment": content.attachment,
    }


def _document(message: Message) -> Document:
    key = message.key
    return {
        "zone_id": key.zone_id,
        "message_type": str(key.message_type),
        "message_id": key.message_id,
        "release": key.release,
        "lane": str(message.lane),
        "status": str(message.status),
        "kind": message.kind,
        "references": message.references,
        "network_ids": list(message.network_ids),
        "content": _content_row(message.content),
        "template": message.template,
        "issued_at": message.issued_at,
        "accepted_at": message.accepted_at,
        "expires_at": message.expires_at,
        "legal_basis": message.legal_basis,
        # pairs, not a document: a network's id may hold a dot
        "house_rules": [list(pair) for pair in message.house_rules.items()],
        "communication_plan": [list(pair) for pair in message.communication_plan.items()],
    }


def message_of(row: Document) -> Message:
    """Give the message that a row holds."""
    content = row["content"]
    return Message(
        key=MessageKey(
            row["zone_id"], MessageType(row["message_type"]), row["message_id"], row["release"]
        ),
        lane=Lane(row["lane"]),
        status=Status(row["status"]),
        kind=row["kind"],
        references=row["references"],
        network_ids=tuple(row["network_ids"]),
        content=Content(
            body=content["body"], subject=content["subject"], attachment=content["attachment"]
        ),
        template=row["template"],
        issued_at=row["issued_at"],
        accepted_at=row["accepted_at"],
        expires_at=row["expires_at"],
        legal_basis=row["legal_basis"],
        house_rules=dict(row["house_rules"]),
        communication_plan=dict(row["communication_plan"]),
    )


def _marker(thread: Thread) -> str:
    return f"{thread.zone_id}|{thread.alert_id}|{thread.status}"
