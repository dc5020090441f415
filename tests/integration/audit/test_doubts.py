"""Whatever is done to the database behind the service's back: it signs no more, and says why."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from bson import Binary

from services.audit.app import App
from services.audit.domain.alarms import BROKEN, Doubt
from services.audit.domain.entries import Draft, EntryType, seal
from services.audit.domain.merkle import Frontier, leaf_hash
from services.audit.flows.check_log import CheckLog
from services.audit.signer import NoSigningKey, Signer
from services.audit.store.blocks import block_id
from services.audit.store.checkpoints import Checkpoints
from services.audit.store.log import LogStore
from services.audit.store.ownership import Ownership
from shared.access import Role
from shared.clock import Clock
from shared.mongo import Database, Document, Session, transaction
from tests.integration.audit import rows
from tests.integration.audit.test_people import NOTICE_TO_ALL
from tests.integration.audit.test_whole_path import closed, replays
from tests.integration.audit.world import MESSAGE, NOW, OTHER, World, send, until

COUNT = 12
WHOLE = COUNT + 1
"""With one entry that is no send."""

OVERDUE: Document = {
    "message_type": "alert",
    "message_id": OTHER,
    "release": None,
    "network_ids": [],
    "open": True,
    "due_at": NOW,
    "answer": None,
}
"""What is kept of a message that no statement came of."""


async def flip_body(database: Database) -> None:
    body = (await rows.bodies(database))[3]
    await rows.set_body(database, 3, body.replace(b"accepted", b"canceled"))


async def drop_entry(database: Database) -> None:
    bodies = await rows.bodies(database)
    await rows.set_bodies(database, [*bodies[:4], *bodies[5:]])


async def drop_block(database: Database) -> None:
    await database["entries"].delete_one({"_id": block_id("demo", 0)})


async def swap_entries(database: Database) -> None:
    bodies = await rows.bodies(database)
    await rows.set_body(database, 2, bodies[6])
    await rows.set_body(database, 6, bodies[2])


async def add_body(database: Database) -> None:
    bodies = await rows.bodies(database)
    await rows.set_bodies(database, [*bodies, bodies[-1]])


async def truncate(database: Database) -> None:
    kept = (await rows.bodies(database))[:8]
    await rows.set_bodies(database, kept)
    frontier = Frontier()
    frontier.extend(leaf_hash(body) for body in kept)
    await set_head(database, frontier)


async def set_head(database: Database, frontier: Frontier) -> None:
    hashes = [Binary(value) for value in frontier.hashes]
    head = {"$set": {"size": frontier.size, "frontier": hashes}}
    await database["heads"].update_one({"_id": "demo"}, head)


async def change_private(database: Database) -> None:
    await rows.set_part(database, 5, part=Binary(b'{"recipient":"somebody else"}'))


async def change_index_field(database: Database) -> None:
    await database["events"].update_one({}, {"$set": {"message_id": "hidden"}})


async def hide_from_its_message(database: Database) -> None:
    await database["events"].delete_one({})


async def change_head(database: Database) -> None:
    frontier = Frontier()
    for number in range(WHOLE + 1):
        frontier.append(leaf_hash(str(number).encode()))
    await set_head(database, frontier)


async def spoil_head(database: Database) -> None:
    await database["heads"].update_one({"_id": "demo"}, {"$inc": {"size": 2}})


def slip_in(place: str, entry_type: EntryType) -> Callable[[Database], Awaitable[None]]:
    """Have an event stand where the log has none, as its own: readers would look for it there."""

    async def slip(database: Database) -> None:
        new = {"log": "demo", "event_id": "new", "type": entry_type.value, "message_id": MESSAGE}
        await database["events"].insert_one({"_id": place, **new})

    return slip


@pytest.mark.parametrize(
    ("tamper", "doubts"),
    [
        (spoil_head, {Doubt.MALFORMED}),
        (slip_in("demo|-00000000001", EntryType.ORIGINAL), {Doubt.SURPLUS}),
        (slip_in("demo|000000000005", EntryType.ORIGINAL), {Doubt.FIELDS_DIFFER}),
        (slip_in("demo|999999999999", EntryType.ACCESS), {Doubt.SURPLUS}),
        (slip_in("elsewhere|000000000000", EntryType.NOTICE), {Doubt.SURPLUS}),
        (flip_body, {Doubt.NOT_SIGNED_LOG, Doubt.NOT_PUBLISHED_LOG}),
        (drop_entry, {Doubt.OUT_OF_ORDER}),
        (drop_block, {Doubt.NOT_THE_HEAD}),
        (add_body, {Doubt.SURPLUS}),
        (swap_entries, {Doubt.OUT_OF_ORDER}),
        (truncate, {Doubt.BEHIND_PUBLISHED}),
        (change_private, {Doubt.PRIVATE_DIFFERS}),
        (change_index_field, {Doubt.FIELDS_DIFFER}),
        (hide_from_its_message, {Doubt.FIELDS_DIFFER}),
        (change_head, {Doubt.NOT_THE_HEAD}),
    ],
)
async def test_a_tampered_log_is_not_signed(
    world: World, tamper: Callable[[Database], Awaitable[None]], doubts: set[Doubt]
) -> None:
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        await world.publish(NOTICE_TO_ALL)
        await world.signed(WHOLE)
        await published(world, WHOLE)
    await tamper(world.database)
    async with world.running() as app:
        await refused(app, doubts)
        await world.publish(*[send(number) for number in range(COUNT, COUNT + 3)])
        await asyncio.sleep(1)  # four times the signing job's turn
        signed = await world.database["signed"].find_one({"_id": "demo"})
        assert signed is not None
        assert signed["size"] == WHOLE


async def test_a_broken_head_keeps_no_other_log_from_going_on(world: World) -> None:
    """It is named as soon as it is met, whichever job meets it."""
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(COUNT)], send(1, zone="other"))
        await world.signed(COUNT)
        await world.signed(1, "other")
        await spoil_head(world.database)
        await refused(app, {Doubt.MALFORMED})
    async with world.running() as app:
        await refused(app, {Doubt.MALFORMED})
        await world.publish(send(2, zone="other"))
        await world.signed(2, "other")
        async with world.http(app, Role.OPERATOR, zone=None) as http:
            logs = (await http.get("/v1/logs")).json()["items"]
    assert {log["zone_id"]: log["entries"] for log in logs} == {"demo": 0, "other": 2}


async def test_a_broken_head_keeps_no_other_logs_statements_and_alarms_from_their_answer(
    world: World,
) -> None:
    sends = [send(number, zone="other") for number in range(2)]
    stated = closed([item.event_id for item in sends], 2)
    of_other = stated.model_copy(update={"zone_id": "other", "event_id": "closed-other"})
    async with world.running():
        await world.publish(send(1), send(2), closed(["lost"], 1), *sends)
        await replays(world, 1)
        await world.signed(4)  # to which two more do not fit the form of a head
        await world.signed(2, "other")
    closings = world.database["closings"]
    again = {"$unset": {"looked_at": "", "again_at": "", "seen": ""}}
    await closings.update_one({"log": "demo"}, again)
    missing = [{**OVERDUE, "_id": f"{log}|alert|{OTHER}|", "log": log} for log in ("demo", "other")]
    await closings.insert_many(missing)
    await spoil_head(world.database)
    async with world.running():
        await world.publish(of_other)

        async def raised() -> bool:
            entries = await rows.entries(world.database, "other")
            return [entry["reason"] for entry in entries if entry["type"] == "alarm"] == [
                "no_closing"
            ]

        await until(raised, "the other log's alarm", seconds=40)

        async def answered() -> bool:
            # its own, and the request for what the alarm is about
            answers = [orjson.loads(item.value) for item in world.cluster.on("bin.replays")]
            return [a["answer"] for a in answers if a["zone_id"] == "other"].count("agreed") == 1

        await until(answered, "the other log's answer", seconds=40)


async def test_a_log_that_cannot_be_gone_on_with_is_named(world: World) -> None:
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        tile = {"_id": "demo|0|0"}
        whole = await world.database["tiles"].find_one(tile)
        assert whole is not None
        cut = {"$set": {"hashes": Binary(whole["hashes"][:-32])}}
        await world.database["tiles"].update_one(tile, cut)
        await world.publish(send(COUNT))

        async def named() -> bool:
            return (await app.ready()).get("log demo") == BROKEN

        await until(named, "readiness to name the log")
        await world.database["tiles"].replace_one(tile, whole)
        await world.signed(COUNT + 1)
        assert "log demo" not in await app.ready()


@pytest.mark.parametrize("grows", ["signed", "published"])
async def test_a_log_that_grows_while_its_check_begins_is_in_no_doubt(
    world: World, grows: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read of it one after the other was never true at one moment."""
    name = {"signed": "last", "published": "published"}[grows]
    real: Any = getattr(Checkpoints, name)
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        await published(world, COUNT)
        waiting = True

        async def meanwhile(self: Checkpoints, log: str) -> Any:
            nonlocal waiting
            if waiting:
                waiting = False
                await world.publish(*[send(number) for number in range(COUNT, COUNT + 5)])
                await world.signed(COUNT + 5)
                await published(world, COUNT + 5)
            return await real(self, log)

        monkeypatch.setattr(Checkpoints, name, meanwhile)
        key = Signer.load(world.settings.signing_key)
        log = LogStore(world.database, Clock(), timedelta(days=1), timedelta(days=1))
        check = CheckLog(world.client, log, Checkpoints(world.database), key.verifiers)
        assert await check.whole("demo") is None
        assert not app.ready.sign.doubts


