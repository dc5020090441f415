"""What should have come and did not: an entry, a notice, and no second alarm for the same."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from services.audit.domain.closing import MOST_REQUESTS, digest
from services.audit.store.closings import COUNTED_AGAIN, Closings
from services.audit.store.log import LogStore
from shared.clock import Clock
from shared.contracts import Zone
from shared.contracts.registry import LegalBasis
from shared.kafka import Outgoing
from shared.mongo import Document
from tests.integration.audit import rows
from tests.integration.audit.test_whole_path import closed, publish_alert, replays
from tests.integration.audit.world import MESSAGE, OTHER, World, check_lists, send, until


async def alarms(world: World, log: str) -> list[str]:
    entries = await rows.entries(world.database, log)
    return [entry["reason"] for entry in entries if entry["type"] == "alarm"]


def later(world: World, by: timedelta) -> None:
    world.clock = Clock(now=lambda: datetime.now(UTC).replace(microsecond=0) + by)


async def test_an_original_without_a_verdict(world: World) -> None:
    zone = Zone(zone_id="demo", version=1, name="Demo", legal_basis=LegalBasis(warm="a", cold="b"))
    async with world.running():
        await world.publish(zone)
        await world.publish_raw(Outgoing("bin.alerts", "demo", b"x", ()))
        await world.publish_raw(Outgoing("bin.alerts", "no such zone", b"y", ()))

        async def there() -> bool:
            kept = await world.database["originals"].count_documents({})
            return kept == 2 and await world.database["zones"].count_documents({}) == 1

        await until(there, "the originals")
        assert await alarms(world, "demo") == []
    later(world, timedelta(minutes=11))
    for _ in range(2):
        async with world.running():

            async def raised() -> bool:
                both = [await alarms(world, log) for log in ("demo", "operators")]
                return both == [["no_verdict"], ["no_verdict"]]

            # a writer killed as the one before holds its lease for six seconds, and the job looks
            # every ten: so the second look may be the one
            await until(raised, "the alarms", seconds=40)


async def test_a_message_without_a_closing_statement(world: World) -> None:
    async with world.running():
        await publish_alert(world)
        await world.publish(send(1))
        await world.signed(3)
        rows = await world.database["closings"].find().to_list()
        assert [row["message_id"] for row in rows] == [MESSAGE]
        assert rows[0]["open"]
    async with world.running():  # which looks for what is overdue when it starts

        async def raised() -> bool:
            return await alarms(world, "demo") == ["no_closing"]

        # it expired long ago
        await until(raised, "the alarm")

        async def asked() -> bool:
            return len(world.cluster.on("bin.notices")) == 1

        await until(asked, "the notice")
    replay = orjson.loads(world.cluster.on("bin.replays")[0].value)
    assert (replay["answer"], replay["revision"], replay["events_seen"]) == ("resend", 0, 1)
    notice = orjson.loads(world.cluster.on("bin.notices")[0].value)
    assert (notice["template"], notice["about"]["message_id"]) == ("audit_alarm", MESSAGE)
    assert notice["to_role"] == {"role": "officer", "network_id": "bin-linde"}


async def test_a_statement_that_stays_different_is_asked_for_ever_later_and_then_an_alarm(
    world: World,
) -> None:
    passed = [timedelta()]
    world.clock = Clock(now=lambda: datetime.now(UTC) + passed[0])
    sends = [send(number) for number in range(5)]
    ids = [item.event_id for item in sends]
    row: dict[str, Any] = {}

    async def looked(revision: int) -> bool:
        row.update(await world.database["closings"].find_one({"release": None}) or {})
        return row.get("revision") == revision and "looked_at" in row

    def gauge() -> float | None:
        return REGISTRY.get_sample_value("buurtbode_audit_closings_staying_different")

    async def stays() -> bool:
        return await alarms(world, "demo") == ["closing_stays_different"] and gauge() == 1

    async with world.running():
        await world.publish(*sends[:3], closed(ids, 5))
        await replays(world, 1)
        waits = [timedelta(minutes=2**n) for n in range(MOST_REQUESTS)]
        for revision, wait in enumerate(waits, start=2):
            # the dispatcher answers each request by stating it anew; the events stay lost
            row.clear()
            await world.publish(closed(ids, 5, revision))
            await until(lambda n=revision: looked(n), "the statement to be looked at")
            assert len(world.cluster.on("bin.replays")) == revision - 1
            passed[0] += wait
            if revision <= MOST_REQUESTS:
                await replays(world, revision)
        await until(stays, "the alarm")
        assert await check_lists(world)("demo") is None
        passed[0] += timedelta(days=2)
        await world.publish(*sends)
        answers = [item["answer"] for item in await replays(world, MOST_REQUESTS + 1)]
        assert answers == ["resend"] * MOST_REQUESTS + ["agreed"]
        assert gauge() == 0
    assert await check_lists(world)("demo") is None


class Looks:
    """How often the job of any process looked for statements, and read a message's sends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.turns = 0
        self.counts = 0
        asking, send_bodies = Closings.asking, LogStore.send_bodies

        async def ask(closings: Closings, now: datetime, most: int) -> list[Document]:
            self.turns += 1
            return await asking(closings, now, most)

        def read(log: LogStore, name: str, message_id: str, below: int) -> AsyncIterator[bytes]:
            self.counts += 1
            return send_bodies(log, name, message_id, below)

        monkeypatch.setattr(Closings, "asking", ask)
        monkeypatch.setattr(LogStore, "send_bodies", read)

    async def settle(self) -> None:
        """Have each of two processes look twice at what is stored now."""
        enough = self.turns + 6

        async def looked() -> bool:
            return self.turns >= enough

        await until(looked, "the job to look")


