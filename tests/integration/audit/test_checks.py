"""The daily checks of whole logs: on record, shown to operators, loud when they find something."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from services.audit.domain.alarms import Doubt
from services.audit.flows import sign_checkpoints
from services.audit.flows.check_log import CheckLog
from services.audit.flows.watch_lists import WatchLists
from services.audit.store.checks import Checked, Checks
from services.audit.store.log import LogStore
from shared.access import Role
from shared.clock import Clock, utc_now
from shared.contracts.dispatcher import Reason, VerdictKind
from shared.mongo import Document
from tests.integration.audit import rows
from tests.integration.audit.test_everything import OTHER, released, verdict
from tests.integration.audit.test_whole_path import closed, planned, verdict_on
from tests.integration.audit.world import NOW, World, check_lists, send, until

COUNT = 12
DAY = timedelta(days=1)


async def logs(http: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {log["zone_id"]: log for log in (await http.get("/v1/logs")).json()["items"]}


async def a_day_passes(world: World) -> None:
    for log in ("demo", "other"):
        row = {"log": log, "what": "lists", "begun": NOW, "done": True}
        await world.database["checks"].replace_one({"_id": f"{log}|lists"}, row, upsert=True)


async def test_an_operator_sees_how_far_each_log_is_and_when_it_was_checked(world: World) -> None:
    async with world.running():
        await world.publish(send(1), send(2, zone="other"))
        await world.signed(1)
        await world.signed(1, "other")
    await a_day_passes(world)
    async with world.running() as app:
        async with world.http(app, Role.OPERATOR, zone=None) as http:

            async def checked() -> bool:
                found = (await logs(http)).values()
                return bool(found) and all(log["whole"] and log["lists"] for log in found)

            await until(checked, "both checks of every log")
            found = await logs(http)
            assert set(found) == {"demo", "other"}
            for log in found.values():
                assert log["entries"] == log["signed"] == log["whole"]["size"] == 1
                assert log["whole"]["doubt"] is log["lists"]["doubt"] is None
        async with world.http(app, Role.OPERATOR, zone="other") as http:
            assert set(await logs(http)) == {"other"}
        async with world.http(app, Role.AUDITOR) as http:
            assert (await http.get("/v1/logs")).status_code == 404


CHANGES: dict[str, tuple[str, Document, Document]] = {
    "the state of a send": ("sends", {"_id": "demo|send-3"}, {"$set": {"state": "failed"}}),
    "a state that no list names": ("sends", {"_id": "demo|send-3"}, {"$set": {"state": "gone"}}),
    "the verdict of a message": ("messages", {}, {"$set": {"verdict": "refused"}}),
    "what a statement said": ("closings", {}, {"$set": {"sends": COUNT - 1}}),
    "a message's count": ("outcomes", {}, {"$inc": {"states.accepted": -1}}),
    "the places of a period": ("periods", {}, {"$set": {"highest": 2}}),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_lists_that_no_longer_follow_from_the_log_turn_readiness_red(
    world: World, what: str
) -> None:
    async with world.running():
        sends = [send(number) for number in range(COUNT)]
        statement = closed([item.event_id for item in sends], COUNT)
        await world.publish(verdict_on(0, 0), *sends, statement)
        await world.signed(COUNT + 2)
    collection, row, change = CHANGES[what]
    changed = await world.database[collection].update_one(row, change)
    assert changed.modified_count == 1
    await a_day_passes(world)
    async with world.running() as app:

        async def said() -> bool:
            return "lists of demo" in await app.ready()

        await until(said, "readiness to name the lists")
        doubt = Doubt.COUNTERS_DIFFER if collection == "outcomes" else Doubt.LISTS_DIFFER
        assert (await app.ready())["lists of demo"] == doubt.value

        async def counted() -> bool:
            return REGISTRY.get_sample_value("buurtbode_audit_list_doubts") == 1

        await until(counted, "the metric")
        # the log itself is whole, and goes on
        size = await world.size()
        await world.publish(send(COUNT))
        await world.signed(size + 1)


async def test_no_row_of_the_database_keeps_lists_from_being_checked(world: World) -> None:
    """Whoever changes a list can also say that it was checked, and that nothing was found."""
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
    day, passed = DAY.total_seconds(), 0.0
    clock = Clock(monotonic=lambda: passed)
    kept_for = (world.settings.text_kept_for, world.settings.private_kept_for)
    log, checks = LogStore(world.database, clock, *kept_for), Checks(world.database)
    watch = WatchLists(check_lists(world), log, checks, clock)
    await watch.once()
    await world.database["sends"].update_one({"_id": "demo|send-3"}, {"$set": {"state": "failed"}})

    async def said(begun: timedelta) -> None:
        row = {"begun": utc_now() + begun, "at": utc_now(), "size": COUNT, "doubt": None}
        where: Document = {"_id": "demo|lists"}
        await world.database["checks"].update_one(where, {"$set": {**row, "done": True}})

    await said(-timedelta(minutes=1))
    await watch.once()
    assert await watch.doubted() == {}  # an honest row: a check that another process has just made
    await said(timedelta(days=9999))
    await watch.once()
    assert await watch.doubted() == {"demo": Doubt.LISTS_DIFFER.value}
    await said(-timedelta(minutes=1))
    assert await watch.doubted() == {"demo": Doubt.LISTS_DIFFER.value}
    change: Document = {"$set": {"state": "accepted"}}
    await world.database["sends"].update_one({"_id": "demo|send-3"}, change)
    passed += day
    await watch.once()
    assert await watch.doubted() == {}


async def test_a_whole_log_is_checked_again_after_a_day(world: World) -> None:
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)

        async def read_back() -> bool:
            return await world.database["published"].count_documents({"size": COUNT}) > 0

        await until(read_back, "its own checkpoint to be read back")
    passed = 0.0
    world.clock = Clock(monotonic=lambda: passed)
    sign = (await world.build()).ready.sign
    await sign.check()
    body = (await rows.bodies(world.database))[3]
    await rows.set_body(world.database, 3, body.replace(b"accepted", b"canceled"))
    await sign.check()
    assert not sign.doubts
    passed += DAY.total_seconds()
    await sign.check()
    assert set(sign.doubts) == {"demo"}


async def test_lists_follow_from_the_order_of_the_log_also_within_one_batch(world: World) -> None:
    refused = verdict(1, VerdictKind.REFUSED, Reason.EXPIRED)
    for event in (released(), refused, planned(), closed([], 0), verdict_on(0, 0)):
        await world.publish(event)
    async with world.running():
        await world.signed(6)
    listed = {row["message_id"]: row async for row in world.database["messages"].find()}
    entries = await rows.entries(world.database)
    first = next(entry for entry in entries if entry["message_id"] == OTHER)
    assert listed[OTHER]["first"] == first["index"]
    assert await check_lists(world)("demo") is None


async def test_a_check_is_done_once_a_day_by_one_process(world: World) -> None:
    one, other = Checks(world.database), Checks(world.database)
    assert not await one.begin("demo", "lists", NOW - DAY, DAY)  # seen for the first time
    assert await one.begin("demo", "lists", NOW, DAY)
    assert not await other.begin("demo", "lists", NOW + timedelta(hours=1), DAY)
    assert await other.begin("demo", "lists", NOW + timedelta(hours=3), DAY)  # the first was killed
    await other.end("demo", "lists", Checked(NOW + timedelta(hours=3), 1, None))
    assert not await other.begin("demo", "lists", NOW + timedelta(hours=26), DAY)
    assert not await other.begin("demo", "log", NOW, DAY)
    next_day = NOW + DAY + timedelta(hours=3)
    assert await other.begin("demo", "lists", next_day, DAY)
    assert not await one.begin("demo", "lists", next_day, DAY)


async def test_a_log_whose_head_is_gone_is_not_taken_for_a_new_one(world: World) -> None:
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
    await world.database["heads"].delete_one({"_id": "demo"})
    world.clock = Clock()
    async with world.running() as app:

        async def said() -> bool:
            return "log demo" in await app.ready()

        await until(said, "readiness to name the log")


async def test_a_large_log_is_checked_once_while_others_are_signed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both jobs would begin with it at each start, and no other log be signed for minutes."""
    real, began, go_on = CheckLog.whole, list[str](), asyncio.Event()

    async def whole(self: CheckLog, log: str) -> Doubt | None:
        began.append(log)
        if log == "demo":
            await go_on.wait()
        return await real(self, log)

    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
    monkeypatch.setattr(CheckLog, "whole", whole)
    monkeypatch.setattr(sign_checkpoints, "SMALL", COUNT // 2)
    async with world.running():
        await world.publish(send(COUNT), send(1, zone="other"))
        await world.signed(1, "other")
        await until(lambda: _is_in("demo", began), "the check of the large log")
        await world.publish(send(2, zone="other"))
        await world.signed(2, "other")
        signed = await world.database["signed"].find_one({"_id": "demo"})
        assert signed is not None
        assert signed["size"] == COUNT
        go_on.set()
        await world.signed(COUNT + 1)
    assert began.count("demo") == 1


async def _is_in(log: str, began: list[str]) -> bool:
    return log in began


async def test_a_check_that_does_not_end_is_overdue_after_two_days(world: World) -> None:
    checks = Checks(world.database)
    assert not await checks.begin("demo", "lists", NOW, DAY)
    assert await checks.begin("demo", "lists", NOW + 1.5 * DAY, DAY)  # and its process ends
    assert await checks.overdue(NOW) == set()
    assert await checks.overdue(NOW + DAY) == {("demo", "lists")}
    await checks.end("demo", "lists", Checked(NOW + 2 * DAY, 1, None))
    assert await checks.overdue(NOW + DAY) == set()
    assert await checks.overdue(NOW + 3 * DAY) == {("demo", "lists")}


async def test_an_operator_sees_that_a_check_is_overdue(world: World) -> None:
    async with world.running() as app:
        await world.publish(send(1))
        await world.signed(1)
        async with world.http(app, Role.OPERATOR) as http:
            assert not (await logs(http))["demo"]["overdue"]
            old = {"log": "demo", "what": "lists", "at": utc_now() - 3 * DAY, "done": False}
            fields: Document = {**old, "size": 1, "doubt": None, "begun": utc_now()}
            where: Document = {"_id": "demo|lists"}
            await world.database["checks"].replace_one(where, fields, upsert=True)
            assert (await logs(http))["demo"]["overdue"]
