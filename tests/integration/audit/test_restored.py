"""A restored backup: nothing is signed until it is on record, and nothing that was signed anew."""

import httpx
import orjson

from services.audit.app import App
from services.audit.store.ownership import Ownership
from services.audit.verify import verify_bundle
from shared.access import Role
from shared.contracts import Erasure
from shared.contracts.base import SendState
from shared.mongo import Database, Document
from tests.integration.audit.world import NOW, World, check_lists, send, until

BACKED_UP, SIGNED = 5, 12
WHY = "restored last night's backup after the disk failed"


async def backup(database: Database) -> dict[str, list[Document]]:
    names = await database.list_collection_names()
    return {name: await database[name].find().to_list() for name in names}


async def restore(database: Database, saved: dict[str, list[Document]]) -> None:
    for name in await database.list_collection_names():
        await database[name].delete_many({})
        if saved.get(name):
            await database[name].insert_many(saved[name])


async def lose(world: World) -> tuple[str, str]:
    """Sign some, back up, sign more, restore; give the two checkpoints that somebody kept."""
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(BACKED_UP)])
        await world.signed(BACKED_UP)
        early = await checkpoint(world, app)
    saved = await backup(world.database)
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(BACKED_UP, SIGNED)])
        await world.signed(SIGNED)
        late = await checkpoint(world, app)

        async def published() -> bool:
            row = await world.database["published"].find_one({"_id": "demo"})
            return row is not None and row["size"] == SIGNED

        await until(published, "its checkpoint to be read back")
    await restore(world.database, saved)
    return early, late


async def checkpoint(world: World, app: App) -> str:
    async with world.http(app, Role.AUDITOR) as http:
        return (await http.get("/v1/zones/demo/checkpoint")).text


async def recover(world: World, app: App, zone: str = "demo") -> httpx.Response:
    async with world.http(app, Role.OPERATOR, zone=None, sub="operator-1") as http:
        return await http.post("/v1/recover", json={"zone_id": zone, "reason": WHY})


async def test_what_the_topics_hold_is_appended_again_and_the_break_is_on_record(
    world: World,
) -> None:
    early, late = await lose(world)
    async with world.running() as app:

        async def doubted() -> bool:
            return "log demo" in await app.ready() and await world.size() >= SIGNED

        await until(doubted, "the doubt, and the topics to be read again")
        signed = await world.database["signed"].find_one({"_id": "demo"})
        assert signed is not None
        assert signed["size"] == BACKED_UP
        answer = await recover(world, app)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "zone_id": "demo",
            "kept": BACKED_UP,
            "signed_beyond": SIGNED,
        }
        await world.signed(SIGNED + 1)
        async with world.http(app, Role.AUDITOR) as http:
            bundle = (await http.get("/v1/zones/demo/bundle")).content.splitlines(keepends=True)
        assert (await recover(world, app)).status_code == 409
    assert "log demo" not in await app.ready()
    entries = [orjson.loads(line)["entry"] for line in bundle[1:]]
    sends = [entry["event_id"] for entry in entries if entry["type"] == "send"]
    assert sorted(sends) == sorted(f"event-demo-{number}-1" for number in range(SIGNED))
    broken = [orjson.loads(line) for line in bundle[1:] if b'"type":"alarm"' in line]
    assert [line["entry"]["reason"] for line in broken] == ["restored"]
    assert broken[0]["private"]["kept"] == BACKED_UP
    assert broken[0]["private"]["published_size"] == SIGNED
    assert verify_bundle(bundle, world.public_pem, [early]).exit_code == 0
    parted = verify_bundle(bundle, world.public_pem, [early, late])
    assert parted.problem is not None
    assert "rewritten" in parted.problem


async def recoveries(world: World) -> list[Document]:
    """Give what says that somebody recovered a log: on its way to the topic, or there."""
    waiting = await world.database["outbox"].find({"topic": "bin.access"}).to_list()
    values = [bytes(row["value"]) for row in waiting]
    values += [record.value or b"" for record in world.cluster.on("bin.access")]
    told = [orjson.loads(value) for value in values]
    unique = {item["event_id"]: item for item in told if item["action"] == "log.recover"}
    return list(unique.values())


