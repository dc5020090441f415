"""Leases: one holder at a time, on the database's clock."""

import asyncio
from datetime import timedelta

from shared.mongo import Lease
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
