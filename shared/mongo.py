"""MongoDB: durable transactions, and leases on the database's own clock."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, timedelta
from typing import Any, Literal, TypeVar

from pymongo import AsyncMongoClient, ReadPreference, ReturnDocument, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.settings import MongoSettings

Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
Session = AsyncClientSession
T = TypeVar("T")

_DURABLE = WriteConcern(w="majority", j=True)


def connect(settings: MongoSettings, name: str) -> Client:
    """Make the client of a service. Times come back aware, in UTC; nothing connects yet."""
    return AsyncMongoClient(
        settings.url.get_secret_value(),
        appname=name,
        maxPoolSize=settings.pool,
        tz_aware=True,
        tzinfo=UTC,
        serverSelectionTimeoutMS=5_000,
        retryWrites=True,
        w="majority",
        journal=True,
    )


def database(client: Client, name: str) -> Database:
    """Give the service's database, with majority reads and durable writes."""
    return client.get_database(
        name,
        read_concern=ReadConcern("majority"),
        write_concern=_DURABLE,
    )


async def transaction(client: Client, work: Callable[[Session], Awaitable[T]]) -> T:
    """Run `work` in one transaction, again where the database says that it may.

    `work` must do nothing that cannot be done twice. What it raises aborts the transaction. The
    snapshot is taken at its first operation, so anything to wait for is waited for before that.
    """
    async with client.start_session() as session:
        return await session.with_transaction(
            work,
            read_concern=ReadConcern("snapshot"),
            write_concern=_DURABLE,
            read_preference=ReadPreference.PRIMARY,
        )


DUPLICATE_KEY = 11000
"""MongoDB's code for what a unique index refuses."""

_AT_ONCE = 4000
_VERBS: dict[Literal["insert", "update"], str] = {"insert": "documents", "update": "updates"}


async def write_plainly(
    collection: Collection,
    verb: Literal["insert", "update"],
    rows: Sequence[Document],
    session: Session,
) -> None:
    """Insert documents, or carry out updates (`{"q": ..., "u": ...}`), inside a transaction.

    For thousands of small rows: the driver's own calls look at each row several times, which costs
    more than encoding it. The caller sees to it that each has an `_id` and that a thousand of them
    stay below 16 MB. Raises `BulkWriteError`, as those calls do.
    """
    for first in range(0, len(rows), _AT_ONCE):
        command = {
            verb: collection.name,
            _VERBS[verb]: rows[first : first + _AT_ONCE],
            "ordered": False,
        }
        answer = await collection.database.command(command, session=session)
        if answer.get("writeErrors"):
            raise BulkWriteError(answer)


def only_duplicates(error: BulkWriteError) -> list[Document]:
    """Give what unique indexes refused of a bulk: of each its `index` and the `keyPattern`.

    Raises the error itself where anything else went wrong.
    """
    refused: list[Document] = error.details["writeErrors"]
    if any(one.get("code") != DUPLICATE_KEY for one in refused):
        raise error
    return refused


def _taken(owner: str, length: timedelta) -> Document:
    """Give what becomes of a lease that an owner asks for: theirs, or as it is."""
    free = {
        "$or": [
            {"$eq": [{"$ifNull": ["$owner", owner]}, owner]},
            {"$lt": ["$until", "$$NOW"]},
        ]
    }
    return {
        "owner": {"$cond": [free, owner, "$owner"]},
        "until": {"$cond": [free, _end_of(length), "$until"]},
    }


def _end_of(length: timedelta) -> Document:
    return {"$add": ["$$NOW", int(length.total_seconds() * 1000)]}


class Lease:
    """A named right of one process, on the database's clock, in collection `leases`."""

    def __init__(self, leases: Collection, name: str, owner: str, length: timedelta) -> None:
        """Name the right and whoever wants it; `length` is how long it lasts unrenewed."""
        self._leases = leases
        self._name = name
        self._owner = owner
        self._taken = _taken(owner, length)

    async def hold(self) -> bool:
        """Take or renew the lease; tell whether it is ours for the next `length`."""
        try:
            found = await self._leases.find_one_and_update(
                {"_id": self._name},
                [{"$set": self._taken}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:  # two came first; the other one has it
            return False
        return found is not None and found["owner"] == self._owner

    async def release(self) -> None:
        """Give the lease back, so that the next one need not wait."""
        await self._leases.delete_one({"_id": self._name, "owner": self._owner})


class Leases:
    """Such rights of one process by the hundred: a command for all of them, not for each."""

    def __init__(self, leases: Collection, owner: str, length: timedelta) -> None:
        """Say whose they are; `length` is how long they last unrenewed."""
        self._leases = leases
        self._owner = owner
        self._taken = _taken(owner, length)
        self._end = _end_of(length)

    async def take(self, names: Iterable[str]) -> set[str]:
        """Take those that are free or ours; give those that are ours for the next `length`."""
        wanted = sorted(names)
        writes = [UpdateOne({"_id": name}, [{"$set": self._taken}], upsert=True) for name in wanted]
        try:
            await self._leases.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            only_duplicates(error)  # two came first; the other one has it
        return await self._ours(wanted)

    async def renew(self, names: Iterable[str]) -> set[str]:
        """Renew those that are still ours, and give them.

        Not one that ended and was another's meanwhile, even if it is free again.
        """
        wanted = sorted(names)
        ours: Document = {"_id": {"$in": wanted}, "owner": self._owner}
        result = await self._leases.update_many(ours, [{"$set": {"until": self._end}}])
        return {*wanted} if result.matched_count == len(wanted) else await self._ours(wanted)

    async def release(self, names: Iterable[str]) -> None:
        """Give leases back, so that the next one need not wait."""
        await self._leases.delete_many({"_id": {"$in": sorted(names)}, "owner": self._owner})

    async def _ours(self, names: Sequence[str]) -> set[str]:
        ours: Document = {"_id": {"$in": names}, "owner": self._owner}
        return {row["_id"] async for row in self._leases.find(ours, {"_id": 1})}
