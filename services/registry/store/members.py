"""The members, in collection `members`."""

from typing import ClassVar

from services.registry.domain.failures import NotThere
from services.registry.domain.member import MemberRecord
from services.registry.store.rows import Aggregates, unknown_cursor
from shared.contracts.registry import MemberState
from shared.mongo import Document, Session

_PRESENT = ["pending", "active", "suspended"]


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
        await self.rows.create_index([("unsubscribe_token", 1)], unique=True)
        await self.rows.create_index([("accept_token", 1)], unique=True)

    def row(self, aggregate: MemberRecord) -> Document:
        """Add what the indexes need: who left holds no number any more."""
        held = None if aggregate.state == "left" else aggregate.phone
        return {
            **super().row(aggregate),
            "phone_held": held,
            "sort_name": aggregate.name.casefold(),
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
    ) -> list[MemberRecord]:
        """Give a page in the order of names; `after` is the last member of the page before.

        A cursor is a member's id, for a name has no place in a URL. Raises `Invalid`.
        """
        query: Document = {"network_id": network_id}
        if state is not None:
            query["state"] = state
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