async def rewrite(database: Database) -> Frontier:
    """Put other entries in the place of all, with a head that fits; give the tree's frontier."""
    frontier = Frontier()
    for index in range(COUNT):
        draft = Draft(event_id=f"event-demo-{index}-1", type=EntryType.SEND, time=NOW)
        body = seal(draft, index, "demo", bytes(32)).body
        frontier.append(leaf_hash(body))
        await rows.set_body(database, index, body)
    await database["private"].delete_many({})
    await set_head(database, frontier)
    return frontier


@pytest.mark.parametrize("hides", [False, True])
async def test_a_log_rewritten_without_its_key_is_not_signed_when_it_grows(
    world: World, *, hides: bool
) -> None:
    """Not even while the service runs: what it goes on from has to bear its signature."""
    database = world.database
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        await published(world, COUNT)
        frontier = await rewrite(database)
        root = {"root": Binary(frontier.root())}
        hashes = [Binary(value) for value in frontier.hashes]
        change: Document = {"$set": {**root, "frontier": hashes}}
        await database["signed"].update_one({"_id": "demo"}, change)
        if hides:
            await database["published"].update_one({"_id": "demo"}, {"$set": root})
        await world.publish(send(COUNT))
        await refused(app, {Doubt.NOT_ITS_NOTE})


