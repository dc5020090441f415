"""Whatever is changed behind the service's back, in whichever row: a check of the log finds it."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from bson import Binary
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from services.audit.domain.alarms import Doubt
from services.audit.domain.merkle import Frontier, Tiles, grow_tiles, leaf_hash
from services.audit.flows.check_lists import CheckLists
from services.audit.flows.check_log import CheckLog
from services.audit.signer import Signer
from services.audit.store.blocks import ids_of
from services.audit.store.checkpoints import Checkpoints
from services.audit.store.events import entry_id
from services.audit.store.log import LogStore
from services.audit.verify import BROKEN, VERIFIED, verify_bundle
from shared.access import Role
from shared.clock import Clock
from shared.contracts.base import SendState
from shared.contracts.dispatcher import Reason, VerdictKind
from shared.mongo import Database, Document
from shared.settings import MongoSettings
from tests.integration.audit import rows
from tests.integration.audit.test_everything import (
    ALARM,
    ERASURE,
    NOTICE,
    accesses,
    released,
    verdict,
    zones,
)
from tests.integration.audit.test_whole_path import closed, planned, publish_alert, replays
from tests.integration.audit.world import OTHER, World, check_lists, new_world, send, until

COUNT = int(os.environ.get("BUURTBODE_MUTATED_SENDS", "30"))
EXAMPLES = int(os.environ.get("BUURTBODE_MUTATIONS", "60"))
"""More of both for a longer run; docs/operations.md names the last one."""

FIELDS = {
    "entries": ("bodies",),
    "events": ("log", "event_id", "type", "message_id"),
    "private": ("parts",),
    "erased": ("year",),
    "tiles": ("hashes",),
    "heads": ("size", "frontier"),
    "signed": ("size", "root", "frontier", "note"),
    "published": ("size", "root"),
    "sends": (
        *("log", "first", "day", "message_id", "network_ids", "channel", "entries", "events"),
        *("last", "seq", "state", "time"),
    ),
    "stats": ("log", "day", "network_id", "channel", "state", "count"),
    "outcomes": ("states",),
    "years": ("count",),
    "periods": ("lowest", "highest"),
    "messages": (
        *("log", "first", "message_type", "message_id", "kind", "status", "references"),
        *("network_ids", "released_to", "verdict", "reason", "people", "signer", "approver"),
        *("judged_at", "expires_at"),
    ),
    "closings": (
        *("log", "message_type", "message_id", "release", "network_ids", "due_at", "open"),
        *("event_id", "revision", "sends", "states", "events", "digest", "closed_at"),
        *("answer", "ask", "attempts", "alarmed", "stays_different"),
    ),
}
"""What the service reads a log from.

