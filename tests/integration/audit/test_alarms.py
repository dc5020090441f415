"""What should have come and did not: an entry, a notice, and no second alarm for the same."""

from datetime import UTC, datetime, timedelta

import orjson

from shared.clock import Clock
from shared.contracts import Zone
from shared.contracts.registry import LegalBasis
from shared.kafka import Outgoing
from tests.integration.audit.test_whole_path import publish_alert
from tests.integration.audit.world import MESSAGE, World, send, until


async def alarms(world: World, log: str) -> list[str]:
    rows = world.database["entries"].find({"log": log, "type": "alarm"})
    return [orjson.loads(row["body"])["reason"] async for row in rows]


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
