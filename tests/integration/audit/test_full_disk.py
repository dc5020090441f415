"""A full disk under the database: nothing is torn, nothing is lost, and it goes on by itself."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from pymongo.errors import PyMongoError

from deploy.local.ports import free_port
from services.audit.verify import verify_bundle
from shared.access import Role
from shared.settings import MongoSettings
from tests.integration.audit.world import World, new_world, send, until
from tests.support.small_disk import SmallDiskMongod, small_disk

BATCH = 200


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
                try:
                    async with world.running():
                        await publish_until_it_hurts(world, mongod)
                except* PyMongoError:
                    pass  # the process ends, and its supervisor starts it again
                mongod.stop()
                disk.make_room()
                mongod.start()
                await until(partial(answers, world), "the database to answer")
                total = len(world.cluster.on("bin.sends"))
                async with world.running() as app:
                    await world.signed(total)
                    async with world.http(app, Role.AUDITOR) as http:
                        content = (await http.get("/v1/zones/demo/bundle")).content
                rows = world.database["entries"].find({"type": "send"}, {"event_id": 1})
                ids = [row["event_id"] async for row in rows]
        finally:
            mongod.stop()
    assert verify_bundle(content.splitlines(keepends=True), world.public_pem).problem is None
    assert len(ids) == len(set(ids)) == total > 2 * BATCH


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