Not these, which no auditor is shown as the log's: `epoch`, `owner` and `batches` of a head,
`bound`, `looked_at`, `seen`, `came`, `counted`, `counted_at`, `requests` and `again_at` of a
closing, `positions`, `leases` and `checks` say how far the work has come, and what they make it
skip is found by statements and witnesses;
`zones` and `networks` are copies of what the registry says now, and give a log's pages their names
only; `originals` are what `original` entries commit to, and are read no more once they have one;
`erasures` say of whom nothing more is to be kept, which the log does not name.
"""

DOUBLED = {
    "entries",
    "events",
    "private",
    "erased",
    "sends",
    "stats",
    "outcomes",
    "years",
    "messages",
    "closings",
}


@dataclass(frozen=True)
class Checked:
    """A log that was signed, with what checks it."""

    world: World
    whole: CheckLog
    lists: CheckLists
    kept: dict[str, list[Document]]

    @property
    def database(self) -> Database:
        return self.world.database

    @property
    def size(self) -> int:
        """Give how many entries the log has."""
        return next(int(row["size"]) for row in self.kept["heads"] if row["_id"] == "demo")

    async def doubt(self) -> Doubt | None:
        """Give what a full check of the log says."""
        return await self.whole.whole("demo") or await self.lists("demo")

    async def restore(self) -> None:
        """Undo everything."""
        for name, kept in self.kept.items():
            await self.database[name].delete_many({})
            await self.database[name].insert_many(kept)


async def fill(world: World) -> None:
    """Have every kind of row: a message's whole life."""
    async with world.running():
        await publish_alert(world)
        others = [released(), NOTICE, ALARM, *[event for event, _ in zones()]]
        others += [event for event, _ in accesses()[:3]]
        refused = verdict(200, VerdictKind.REFUSED, Reason.EXPIRED)
        duplicate = verdict(201, VerdictKind.DUPLICATE, Reason.ID_TAKEN)
        await world.publish(refused, duplicate.model_copy(update={"message_id": OTHER}))
        erased = ERASURE.model_copy(update={"member_id": "member-3"})
        sends = [send(number) for number in range(COUNT)]
        sends += [send(number, 2, SendState.DELIVERED) for number in range(0, COUNT, 3)]
        ids = [item.event_id for item in sends]
        await world.publish(planned(), *sends, closed(ids, COUNT), *others)
        await replays(world, 1)
        await world.publish(erased)
        await until(lambda: _types(world, "erasure"), "the erasure")
        await until(lambda: _types(world, "original"), "the original")
        await world.signed(4 + len(sends) + 3 + len(others) + 2)

        async def quiet() -> bool:
            head = await world.database["heads"].find_one({"_id": "demo"})
            seen = await world.database["published"].find_one({"_id": "demo"})
            return head is not None and seen is not None and head["size"] == seen["size"]

        await until(quiet, "its own checkpoint to be read back")


async def _types(world: World, kind: str) -> bool:
    return await world.database["events"].count_documents({"type": kind}) > 0


async def checked(world: World) -> Checked:
    await fill(world)
    log = LogStore(
        world.database, Clock(), world.settings.text_kept_for, world.settings.private_kept_for
    )
    checkpoints = Checkpoints(world.database)
    verifiers = Signer.load(world.settings.signing_key).verifiers
    kept = {name: await world.database[name].find().sort("_id", 1).to_list() for name in FIELDS}
    return Checked(
        world,
        CheckLog(world.client, log, checkpoints, verifiers),
        check_lists(world),
        kept,
    )


def changed(value: Any, draw: Callable[[int], int]) -> Any:
    """Give something else of the same kind."""
    match value:
        case bytes():
            flipped = bytearray(value)
            flipped[draw(len(flipped))] ^= 1 << draw(8)
            return Binary(bytes(flipped))
        case str():
            return value[: draw(len(value) + 1)] + "x"
        case datetime():
            return value + timedelta(seconds=1 + draw(1000))
        case int():
            return value + draw(5) - 5
        case dict() | list():
            return _changed_inside(value, draw)  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return "x"


def _changed_inside(value: Document | list[Any], draw: Callable[[int], int]) -> Any:
    if isinstance(value, list):
        return _changed_list([*value], draw)
    name = sorted(value)[draw(len(value))] if value else "x"
    return {**value, name: changed(value.get(name), draw)}


def _changed_list(items: list[Any], draw: Callable[[int], int]) -> list[Any]:
    at = draw(len(items) + 1)
    if at == len(items):
        return [*items, items[0] if items else "x"]
    return [*items[:at], *([changed(items[at], draw)] if draw(2) else []), *items[at + 1 :]]


def is_silent(name: str, row: Document, field: str | None) -> bool:
    """Tell what nobody can see the absence of, and what has no meaning."""
    if name == "stats" and row["count"] == 0:
        return field != "count"
    # the world's memory is what a witness is for
    return field is None and name in {"published", "signed"}


def is_harmless(name: str, field: str, before: Any, after: Any) -> bool:
    """Tell what makes no answer false.

    A period that is wider than it needs to be; another date of the database's own for what no
    auditor reads the date of, as long as there is one.
    """
    if name == "periods" and isinstance(after, int):
        return after <= before if field == "lowest" else after >= before
    return field == "parts" and _dateless(before) == _dateless(after)


def _dateless(parts: Any) -> Any:
    """Give private parts with any date in the place of each date."""
    if isinstance(parts, list):
        return [_dateless(part) for part in cast("list[Any]", parts)]
    if not isinstance(parts, dict):
        return parts
    part = cast("Document", parts)
    return {**part, "until": isinstance(part.get("until"), datetime)}


