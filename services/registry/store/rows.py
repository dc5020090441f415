"""Frozen models as MongoDB rows and back, and what all the collections of aggregates share."""

from collections.abc import Collection
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar, cast

from pydantic import BaseModel
from pymongo.errors import DuplicateKeyError

from services.registry.domain.aggregate import Aggregate
from services.registry.domain.failures import Conflict, Invalid, NotThere
from shared.failures import Fenced
from shared.mongo import Collection as MongoCollection
from shared.mongo import Database, Document, Session

M = TypeVar("M", bound=BaseModel)
A = TypeVar("A", bound=Aggregate)


def to_row(model: BaseModel) -> Document:
    """Give a model's fields in types that BSON has; times stay times, so that they sort."""
    return cast("Document", _plain(model.model_dump()))


def from_row(model: type[M], row: Document) -> M:
    """Read a model back; whatever else the row holds for its indexes is ignored."""
    return model.model_validate(row)


def unknown_cursor() -> Invalid:
    """Say that a cursor is none that a list gave."""
    return Invalid(
        "unknown-cursor",
        "This cursor is none that the list gave; begin again without one.",
        field="cursor",
    )


async def versions_in(
    rows: MongoCollection, session: Session, ids: Collection[str]
) -> dict[str, int]:
    """Give the versions of those rows that are there."""
    if not ids:
        return {}
    found = rows.find({"_id": {"$in": list(ids)}}, {"version": 1}, session=session)
    return {str(row["_id"]): int(row["version"]) async for row in found}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return {str(name): _plain(item) for name, item in items}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("list[object]", value)]
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, datetime):
        return value
    # BSON has no date and no time of day; ISO 8601 reads back
    return value.isoformat() if isinstance(value, date | time) else value


class Aggregates(Generic[A]):
    """One collection of aggregates, each stored whole under its id."""

    model: ClassVar[type[Any]]
    collection: ClassVar[str]
    id_field: ClassVar[str]
    taken: ClassVar[dict[str, tuple[str, str, str]]] = {}
    """What a second one of the same means, by a field of the unique index: code, detail, field."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self.rows = database[self.collection]

    def row(self, aggregate: A) -> Document:
        """Give the row of an aggregate."""
        return {"_id": getattr(aggregate, self.id_field), **to_row(aggregate)}

    def read(self, row: Document) -> A:
        """Read an aggregate from its row."""
        return cast("A", from_row(self.model, row))

    async def find(self, aggregate_id: str, session: Session | None = None) -> A | None:
        """Give one, or None."""
        row = await self.rows.find_one({"_id": aggregate_id}, session=session)
        return None if row is None else self.read(row)

    async def get(self, aggregate_id: str, session: Session | None = None) -> A:
        """Give one. Raises `NotThere`."""
        found = await self.find(aggregate_id, session)
        if found is None:
            raise NotThere
        return found

    async def add(self, session: Session, aggregate: A) -> None:
        """Store a new one. Raises `Conflict` where something unique is taken."""
        try:
            await self.rows.insert_one(self.row(aggregate), session=session)
        except DuplicateKeyError as error:
            raise self._conflict(error) from None

    async def replace(self, session: Session, aggregate: A) -> None:
        """Store the next version. Raises `Conflict`, or `Fenced` where it is not the next one."""
        row = self.row(aggregate)
        before = {"_id": row["_id"], "version": aggregate.version - 1}
        try:
            result = await self.rows.replace_one(before, row, session=session)
        except DuplicateKeyError as error:
            raise self._conflict(error) from None
        if result.matched_count != 1:
            raise Fenced(self.collection)

    async def overwrite(self, session: Session, aggregate: A) -> None:
        """Store what was recovered from the topics, whatever is there. Raises `Conflict`."""
        row = self.row(aggregate)
        try:
            await self.rows.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)
        except DuplicateKeyError as error:
            raise self._conflict(error) from None

    async def versions(self, session: Session, ids: Collection[str]) -> dict[str, int]:
        """Give the versions of those that are there."""
        return await versions_in(self.rows, session, ids)

    async def page(self, session: Session, after: str | None, limit: int) -> list[A]:
        """Give the next ones by id, for publishing all of them again."""
        query: Document = {} if after is None else {"_id": {"$gt": after}}
        rows = self.rows.find(query, session=session).sort("_id", 1).limit(limit)
        return [self.read(row) async for row in rows]

    def _conflict(self, error: DuplicateKeyError) -> Conflict:
        # the error's own message quotes the value
        details = cast("Document", error.details or {})
        for field in cast("Document", details.get("keyPattern", {})):
            if field in self.taken:
                kind, detail, blamed = self.taken[field]
                return Conflict(kind, detail, field=blamed)
        return Conflict("taken", "Something that must be unique is taken already.")
