"""Mailboxes that refused a mail for good, of late. Collection `mailboxes`, by address."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from pymongo import UpdateOne

from services.dispatcher.domain.ledger import Row
from shared.mongo import Database, Session

SPARED_FOR = timedelta(days=30)
"""How long no bulletin goes to a mailbox that refused one. After that it is tried again: servers
are mended, and a wrong answer must not shut somebody out for ever."""


class Mailboxes:
    """A corrected address is another mailbox, so nothing has to be undone."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._rows = database["mailboxes"]

    async def prepare(self) -> None:
        """Create the indexes; the database drops what is over."""
        await self._rows.create_index("until", name="over", expireAfterSeconds=0)
        await self._rows.create_index("members", name="members")

    async def refused(self, sends: Sequence[Row], at: datetime) -> None:
        """Note where these sends were refused."""
        writes = [
            UpdateOne(
                {"_id": send.destination},
                {
                    "$set": {"until": at + SPARED_FOR},
                    "$addToSet": {"members": {"$each": list(send.member_ids)}},
                },
                upsert=True,
            )
            for send in sends
            if send.destination is not None
        ]
        if writes:
            await self._rows.bulk_write(writes, ordered=False)

    async def refusing(self, destinations: Collection[str], now: datetime) -> set[str]:
        """Tell which of these are to be spared now."""
        if not destinations:
            return set()
        found = self._rows.find(
            {"_id": {"$in": list(destinations)}, "until": {"$gt": now}}, {"_id": 1}
        )
        return {row["_id"] async for row in found}

    async def erase(self, session: Session, member_ids: Collection[str]) -> None:
        """Forget the addresses of erased people."""
        await self._rows.delete_many({"members": {"$in": list(member_ids)}}, session=session)
