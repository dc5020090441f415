"""What should have come and did not: an entry, a notice, and no second alarm for the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from prometheus_client import REGISTRY

from services.audit.domain.closing import MOST_REQUESTS
from shared.clock import Clock
from shared.contracts import Zone
from shared.contracts.registry import LegalBasis
from shared.kafka import Outgoing
from tests.integration.audit import rows
from tests.integration.audit.test_whole_path import closed, publish_alert, replays
from tests.integration.audit.world import MESSAGE, World, check_lists, send, until


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
