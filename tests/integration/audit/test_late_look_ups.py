"""A look-up that was on its way while its number was erased keeps nothing of that number."""

from datetime import datetime, timedelta

import orjson

from shared.clock import utc_now
from shared.contracts import Access
from tests.integration.audit import rows
from tests.integration.audit.test_people import applied, erasure
from tests.integration.audit.world import World, check_lists, send

MINE = "c" * 64


def looked_up(number: int, time: datetime) -> Access:
    return Access(
        event_id=f"looked-up-{number}",
        zone_id="demo",
        service="audit",
        kind="lookup",
        action="subject.lookup",
        actor="a" * 64,
        recipient=MINE,
        reason=f"question {number}",
        time=time,
    )


async def kept(world: World) -> list[str]:
    """Give the reasons of those look-ups of the number whose private part is there."""
    stored = (await rows.parts(world.database)).values()
    parts = [orjson.loads(part["part"]) for part in stored if part.get("recipient") == MINE]
    return [part["reason"] for part in parts if "reason" in part]


async def test_one_that_was_asked_before_the_erasure_keeps_nothing_when_it_comes_after(
    world: World,
) -> None:
    async with world.running():
        await world.publish(send(1, recipient=MINE, members=["a"]))
        await world.signed(1)
        await world.publish(erasure("a"))
        await applied(world, "a")
        now = utc_now()
        before, after = now - timedelta(minutes=1), now + timedelta(minutes=1)
        await world.publish(looked_up(1, before), looked_up(2, after))
        await world.signed(5)
        assert await kept(world) == ["question 2"]
        # the number is somebody else's now, and so are the questions about it
        await world.publish(send(2, recipient=MINE, members=["b"]))
        await world.signed(6)
        await world.publish(looked_up(3, before))
        await world.signed(7)
        assert await kept(world) == ["question 2", "question 3"]
    assert await check_lists(world)("demo") is None
