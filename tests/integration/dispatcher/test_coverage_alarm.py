"""A warm message of which too little is accepted in time is an alarm, once, until it is mended."""

from datetime import timedelta

import pytest

from shared.contracts import CoverageAlarm
from tests.support.sending import Dispatcher, World, crowd
from tests.support.wait import until


def _alarms(world: World) -> list[CoverageAlarm]:
    return [
        CoverageAlarm.from_json(record.value)
        for record in world.cluster.on("bin.sends")
        if dict(record.headers)["ce_type"] == CoverageAlarm.TYPE.encode()
    ]


async def _told(world: World, dispatcher: Dispatcher) -> str | None:
    url = str(dispatcher.settings.public_url).rstrip("/")
    waiting: dict[str, str] = (await world.http.get(f"{url}/readyz")).json()["waiting_for"]
    return waiting.get("coverage")


@pytest.mark.parametrize(("away", "raised"), [(2, True), (1, False)])
async def test_below_the_threshold_an_alarm_is_raised_once_and_readiness_says_why(
    world: World, away: int, *, raised: bool
) -> None:
    """18 of 20 are too few, 19 are enough; what got through late ends the complaint."""
    await world.people(*crowd(20))
    await world.fault("sms", "status_500", count=away)
    within = timedelta(seconds=2)
    async with world.dispatcher(
        coverage_within=within, second_attempt_after=timedelta(seconds=6)
    ) as dispatcher:
        alert = await world.alert()

        async def looked_at() -> bool:
            found = await dispatcher.app.stores.database["messages"].find_one({"watched": True})
            return found is not None

        await until(looked_at)
        told = await _told(world, dispatcher)
        assert (told is not None) is raised
        if told is not None:
            assert f"18 of 20 sends of message {alert} are accepted" in told
        await world.closed(alert)

        async def well() -> bool:
            return await _told(world, dispatcher) is None

        await until(well)
    assert [(one.accepted, one.owed, one.message_id) for one in _alarms(world)] == (
        [(18, 20, alert)] if raised else []
    )
