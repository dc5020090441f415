"""Figures over the sends of a message, live: computed by the database, by index."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.dispatcher.domain.message import Message, MessageKey
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.store.messages import message_of
from shared.contracts.base import SendState
from shared.mongo import Database, Document

_NOT_OWED = (SendState.SUPPRESSED, SendState.CANCELLED, SendState.UNREACHABLE)
FAILURES = (
    SendState.FAILED,
    SendState.UNDELIVERED,
    SendState.UNKNOWN,
    SendState.UNREACHABLE,
    SendState.EXPIRED,
)
"""States of those who were not reached, as far as anybody knows."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the sends of a message so far."""

    people: int
    states: Counter[SendState]
    by_network: dict[str, Counter[SendState]]
    owed: int
    """How many sends there are that should reach somebody."""

    accepted: list[tuple[datetime, int]]
    """How many were accepted when, in order of time."""

    delivered: list[tuple[datetime, int]]
    """The same of those whose receipt says that they were delivered."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A send that did not get through."""

    send_id: str
    member_ids: tuple[str, ...]
    network_ids: tuple[str, ...]
    channel: str
    state: SendState
    reason: str | None


class Coverage:
    """Reads collections `messages` and `sends`."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._messages = database["messages"]
        self._sends = database["sends"]

    async def page(
        self,
        zone_id: str | None,
        network_ids: Collection[str] | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> list[tuple[str, Message]]:
        """List messages with their row ids, newest first; None does not narrow."""
        query: Document = {} if zone_id is None else {"zone_id": zone_id}
        if network_ids is not None:
            query["network_ids"] = {"$in": sorted(network_ids)}
        if before is not None:
            at, row_id = before
            query["$or"] = [
                {"accepted_at": {"$lt": at}},
                {"accepted_at": at, "_id": {"$lt": row_id}},
            ]
        found = self._messages.find(query).sort([("accepted_at", -1), ("_id", -1)]).limit(limit)
        return [(row["_id"], message_of(row)) async for row in found]

    async def of_id(self, message_id: str) -> list[Message]:
        """Give the messages with an id: one, or one per release of a bulletin, or per zone."""
        return [message_of(row) async for row in self._messages.find({"message_id": message_id})]

    async def prepare(self) -> None:
        """Create the index that messages are found by."""
        await self._messages.create_index("message_id", name="message_id")

    async def figures(
        self, keys: Sequence[MessageKey], network_ids: Collection[str] | None
    ) -> Figures:
        """Count sends by state, by network and by time of acceptance."""
        match = _match(keys, network_ids)
        by_network: dict[str, Counter[SendState]] = defaultdict(Counter)
        states: Counter[SendState] = Counter()
        async for item in await self._sends.aggregate(
            [{"$match": match}, {"$group": {"_id": "$state", "n": {"$sum": 1}}}]
        ):
            states[SendState(item["_id"])] += item["n"]
        async for item in await self._sends.aggregate(
            [
                {"$match": match},
                {"$unwind": "$networks"},
                {"$group": {"_id": ["$networks", "$state"], "n": {"$sum": 1}}},
            ]
        ):
            network, state = item["_id"]
            if network_ids is None or network in network_ids:
                by_network[network][SendState(state)] += item["n"]
        return Figures(
            people=await self._people(match),
            states=states,
            by_network=dict(by_network),
            owed=sum(count for state, count in states.items() if state not in _NOT_OWED),
            accepted=await self._times(match, "accepted_at"),
            delivered=await self._times(match, "delivered_at"),
        )

    async def _people(self, match: Document) -> int:
        person = {"$ifNull": [{"$arrayElemAt": ["$members", 0]}, "$destination"]}
        pipeline: list[Document] = [
            {"$match": {**match, "reason": {"$ne": str(SendReason.OTHER_NETWORK)}}},
            {"$group": {"_id": person}},
            {"$count": "people"},
        ]
        found = await (await self._sends.aggregate(pipeline, allowDiskUse=True)).to_list()
        return int(found[0]["people"]) if found else 0

    async def _times(
        self, match: Document, field: Literal["accepted_at", "delivered_at"]
    ) -> list[tuple[datetime, int]]:
        pipeline: list[Document] = [
            {"$match": {**match, field: {"$ne": None}}},
            {"$group": {"_id": f"${field}", "n": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ]
        cursor = await self._sends.aggregate(pipeline, allowDiskUse=True)
        return [(item["_id"], item["n"]) async for item in cursor]

    async def failures(
        self, keys: Sequence[MessageKey], network_ids: Collection[str] | None, limit: int
    ) -> list[Failure]:
        """List the sends that did not get through."""
        query = {
            **_match(keys, network_ids),
            "state": {"$in": [str(state) for state in FAILURES]},
        }
        found = self._sends.find(
            query, {"members": 1, "networks": 1, "channel": 1, "state": 1, "reason": 1}
        )
        return [
            Failure(
                item["_id"],
                tuple(item["members"]),
                tuple(item["networks"]),
                item["channel"],
                SendState(item["state"]),
                item["reason"],
            )
            async for item in found.limit(limit)
        ]


def _match(keys: Sequence[MessageKey], network_ids: Collection[str] | None) -> Document:
    match: Document = {"message": {"$in": [str(key) for key in keys]}}
    if network_ids is not None:
        match["networks"] = {"$in": sorted(network_ids)}
    return match
