"""Reading while the log grows, and without reading more of the database than the answer needs."""

from datetime import timedelta
from typing import Any

import pytest

from services.audit.app import App
from shared.access import Role
from shared.contracts.base import Channel, SendState
from tests.integration.audit.world import MESSAGE, NOW, World, send

FILTERS: list[dict[str, str]] = [
    {},
    {"network_id": "bin-linde"},
    {"message_id": MESSAGE},
    {"channel": "sms"},
    {"state": "delivered"},
    {"from": "2026-03-14T00:00:00Z", "to": "2026-03-15T00:00:00Z"},
    {"network_id": "bin-linde", "state": "accepted", "channel": "sms"},
    {"message_id": MESSAGE, "state": "accepted", "from": "2026-03-14T00:00:00Z"},
]


async def test_a_list_is_stable_while_the_log_grows_under_it(world: World) -> None:
    count, seen, cursor = 40, list[str](), None
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(count)])
        await world.signed(count)
        total = count
        async with world.http(app, Role.AUDITOR) as http:
            while True:
                values = {"limit": 7} if cursor is None else {"limit": 7, "cursor": cursor}
                page = (await http.get("/v1/sends", params=values)).json()
                seen += [item["send_id"] for item in page["items"]]
                cursor = page["next"]
                if cursor is None:
                    break
                # meanwhile: a new send, and news of one that was listed and of one that was not
                news = [
                    send(count + total),
                    send((total * 7) % count, total, SendState.DELIVERED),
                    send((total * 11) % count, total + 1000, SendState.FAILED),
                ]
                await world.publish(*news)
                total += len(news)
                await world.signed(total)
    assert sorted(seen) == sorted({f"send-{number}" for number in range(count)})


async def test_filters_find_what_they_name_and_nothing_else(world: World) -> None:
    hour = 3600
    async with world.running() as app:
        await world.publish(
            *[send(number, channel=Channel.EMAIL) for number in range(3)],
            *[send(number) for number in range(3, 8)],
            send(8, 5 * hour),
            send(4, 2 * hour, SendState.DELIVERED),
            send(6, 9 * hour, SendState.DELIVERED, networks=["bin-beuk"]),
        )
        await world.signed(11)

        async def found(**values: str) -> set[int]:
            answer = await http.get("/v1/sends", params=values)
            return {int(item["send_id"].removeprefix("send-")) for item in answer.json()["items"]}

        def at(hours: float) -> str:
            return (NOW + timedelta(hours=hours)).isoformat()

        async with world.http(app, Role.AUDITOR) as http:
            assert await found() == set(range(9))
            assert await found(channel="email") == {0, 1, 2}
            assert await found(state="delivered") == {4, 6}
            assert await found(state="accepted", channel="sms") == {3, 5, 7, 8}
            assert await found(to=at(1)) == {0, 1, 2, 3, 5, 7}
            assert await found(**{"from": at(1)}) == {4, 6, 8}
            assert await found(**{"from": at(1.5), "to": at(4)}) == {4}
            assert await found(**{"from": at(3), "to": at(4)}) == set()
            assert await found(**{"from": at(100)}) == set()
            assert await found(**{"from": at(4), "state": "delivered"}) == {6}
            assert await found(to=at(4), cursor="4") == {0, 1, 2, 3}


async def ask_everything(world: World, app: App) -> None:
    async with world.http(app, Role.AUDITOR) as http:
        asked: list[tuple[str, dict[str, str]]] = [
            *(("/v1/sends", values) for values in FILTERS),
            *(("/v1/sends", {**values, "cursor": "20"}) for values in FILTERS),
            ("/v1/messages", {}),
            ("/v1/messages", {"cursor": "20"}),
            ("/v1/sends/send-3", {}),
            ("/v1/zones/demo/checkpoint", {}),
            ("/v1/zones/demo/entries/5/proof", {}),
            ("/v1/zones/demo/entries/5/proof", {"size": "9"}),
            ("/v1/zones/demo/consistency", {"from": "3", "to": "30"}),
            ("/v1/zones/demo/bundle", {}),
            ("/v1/zones/demo/bundle", {"from": "30"}),
            ("/v1/stats", {}),
            ("/v1/stats", {"from": "2026-03-01", "to": "2026-03-31"}),
            ("/v1/access", {}),
            ("/v1/access", {"cursor": "20"}),
        ]
        for path, values in asked:
            answer = await http.get(path, params=values)
            assert answer.status_code == 200, f"{path} {values}: {answer.text}"
        missing = await http.get(f"/v1/messages/{MESSAGE}")
        assert missing.status_code == 404
        for action in ("lookup", "record"):
            query = {"destination": "someone@example.org", "reason": "asked by the person"}
            answer = await http.post(f"/v1/subjects/{action}", json=query)
            assert answer.status_code == 200
    async with world.http(app, Role.FEDERAL, zone=None) as http:
        assert (await http.get("/v1/stats")).status_code == 200


@pytest.mark.parametrize("count", [60])
async def test_no_question_reads_a_whole_collection(world: World, count: int) -> None:
    async with world.running():
        await world.publish(*[send(number) for number in range(count)])
        await world.signed(count)
    app = await world.build()  # without its jobs, so that what is profiled was asked
    await world.database.command({"profile": 2})
    try:
        await ask_everything(world, app)
    finally:
        await world.database.command({"profile": 0})
    profile: list[dict[str, Any]] = await world.database["system.profile"].find().to_list()
    plans = {
        (row["ns"].partition(".")[2], row["planSummary"]) for row in profile if "planSummary" in row
    }
    asked = {name for name, _ in plans}
    assert asked >= {"entries", "private", "tiles", "sends", "hours", "stats", "messages"}
    assert not [plan for plan in plans if "COLLSCAN" in plan[1]]
    worst = max(row.get("docsExamined", 0) for row in profile if "planSummary" in row)
    assert worst <= 2 * count