async def test_what_cannot_be_recovered_now_says_why_and_is_not_on_record(world: World) -> None:
    await lose(world)
    early = await world.build()  # whose consumers do not run, so that nothing published is read
    answer = await recover(world, early)
    assert (answer.status_code, answer.json()["type"][-7:]) == (503, "not-now")
    assert "still being read" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    async with world.running() as app:

        async def doubted() -> bool:
            return "log demo" in await app.ready() and await world.size() >= SIGNED

        await until(doubted, "the doubt, and the topics to be read again")
        beside = await world.build()
        answer = await recover(world, beside)
        assert (answer.status_code, answer.json()["type"][-7:]) == (503, "not-now")
        assert "another process writes this log" in answer.json()["detail"].lower()
        assert await recoveries(world) == []
        assert (await recover(world, app)).status_code == 200
        assert (await recover(world, app)).status_code == 409
        (done,) = await recoveries(world)
    assert (done["kind"], done["reader"], done["reason"]) == ("change", "operator-1", WHY)


async def lose_for_good(world: World) -> None:
    """Have the topics lose them too, and put that on record."""
    await lose(world)
    for partition, records in world.cluster.records.items():
        if partition.topic == "bin.sends":
            records.clear()
    await world.database["positions"].delete_many({"_id": {"$regex": r"bin\.sends"}})
    async with world.running() as app:

        async def doubted() -> bool:
            return "log demo" in await app.ready()

        await until(doubted, "the doubt")
        assert (await recover(world, app)).status_code == 200


async def test_a_restored_log_is_not_signed_at_a_size_that_the_world_has_seen(
    world: World,
) -> None:
    await lose_for_good(world)
    async with world.running() as app:

        async def restored() -> bool:
            waiting = await app.ready()
            return waiting.get("log demo", "").startswith("restored: signed again")

        await until(restored, "readiness to say what it waits for")
        signed = await world.database["signed"].find_one({"_id": "demo"})
        assert signed is not None
        assert signed["size"] == BACKED_UP
        await world.publish(*[send(number) for number in range(100, 100 + SIGNED)])
        await world.signed(SIGNED + 1)


async def test_a_restored_log_that_waits_to_grow_is_left_to_whoever_writes_it(
    world: World,
) -> None:
    """A job that took its lease again and again would keep it from growing, and wait for ever."""
    await lose_for_good(world)
    await Ownership(world.database, "another process", world.clock).claim("demo")
    sign = (await world.build()).ready.sign
    await sign.once()
    assert sign.restored == {"demo": SIGNED}


async def test_only_a_restored_backup_is_recovered(world: World) -> None:
    async with world.running() as app:
        assert (await recover(world, app)).status_code == 409  # nothing there
        await world.publish(*[send(number) for number in range(SIGNED)])
        await world.signed(SIGNED)
        answer = await recover(world, app)
        assert answer.status_code == 409
        for role in set(Role) - {Role.OPERATOR}:
            async with world.http(app, role) as http:
                body = {"zone_id": "demo", "reason": WHY}
                assert (await http.post("/v1/recover", json=body)).status_code == 404


async def test_what_was_erased_after_the_backup_is_erased_again(world: World) -> None:
    erased = Erasure(erasure_id="erasure-1", member_id="member-1", zone_id="demo", erased_at=NOW)
    private = world.database["private"]
    about_it: Document = {"parts.members": "member-1"}

    async def gone() -> bool:
        row = await world.database["erasures"].find_one({"_id": "member-1", "applied": True})
        return row is not None and await private.count_documents(about_it) == 0

    async with world.running():
        await world.publish(*[send(number) for number in range(BACKED_UP)])
        await world.signed(BACKED_UP)
    saved = await backup(world.database)
    async with world.running():
        await world.publish(erased, send(1, 2, SendState.DELIVERED))
        await until(gone, "the erasure")

        async def published() -> bool:
            row = await world.database["published"].find_one({"_id": "demo"})
            return row is not None and row["size"] >= BACKED_UP + 2

        await until(published, "a checkpoint that the backup does not have")
    await restore(world.database, saved)
    assert await private.count_documents(about_it) == 1
    async with world.running() as app:

        async def doubted() -> bool:
            return "log demo" in await app.ready()

        await until(doubted, "the doubt")
        await recover(world, app)
        await until(gone, "the erasure to be carried out again")
        assert await check_lists(world)("demo") is None
