"""The members, in collection `members`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

from services.registry.domain.evaluation import Reach
from services.registry.domain.failures import Invalid, NotThere
from services.registry.domain.member import MemberRecord
from services.registry.domain.search import Wanted, findable
from services.registry.store.rows import Aggregates, unknown_cursor
from shared.contracts.registry import MemberState
from shared.failures import Fenced
from shared.mongo import DUPLICATE_KEY, Document, Session

_TOO_LARGE = 388
"""A transaction that the database's cache cannot hold."""

_PRESENT = ["pending", "active", "suspended"]


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who is or was in a network."""

    name: str
    phone: str | None
    email: str | None
    state: MemberState


class Members(Aggregates[MemberRecord]):
    """All members, by their id; never listed but by network."""

    model = MemberRecord
    collection: ClassVar[str] = "members"
    id_field: ClassVar[str] = "member_id"
    taken: ClassVar[dict[str, tuple[str, str, str]]] = {
        "phone_held": (
            "phone-taken",
            "Another member of this network has this number. Correct it, or open that member.",
            "phone",
        )
    }

    async def prepare(self) -> None:
        """Create the indexes: by name within a network, by link token, one number per network."""
        await self.rows.create_index([("network_id", 1), ("sort_name", 1), ("_id", 1)])
        await self.rows.create_index(
            [("network_id", 1), ("state", 1), ("sort_name", 1), ("_id", 1)]
        )
        await self.rows.create_index(
            [("network_id", 1), ("phone_held", 1)],
            unique=True,
            partialFilterExpression={"phone_held": {"$type": "string"}},
        )
        await self.rows.create_index([("state", 1), ("suspended_until", 1)])
        await self.rows.create_index([("state", 1), ("left_at", 1)])
        await self.rows.create_index([("state", 1), ("created_at", 1)])
        await self.rows.create_index([("measures.at", 1)])
        await self.rows.create_index([("unsubscribe_token", 1)], unique=True)
        await self.rows.create_index([("accept_token", 1)], unique=True)

    def row(self, aggregate: MemberRecord) -> Document:
        """Add what the indexes need: who left holds no number any more."""
        held = None if aggregate.state == "left" else aggregate.phone
        return {
            **super().row(aggregate),
            "phone_held": held,
            "sort_name": aggregate.name.casefold(),
            "found_by": findable(aggregate.name, aggregate.phone, aggregate.email),
        }

    async def in_network(
        self, network_id: str, member_id: str, session: Session | None = None
    ) -> MemberRecord:
        """Give a member of a network. Raises `NotThere`, also for another network's member."""
        row = await self.rows.find_one(
            {"_id": member_id, "network_id": network_id}, session=session
        )
        if row is None:
            raise NotThere
        return self.read(row)

    async def by_token(
        self, field: str, token: str, session: Session | None = None
    ) -> MemberRecord:
        """Give whose link this is. Raises `NotThere`."""
        row = await self.rows.find_one({field: token}, session=session)
        if row is None:
            raise NotThere
        return self.read(row)

    async def listed(
        self,
        session: Session,
        network_id: str,
        state: MemberState | None,
        after: str | None,
        limit: int,
        *,
        wanted: Wanted | None = None,
    ) -> list[MemberRecord]:
        """Give a page in the order of names; `after` is the last member of the page before.

        A cursor is a member's id, for a name has no place in a URL. Raises `Invalid`.
        """
        query: Document = {"network_id": network_id}
        if state is not None:
            query["state"] = state
        if wanted is not None:
            # a network has some hundreds of members, so its part of the index is read through
            parts = [{"found_by": {"$regex": re.escape(word)}} for word in wanted.words]
            query |= {"$and": parts} if parts else {"_id": {"$in": []}}
        if after is not None:
            last = await self.rows.find_one(
                {"_id": after, "network_id": network_id}, {"sort_name": 1}, session=session
            )
            if last is None:
                raise unknown_cursor()
            name = last["sort_name"]
            query["$or"] = [
                {"sort_name": {"$gt": name}},
                {"sort_name": name, "_id": {"$gt": after}},
            ]
        rows = self.rows.find(query, session=session)
        rows = rows.sort([("sort_name", 1), ("_id", 1)]).limit(limit)
        return [self.read(row) async for row in rows]

    async def pending(self, session: Session, network_id: str) -> list[MemberRecord]:
        """Give everyone in a network who has not accepted the house rules yet."""
        rows = self.rows.find({"network_id": network_id, "state": "pending"}, session=session)
        return [self.read(row) async for row in rows]

    async def by_id(
        self, session: Session, network_id: str, after: str | None, limit: int
    ) -> list[MemberRecord]:
        """Give the next present members of a network in the order of their ids."""
        query: Document = {"network_id": network_id, "state": {"$in": _PRESENT}}
        if after is not None:
            query["_id"] = {"$gt": after}
        rows = self.rows.find(query, session=session).sort("_id", 1).limit(limit)
        return [self.read(row) async for row in rows]

    async def reach(self, session: Session, network_id: str) -> Reach:
        """Count whom messages can reach in a network, of its active members."""
        by_sms: Document = {
            "$and": [
                {"$eq": ["$phone_kind", "mobile"]},
                {"$not": "$sms_stopped"},
                {"$not": "$restricted"},
            ]
        }
        by_mail: Document = {
            "$and": [
                {"$eq": [{"$type": "$email"}, "string"]},
                "$cold_mail",
                {"$not": "$restricted"},
            ]
        }
        sums = {
            name: {"$sum": {"$cond": [test, 1, 0]}}
            for name, test in (("members", True), ("by_sms", by_sms), ("by_mail", by_mail))
        }
        stages: list[Document] = [
            {"$match": {"network_id": network_id, "state": "active"}},
            {"$group": {"_id": None, **sums}},
        ]
        async for row in await self.rows.aggregate(stages, session=session):
            return Reach(int(row["members"]), int(row["by_sms"]), int(row["by_mail"]))
        return Reach(0, 0, 0)

    async def counts(self, network_id: str, session: Session) -> dict[MemberState, int]:
        """Count a network's members by state."""
        groups: list[Document] = [
            {"$match": {"network_id": network_id}},
            {"$group": {"_id": "$state", "count": {"$sum": 1}}},
        ]
        found = await self.rows.aggregate(groups, session=session)
        return {row["_id"]: int(row["count"]) async for row in found}

    async def mailable(self, session: Session, network_ids: list[str]) -> int:
        """Count the distinct addresses that a cold message to these networks goes to."""
        groups: list[Document] = [
            {
                "$match": {
                    "network_id": {"$in": network_ids},
                    "state": "active",
                    "cold_mail": True,
                    "restricted": False,
                    "email": {"$type": "string"},
                }
            },
            {"$group": {"_id": "$email"}},
            {"$count": "people"},
        ]
        found = await self.rows.aggregate(groups, session=session)
        return sum([int(row["people"]) async for row in found])

    async def many(self, session: Session, member_ids: list[str]) -> list[MemberRecord]:
        """Give those of the members who are in their network."""
        query: Document = {"_id": {"$in": member_ids}, "state": {"$in": _PRESENT}}
        return [self.read(row) async for row in self.rows.find(query, session=session)]

    async def add_many(self, session: Session, members: Sequence[MemberRecord]) -> None:
        """Store new members. Raises `Conflict` where a number is in the network already."""
        if not members:
            return
        try:
            await self.rows.insert_many([self.row(m) for m in members], session=session)
        except BulkWriteError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: BulkWriteError) -> Exception:
        """Give what the first error of a bulk write means; its own message quotes values."""
        first: Document = (error.details or {}).get("writeErrors", [{}])[0]
        code = first.get("code")
        if code == DUPLICATE_KEY:
            return self._conflict(DuplicateKeyError("taken", code, first))
        if code == _TOO_LARGE:
            return Invalid(
                "file-too-large", "The list is too large for one import. Split it.", field="file"
            )
        return OperationFailure("bulk write", code, error.details)

    async def remove(self, session: Session, member: MemberRecord) -> None:
        """Delete a member's row. Raises `Fenced` where it is no longer this version."""
        query = {"_id": member.member_id, "version": member.version}
        result = await self.rows.delete_one(query, session=session)
        if result.deleted_count != 1:
            raise Fenced(self.collection)

    async def known(self, session: Session, network_id: str) -> list[Known]:
        """Give who is or was in a network, as far as telling them apart needs."""
        fields = {"name": 1, "phone": 1, "email": 1, "state": 1}
        rows = self.rows.find({"network_id": network_id}, fields, session=session)
        return [
            Known(row["name"], row.get("phone"), row.get("email"), row["state"])
            async for row in rows
        ]

    async def everyone(self, session: Session, network_id: str) -> list[MemberRecord]:
        """Give all who are in a network, by name."""
        query: Document = {"network_id": network_id, "state": {"$in": _PRESENT}}
        rows = self.rows.find(query, session=session).sort([("sort_name", 1), ("_id", 1)])
        return [self.read(row) async for row in rows]

    async def suspended_till(self, now: datetime, limit: int) -> list[str]:
        """Give members whose suspension is over."""
        return await self._ids({"state": "suspended", "suspended_until": {"$lte": now}}, limit)

    async def left_before(self, moment: datetime, limit: int) -> list[str]:
        """Give members who left before a moment."""
        return await self._ids({"state": "left", "left_at": {"$lte": moment}}, limit)

    async def pending_since(self, moment: datetime, limit: int) -> list[str]:
        """Give members who did not accept since a moment."""
        return await self._ids({"state": "pending", "created_at": {"$lte": moment}}, limit)

    async def measured_before(self, moment: datetime, limit: int) -> list[str]:
        """Give members with a measure from before a moment."""
        return await self._ids({"measures.at": {"$lt": moment}}, limit)

    async def of_networks(self, network_ids: Sequence[str], limit: int) -> list[str]:
        """Give members of some networks."""
        return await self._ids({"network_id": {"$in": list(network_ids)}}, limit)

    async def _ids(self, query: Document, limit: int) -> list[str]:
        rows = self.rows.find(query, {"_id": 1}).limit(limit)
        return [str(row["_id"]) async for row in rows]
