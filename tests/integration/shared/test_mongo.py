"""Leases: one holder at a time, on the database's clock. Plain writes: all of them or none."""

import asyncio
from datetime import timedelta

import pytest
from pymongo.errors import BulkWriteError

from shared.mongo import Document, Lease, Session, transaction, write_plainly
from tests.integration.shared.conftest import Service


def lease(service: Service, owner: str, seconds: float) -> Lease:
    return Lease(service.database["leases"], "work", owner, timedelta(seconds=seconds))


async def test_of_many_who_ask_at_once_one_gets_the_lease(service: Service) -> None:
    leases = [lease(service, f"owner-{n}", 30) for n in range(10)]
    held = await asyncio.gather(*(one.hold() for one in leases))
    assert sum(held) == 1


async def test_the_holder_renews_and_nobody_else_takes_it(service: Service) -> None:
    mine, other = lease(service, "mine", 30), lease(service, "other", 30)
    assert [await mine.hold(), await other.hold(), await mine.hold()] == [True, False, True]


async def test_a_released_or_ended_lease_is_free(service: Service) -> None:
    mine, other = lease(service, "mine", 0.2), lease(service, "other", 30)
    assert await mine.hold()
    await asyncio.sleep(0.3)  # the database's clock cannot be set
    assert await other.hold()
    assert not await mine.hold()
    await other.release()
    assert await mine.hold()


async def test_plain_writes_insert_and_change_thousands_of_rows(service: Service) -> None:
    collection = service.database["plain"]
    rows: list[Document] = [{"_id": n, "n": n} for n in range(2500)]
    changes: list[Document] = [
        {"q": {"_id": n}, "u": {"$inc": {"n": 1}}, "upsert": True} for n in range(2600)
    ]

    async def write(session: Session) -> None:
        await write_plainly(collection, "insert", rows, session)
        await write_plainly(collection, "update", changes, session)
        await write_plainly(collection, "insert", [], session)

    await transaction(service.client, write)
    stored = await collection.find().sort("_id", 1).to_list()
    assert [row["n"] for row in stored] == [*range(1, 2501), *([1] * 100)]


async def test_a_plain_write_that_doubles_a_row_stores_nothing(service: Service) -> None:
    collection = service.database["plain"]

    async def write(session: Session) -> None:
        await write_plainly(collection, "insert", [{"_id": n} for n in range(3)], session)
        await write_plainly(collection, "insert", [{"_id": 7}, {"_id": 2}], session)

    await collection.insert_one({"_id": "there"})  # a transaction of the test makes no collection
    with pytest.raises(BulkWriteError):
        await transaction(service.client, write)
    assert await collection.count_documents({}) == 1
