"""One writer per log: two on purpose, one killed at any moment; nothing lost, nothing doubled."""

import asyncio
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from services.audit.app import App
from services.audit.domain.entries import Draft, EntryType
from services.audit.flows.append_entries import AppendEntries
from services.audit.store.log import LogStore
from services.audit.store.ownership import OtherWriter, Ownership
from services.audit.verify import verify_bundle
from shared.access import Role
from shared.clock import Clock
from shared.failures import Fenced
from shared.mongo import Leases, Session, transaction
from tests.integration.audit import rows
from tests.integration.audit.world import NOW, World, send, until


async def check_bundle(world: World, expected: int) -> None:
    """Fail unless the log verifies and holds exactly the sends expected, each once."""
    async with world.running() as app:
        await world.signed(expected)
        async with world.http(app, Role.AUDITOR) as http:
            content = (await http.get("/v1/zones/demo/bundle")).content
    assert verify_bundle(content.splitlines(keepends=True), world.public_pem).problem is None
    entries = await rows.entries(world.database)
    ids = [entry["event_id"] for entry in entries if entry["type"] == "send"]
    assert len(ids) == len(set(ids)) == expected
    counted = world.database["stats"].aggregate([{"$group": {"_id": 1, "n": {"$sum": "$count"}}}])
    assert [row["n"] async for row in await counted] == [expected]


async def test_of_two_writers_one_wins_the_other_says_so_and_nothing_is_lost(world: World) -> None:
    total = 0

    async def publish_on() -> None:
        nonlocal total
        await world.publish(*[send(number) for number in range(total, total + 50)])
        total += 50

    async with world.running() as first:
        await publish_on()
        await world.signed(total)
        async with world.running() as second:
            said: list[str] = []

            async def refused() -> bool:
                await publish_on()  # the second is refused once it has one that the first is at
                for app in (first, second):
                    said.extend(await _refusals(app))
                return bool(said)

            await until(refused, "the other process to say so")
            assert set(said) == {"log demo"}
            for _ in range(5):
                await publish_on()
            await world.signed(total)
    await check_bundle(world, total)


async def _refusals(app: App) -> list[str]:
    return [part for part, why in (await app.ready()).items() if "another process" in why]


async def test_the_other_takes_over_when_the_writer_ends(world: World) -> None:
    async with world.running():
        async with world.running():
            await world.publish(*[send(number) for number in range(50)])
            await world.signed(50)
        await world.publish(*[send(number) for number in range(50, 90)])
        await world.signed(90)
    await check_bundle(world, 90)


async def test_killed_at_any_moment_it_goes_on_where_it_was(world: World) -> None:
    chance = random.Random(5)  # noqa: S311 - the same moments in every run
    total = 0
    for _ in range(8):
        batch = [send(number) for number in range(total, total + 150)]
        total += len(batch)
        await world.publish(*batch)
        async with world.running():
            await asyncio.sleep(chance.uniform(0, 0.5))
    await check_bundle(world, total)


async def test_a_writer_that_lost_its_epoch_stores_nothing(world: World) -> None:
    clock = Clock()
    log = LogStore(world.database, clock, timedelta(days=1), timedelta(days=1))
    await log.prepare()
    first = Ownership(world.database, "first", clock)
    second = Ownership(world.database, "second", clock)
    old = await first.claim("demo")
    with pytest.raises(OtherWriter):
        await second.claim("demo")
    assert second.refused == {"demo"}
    over = {"$set": {"until": datetime.now(UTC) - timedelta(seconds=1)}}
    await world.database["leases"].update_one({"_id": "log|demo"}, over)
    new = await second.claim("demo")
    draft = Draft(event_id="a", type=EntryType.ALARM, time=NOW)

    async def append(session: Session, epoch: int) -> None:
        await log.append(session, "demo", epoch, [draft])

    with pytest.raises(Fenced):
        await transaction(world.client, lambda session: append(session, old))
    await transaction(world.client, lambda session: append(session, new))
    assert await world.size() == 1


async def test_a_job_gives_back_what_it_borrowed(world: World) -> None:
    clock = Clock()
    log = LogStore(world.database, clock, timedelta(days=1), timedelta(days=1))
    await log.prepare()
    first = Ownership(world.database, "first", clock)
    append = AppendEntries(world.client, log, first)

    async def nothing(_session: Session) -> None:
        return

    draft = Draft(event_id="a", type=EntryType.ALARM, time=NOW)
    assert await append("demo", [draft, draft], nothing)
    assert await append("demo", [draft], nothing)
    assert await world.size() == 1
    second = Ownership(world.database, "second", clock)
    await second.keep(["demo"])
    assert second.epoch("demo") == 3
    assert not await append("demo", [draft], nothing)


async def test_a_job_that_is_ended_while_it_gives_back_leaves_no_lease(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, begun, go_on = Leases.release, asyncio.Event(), asyncio.Event()

    async def slow(leases: Leases, names: Iterable[str]) -> None:
        begun.set()
        await go_on.wait()
        await release(leases, names)

    monkeypatch.setattr(Leases, "release", slow)
    ownership = Ownership(world.database, "first", Clock())

    async def job() -> None:
        async with ownership.borrow("demo"):
            pass

    task = asyncio.create_task(job())
    await begun.wait()
    task.cancel()
    go_on.set()

    async def free() -> bool:
        return await world.database["leases"].find_one({"_id": "log|demo"}) is None

    await until(free, "the lease to be given back", seconds=2)