async def published(world: World, size: int) -> None:
    async def there() -> bool:
        row = await world.database["published"].find_one({"_id": "demo"})
        return row is not None and row["size"] >= size

    await until(there, "its own checkpoint to be read back")


async def refused(app: App, doubts: set[Doubt]) -> None:
    async def said() -> bool:
        return "log demo" in await app.ready()

    await until(said, "readiness to name the log")
    assert (await app.ready())["log demo"] in {f"not signed: {doubt}" for doubt in doubts}


async def test_what_one_process_doubts_no_other_signs(world: World) -> None:
    """The one that writes a log has checked it; the doubt is of one that checks it later."""
    doubts = {Doubt.NOT_SIGNED_LOG, Doubt.NOT_PUBLISHED_LOG}
    async with world.running() as writer:
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        await published(world, COUNT)
        await flip_body(world.database)
        async with world.running() as other:
            await refused(other, doubts)
            await world.publish(*[send(number) for number in range(COUNT, COUNT + 3)])
            await refused(writer, doubts)
        signed = await world.database["signed"].find_one({"_id": "demo"})
        assert signed is not None
        assert signed["size"] == COUNT


async def test_a_log_rewritten_with_its_own_key_is_caught_by_what_was_published(
    world: World,
) -> None:
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        await published(world, COUNT)
    database = world.database
    frontier = await rewrite(database)
    note = Signer.load(world.settings.signing_key).sign("demo", COUNT, frontier.root())
    signed = {
        "size": COUNT,
        "frontier": [Binary(value) for value in frontier.hashes],
        "root": Binary(frontier.root()),
        "note": note,
    }
    await database["signed"].update_one({"_id": "demo"}, {"$set": signed})
    async with world.running() as app:
        await refused(app, {Doubt.NOT_PUBLISHED_LOG})


async def test_a_restored_backup_signs_nothing_below_what_was_published(world: World) -> None:
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        await published(world, COUNT)
    # the database is gone; the topics are not
    for name in await world.database.list_collection_names():
        await world.database[name].delete_many({})
    async with world.running() as app:
        await refused(app, {Doubt.BEHIND_PUBLISHED, Doubt.NOT_PUBLISHED_LOG})
        assert await world.database["signed"].count_documents({"_id": "demo"}) == 0


async def test_what_changed_between_appending_and_signing_is_seen(world: World) -> None:
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        await published(world, COUNT)
    app = await world.build()
    sign = app.ready.sign
    await sign.check()
    clock = Clock()
    log = LogStore(world.database, clock, timedelta(days=1), timedelta(days=1))
    epoch = await Ownership(world.database, "test", clock).claim("demo")
    drafts = [Draft(event_id=f"new-{n}", type=EntryType.ALARM, time=NOW) for n in range(3)]

    async def append(session: Session) -> None:
        await log.append(session, "demo", epoch, drafts)

    await transaction(world.client, append)
    changed = (await rows.entries(world.database))[COUNT + 1]
    changed["reason"] = "nothing"
    body = orjson.dumps(changed, option=orjson.OPT_SORT_KEYS)
    await rows.set_body(world.database, COUNT + 1, body)
    await world.database["leases"].delete_many({})
    await sign.once()
    assert sign.doubts == {"demo": Doubt.NOT_THE_HEAD.value}
    signed = await world.database["signed"].find_one({"_id": "demo"})
    assert signed is not None
    assert signed["size"] == COUNT


async def test_without_a_signing_key_it_does_not_start(world: World) -> None:
    world.settings.signing_key.write_text("no key")
    with pytest.raises(NoSigningKey, match="cannot read an Ed25519 key"):
        await world.build()
