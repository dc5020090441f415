"""A database that is killed, or has no room: nothing is torn, nothing is lost, and it goes on."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from pymongo.errors import PyMongoError

from deploy.local.ports import free_port
from services.audit.verify import verify_bundle
from shared.access import Role
from shared.settings import MongoSettings
from tests.integration.audit import rows
from tests.integration.audit.world import World, new_world, send, until
from tests.support.servers import local_mongod
from tests.support.small_disk import SmallDiskMongod, small_disk

BATCH, KILLS = 200, 3


@pytest.mark.timeout(150)
async def test_a_database_killed_in_the_middle_of_batches_holds_whole_ones_only(
    tmp_path: Path,
) -> None:
    mongod, chance = local_mongod(tmp_path), random.Random(11)  # noqa: S311 - the same every time
    mongod.start()
    mongo = MongoSettings(url=SecretStr(mongod.admin_url), database="audit")
    try:
        async with new_world(mongo, tmp_path) as world:
            for kill in range(KILLS):
                async with outlasting(world):
                    first = kill * 5 * BATCH
                    await world.publish(*[send(n) for n in range(first, first + 5 * BATCH)])
                    await asyncio.sleep(chance.uniform(0.1, 0.6))
                    mongod.kill()
                mongod.start()
                await until(partial(answers, world), "the database to answer")
                await holds_whole_batches(world)
            await all_is_on_record(world)
    finally:
        mongod.stop()


@asynccontextmanager
async def outlasting(world: World) -> AsyncGenerator[None]:
    """Run the service; where its database goes, it may end, for its supervisor to restart."""
    try:
        async with world.running():
            yield
    except* PyMongoError:
        pass


async def holds_whole_batches(world: World) -> None:
    """Hold that head, entries, private parts and counters are of one moment."""
    head = await world.database["heads"].find_one({"_id": "demo"})
    size = 0 if head is None else head["size"]
    assert len(await rows.bodies(world.database)) == size
    assert len(await rows.parts(world.database)) == size
    assert await world.database["sends"].count_documents({"log": "demo"}) == size
    counted = world.database["stats"].aggregate([{"$group": {"_id": 1, "n": {"$sum": "$count"}}}])
    assert [row["n"] async for row in await counted] == ([size] if size else [])


async def all_is_on_record(world: World) -> None:
    """Hold that every send that was published is in a signed log that verifies, once."""
    total = len(world.cluster.on("bin.sends"))
    async with world.running() as app:
        await world.signed(total)
        async with world.http(app, Role.AUDITOR) as http:
            content = (await http.get("/v1/zones/demo/bundle")).content
    assert verify_bundle(content.splitlines(keepends=True), world.public_pem).problem is None
    entries = await rows.entries(world.database)
    ids = [entry["event_id"] for entry in entries if entry["type"] == "send"]
    assert len(ids) == len(set(ids)) == total


@pytest.mark.timeout(150)
async def test_a_full_disk_delays_and_tears_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        mongod = SmallDiskMongod(disk, free_port())
        mongod.start()
        mongo = MongoSettings(url=SecretStr(mongod.admin_url), database="audit")
        try:
            async with new_world(mongo, tmp_path) as world:
                async with world.running():
                    await world.publish(*[send(number) for number in range(BATCH)])
                    await world.signed(BATCH)
                disk.fill()
                assert disk.free() == 0
                async with outlasting(world):
                    await publish_until_it_hurts(world, mongod)
                mongod.stop()
                disk.make_room()
                mongod.start()
                await until(partial(answers, world), "the database to answer")
                await holds_whole_batches(world)
                await all_is_on_record(world)
        finally:
            mongod.stop()


async def answers(world: World) -> bool:
    """Tell whether the client has let go of the connections of before."""
    try:
        await world.client.admin.command("ping")
    except PyMongoError:
        return False
    return True


async def publish_until_it_hurts(world: World, mongod: SmallDiskMongod) -> None:
    """Publish sends until the database refuses them, or ends."""
    total = BATCH

    async def refused() -> bool:
        nonlocal total
        await world.publish(*[send(number) for number in range(total, total + BATCH)])
        total += BATCH
        await asyncio.sleep(0.2)
        if not mongod.running:
            return True
        try:
            await world.database["probe"].insert_one({"filler": bytes(1024 * 1024)})
        except PyMongoError:
            return True
        return False

    await until(refused, "the full disk to be felt", seconds=60)