async def mutate(made: Checked, data: st.DataObject) -> str:
    """Change, drop, double or swap something, and give what was done."""

    def draw(below: int) -> int:
        return data.draw(st.integers(0, below - 1))

    name = data.draw(st.sampled_from(sorted(FIELDS)))
    kept, collection = made.kept[name], made.database[name]
    row = kept[draw(len(kept))]
    how = data.draw(st.sampled_from(["change", "take", "delete", "double", "swap"]))
    field = data.draw(st.sampled_from(FIELDS[name]))
    match how:
        case "change":
            assume(not is_silent(name, row, field))
            value = changed(row.get(field), draw)
            assume(value != row.get(field))
            assume(not is_harmless(name, field, row.get(field), value))
            await collection.update_one({"_id": row["_id"]}, {"$set": {field: value}})
        case "take":
            assume(field in row and not is_silent(name, row, field))
            assume(not (name == "events" and row[field] is None))  # null and absent are alike
            await collection.update_one({"_id": row["_id"]}, {"$unset": {field: ""}})
        case "delete":
            assume(not is_silent(name, row, None))
            await collection.delete_one({"_id": row["_id"]})
        case "double":
            assume(name in DOUBLED and not is_silent(name, row, "day"))
            changes = {"event_id": "another"} if name == "events" else {}
            await collection.insert_one({**row, "_id": f"{row['_id']}x", **changes})
        case _:
            other = kept[draw(len(kept))]
            assume(row.get(field) != other.get(field))
            assume(not is_harmless(name, field, row.get(field), other.get(field)))
            assume(not is_harmless(name, field, other.get(field), row.get(field)))
            assume(not is_silent(name, row, field) and field != "event_id")
            for one, value in ((row, other.get(field)), (other, row.get(field))):
                await collection.update_one({"_id": one["_id"]}, {"$set": {field: value}})
    return f"{how} {field} of {row['_id']} in {name}"


