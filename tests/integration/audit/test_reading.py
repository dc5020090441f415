"""What is read: exactly what was hashed, stable while the log grows, and no more than is needed."""

import base64
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from services.audit.app import App
from services.audit.domain.canonical import canonical
from services.audit.domain.entries import EntryType, private_hash
from services.audit.domain.merkle import leaf_hash
from services.audit.domain.proof import prove_author, read_proof
from services.audit.verify import read_key
from shared.access import Role
from shared.contracts.base import Channel, SendState
from shared.kafka import Outgoing
from tests.integration.audit import rows
from tests.integration.audit.test_everything import NOTICE, OTHER, TABLE
from tests.integration.audit.test_people import NUMBER, pseudonym
from tests.integration.audit.test_whole_path import publish_alert
from tests.integration.audit.world import MESSAGE, NOW, World, send, until

Item = dict[str, Any]

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


async def every_page(http: httpx.AsyncClient, path: str, **body: str) -> list[Item]:
    """Read a list to its end, whatever it is called."""
    found: list[Item] = []
    params: dict[str, int] = {"limit": 7}
    while True:
        method = "POST" if body else "GET"
        answer = await http.request(method, path, params=params, json=body or None)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        some = page.get("items", page.get("timeline", page.get("entries")))
        assert len(some) <= 7
        found += some
        if page["next"] is None:
            return found
        params["cursor"] = page["next"]


async def everything(world: World) -> int:
    """Publish every kind of event, and give how many entries these are at least."""
    await publish_alert(world)
    cases = [case for cases in TABLE.values() for case in cases]
    for event, _ in cases:
        await world.publish(event)
    mine = send(1000, recipient=pseudonym(world)).model_copy(
        update={"reason": "é \u2028 \U0001f6a8"}
    )
    await world.publish(mine)
    await world.publish_raw(Outgoing("bin.access", "demo", b"no event", ()))
    return sum(len(entries) for _, entries in cases) + 3


async def test_every_entry_is_shown_as_it_was_hashed_wherever_it_is_shown(world: World) -> None:
    query = {"destination": NUMBER, "reason": "asked by the member"}
    async with world.running() as app:
        count = await everything(world)
        await until(lambda: _has(world, count), f"{count} entries")
        await world.signed(count)
        await world.signed(1, "operators")
        async with world.http(app, Role.AUDITOR) as http:
            full = [
                *await every_page(http, "/v1/access"),
                *await every_page(http, "/v1/sends/send-1000"),
                *await every_page(http, "/v1/subjects/record", **query),
            ]
            for message_id in (MESSAGE, OTHER, NOTICE.notice_id):
                for kind in ("alert", "bulletin", "notice"):
                    path = f"/v1/messages/{message_id}?message_type={kind}"
                    if (await http.get(path)).status_code == 200:
                        full += await every_page(http, path)
            plain = [
                *await every_page(http, "/v1/sends"),
                *await every_page(http, "/v1/subjects/lookup", **query),
            ]
            hashed = await rows.bodies(world.database)
            await world.signed(len(hashed))
            key = read_key(world.public_pem, "buurtbode/demo")
            for index, body in enumerate(hashed):
                answer = await http.get(f"/v1/zones/demo/entries/{index}/proof")
                found = read_proof(answer.content)
                prove_author(found, key)
                assert canonical(answer.json()["entry"]) == body
                assert base64.b64decode(answer.json()["leaf_hash"]) == leaf_hash(body)
    assert {orjson.loads(body)["type"] for body in hashed} == set(EntryType)
    shown = {item["entry"]["type"] for item in full if item["private"] is not None}
    assert shown == set(EntryType) - {EntryType.KEY, EntryType.ERASURE}  # about no message
    for item in full:
        assert canonical(item["entry"]) == hashed[item["entry"]["index"]]
        if item["private"] is not None:
            salt = bytes.fromhex(item["salt"])
            assert private_hash(salt, canonical(item["private"])) == item["entry"]["private"]
    assert {item["send_id"] for item in plain} >= {"send-1000", "send-0"}
    for entry in plain:
        assert canonical(entry) == hashed[entry["index"]]


async def _has(world: World, count: int) -> bool:
    return await world.size() >= count


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
            ("/v1/zones/demo/entries/5/proof", {"size": "60"}),
            ("/v1/zones/demo/consistency", {"from": "3", "to": "60"}),
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
    assert asked >= {"entries", "private", "tiles", "sends", "periods", "stats", "messages"}
    assert not [plan for plan in plans if "COLLSCAN" in plan[1]]
    worst = max(row.get("docsExamined", 0) for row in profile if "planSummary" in row)
    assert worst <= 2 * count