async def test_a_message_is_counted_again_only_where_more_of_it_came_and_once_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one of two processes, however often the log grows by something else."""
    looks, begun, passed = Looks(monkeypatch), datetime.now(UTC), [timedelta()]
    world.clock = Clock(now=lambda: begun + passed[0])
    sends = [send(number) for number in range(6)]
    statement = closed([item.event_id for item in sends], 6)
    others = iter(range(100, 200))

    async def publish(*numbers: int) -> None:
        """Publish some of the sends, and wait until they are on record."""
        await world.publish(*[sends[number] for number in numbers])
        ids = {sends[number].event_id for number in numbers}

        async def stored() -> bool:
            return ids <= {entry["event_id"] for entry in await rows.entries(world.database)}

        await until(stored, "the sends to be on record")

    async def grow() -> None:
        """Have the log grow by another message, three times, and each process look."""
        for _ in range(3):
            await world.publish(send(next(others), message=OTHER))
            await looks.settle()

    async with world.running(), world.running():
        await publish(0, 1, 2)
        await world.publish(statement)
        assert [item["answer"] for item in await replays(world, 1)] == ["resend"]
        await grow()
        passed[0] += COUNTED_AGAIN / 2
        await publish(0, 1, 2)  # as the dispatcher does, which cannot know what was lost
        await grow()
        assert looks.counts == 1
        await publish(3)
        await grow()
        assert looks.counts == 1, "within the minute"
        await publish(4)
        passed[0] += COUNTED_AGAIN / 2
        await looks.settle()
        assert looks.counts == 2, "once for both"
        assert [item["events_seen"] for item in await replays(world, 2)] == [3, 5]
        passed[0] += timedelta(hours=1)
        assert [item["events_seen"] for item in await replays(world, 3)] == [3, 5, 5]
        await grow()
        assert looks.counts == 2, "when it is due nothing more has come"
        tired = {"requests": MOST_REQUESTS, "again_at": world.clock.now()}
        await world.database["closings"].update_one({"message_id": MESSAGE}, {"$set": tired})

        async def given_up() -> bool:
            return await alarms(world, "demo") == ["closing_stays_different"]

        await until(given_up, "the alarm")
        for _ in range(3):
            passed[0] += timedelta(hours=1)
            await grow()
        assert looks.counts == 2, "given up, and nothing came"
        await publish(5)
        assert [item["answer"] for item in await replays(world, 4)][3] == "agreed"
        await grow()
        assert looks.counts == 3
    assert await check_lists(world)("demo") is None


async def test_an_answer_that_cannot_be_written_is_not_tried_at_every_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a log that is broken: counting for it again and again would be for nothing."""
    looks = Looks(monkeypatch)
    sends = [send(number) for number in range(3)]
    async with world.running(), world.running():
        await world.publish(*sends)
        await world.signed(3)
        bodies = await rows.bodies(world.database)
        await rows.set_bodies(world.database, [*bodies, bodies[-1]])
        row: Document = {
            "_id": f"demo|alert|{MESSAGE}|",
            "log": "demo",
            "message_type": "alert",
            "message_id": MESSAGE,
            "release": None,
            "open": False,
            "ask": True,
            "event_id": "closed-1",
            "revision": 1,
            "events": 3,
            "digest": digest(item.event_id for item in sends),
            "bound": None,
        }
        await world.database["closings"].insert_one(row)
        for _ in range(3):
            await looks.settle()
        assert looks.counts == 1