def test_any_change_of_the_stored_log_is_found(
    mongo_database: MongoSettings, tmp_path: Path
) -> None:
    with asyncio.Runner() as runner:
        entered = new_world(mongo_database, tmp_path)
        world = runner.run(entered.__aenter__())
        made = runner.run(checked(world))
        assert runner.run(made.doubt()) is None

        @settings(max_examples=EXAMPLES, deadline=None)
        @given(st.data())
        def found(data: st.DataObject) -> None:
            try:
                what = runner.run(mutate(made, data))
                assert runner.run(made.doubt()) is not None, what
            finally:
                runner.run(made.restore())

        @settings(max_examples=EXAMPLES // 4, deadline=None)
        @given(st.integers(0, COUNT), st.booleans(), st.booleans())
        def found_rewritten(at: int, fresh: bool, hides: bool) -> None:  # noqa: FBT001
            try:
                runner.run(rewritten(made, at, fresh=fresh, hides=hides))
            finally:
                runner.run(made.restore())

        @settings(max_examples=EXAMPLES // 4, deadline=None)
        @given(size=st.integers(0, made.size - 1), fresh=st.booleans(), hides=st.booleans())
        @example(size=0, fresh=False, hides=True)
        def found_truncated(*, size: int, fresh: bool, hides: bool) -> None:
            try:
                runner.run(truncated(made, size, fresh=fresh, hides=hides))
            finally:
                runner.run(made.restore())

        found()
        found_rewritten()
        found_truncated()
        assert runner.run(made.doubt()) is None
        runner.run(entered.__aexit__(None, None, None))


async def rewritten(made: Checked, at: int, *, fresh: bool, hides: bool) -> None:
    """Rewrite one entry and everything that follows from it, signed anew; who finds it?

    With a fresh key, and with the log's own, the service finds it by what it read back from
    `bin.checkpoints`. Where that is rewritten too (`hides`), only a witness does.
    """
    note = await _sign(made, await _rewrite(made, at, hides=hides), fresh=fresh)
    doubt = await made.doubt()
    if not hides:
        assert doubt is not None
        return
    assert doubt is (Doubt.NOT_ITS_NOTE if fresh else None)
    if not fresh:
        await _is_found_by_who_kept(note, made)


async def truncated(made: Checked, size: int, *, fresh: bool, hides: bool) -> None:
    """Cut a log back to a size with everything that it consists of, signed anew; who finds it?

    The same as where it is rewritten: for the log by itself, it never was longer. Its lists and
    counters are not cut, so that they still tell of what is gone.
    """
    note = await _sign(made, await _truncate(made, size, hides=hides), fresh=fresh)
    doubt = await made.whole.whole("demo")
    if not hides:
        assert doubt is Doubt.BEHIND_PUBLISHED
        return
    assert doubt is (Doubt.NOT_ITS_NOTE if fresh else None)
    if not fresh:
        assert await made.lists("demo") is not None
        await _is_found_by_who_kept(note, made)


async def _is_found_by_who_kept(note: str, made: Checked) -> None:
    lines = await _bundle(made.world)
    assert verify_bundle(lines, made.world.public_pem).exit_code == VERIFIED
    assert verify_bundle(lines, made.world.public_pem, [note]).exit_code == BROKEN


async def _sign(made: Checked, frontier: Frontier, *, fresh: bool) -> str:
    """Put another checkpoint in the place of the last one, and give that one's note."""
    before = await made.database["signed"].find_one({"_id": "demo"}) or {}
    own = Signer.load(made.world.settings.signing_key)
    signer = Signer(Ed25519PrivateKey.generate()) if fresh else own
    root = frontier.root()
    changes: Document = {
        "size": frontier.size,
        "root": Binary(root),
        "frontier": [Binary(value) for value in frontier.hashes],
        "note": signer.sign("demo", frontier.size, root),
    }
    await made.database["signed"].update_one({"_id": "demo"}, {"$set": changes})
    return before["note"]


async def _rewrite(made: Checked, at: int, *, hides: bool) -> Frontier:
    bodies = await rows.bodies(made.database)
    bodies[at] = bodies[at].replace(b'"segments":', b'"segments":9', 1).replace(b"9null", b"9")
    await rows.set_body(made.database, at, bodies[at])
    return await _follow(made.database, bodies, hides=hides)


async def _truncate(made: Checked, size: int, *, hides: bool) -> Frontier:
    database = made.database
    kept = (await rows.bodies(database))[:size]
    await rows.set_bodies(database, kept)
    await database["events"].delete_many({"_id": ids_of("demo", entry_id("demo", size))})
    gone: Document = {"$pull": {"parts": {"index": {"$gte": size}}}}
    await database["private"].update_many({"_id": ids_of("demo")}, gone)
    await database["private"].delete_many({"_id": ids_of("demo"), "parts": []})
    return await _follow(database, kept, hides=hides)


async def _follow(database: Database, bodies: Sequence[bytes], *, hides: bool) -> Frontier:
    """Make tiles, head and, if it `hides`, what was read back those of some entries."""
    frontier, tiles = Frontier(), Tiles()
    leaves = [leaf_hash(body) for body in bodies]
    frontier.extend(leaves)
    grow_tiles(tiles, 0, leaves)
    await database["tiles"].delete_many({"_id": ids_of("demo")})
    for tile, hashes in tiles.items():
        row = {"_id": f"demo|{tile.level}|{tile.place}", "hashes": Binary(bytes(hashes))}
        await database["tiles"].insert_one(row)
    head = {"size": frontier.size, "frontier": [Binary(value) for value in frontier.hashes]}
    await database["heads"].update_one({"_id": "demo"}, {"$set": head})
    if hides:
        seen = {"size": frontier.size, "root": Binary(frontier.root())}
        await database["published"].update_one({"_id": "demo"}, {"$set": seen})
    return frontier


async def _bundle(world: World) -> list[bytes]:
    app = await world.build()
    async with world.http(app, Role.AUDITOR) as http:
        return (await http.get("/v1/zones/demo/bundle")).content.splitlines(keepends=True)
