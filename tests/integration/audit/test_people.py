"""What concerns people: look-ups, erasure, the record of reading, and what ends by its date."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from services.audit.api.report_words import words
from services.audit.app import App
from services.audit.domain.alarms import Doubt
from services.audit.flows.drop_ended import DropEnded
from services.audit.store.originals import Originals
from services.audit.store.ownership import Ownership
from services.audit.store.private import PrivateParts
from services.audit.verify import verify_bundle
from shared.access import Role
from shared.clock import Clock
from shared.contracts import Access, Erasure, Network, Notice, Send
from shared.contracts.base import Channel, MessageType, SendState
from shared.contracts.registry import RoleInNetwork
from shared.kafka import Outgoing
from shared.mongo import Database
from shared.pseudonyms import KeyRing, rotate
from tests.integration.audit import rows
from tests.integration.audit.test_whole_path import publish_alert
from tests.integration.audit.world import MESSAGE, NOW, World, check_lists, send, until

NUMBER = "+32450000001"
NOTICE = "7a1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e91"


NOTICE_TO_ALL = Notice(
    notice_id=NOTICE,
    zone_id="demo",
    to_role=RoleInNetwork(role="coordinator", network_id="bin-linde"),
    template="bulletin_waiting",
    issued_at=NOW,
    expires_at=NOW,
)


def pseudonym(world: World, zone: str = "demo") -> str:
    return KeyRing(world.settings.pseudonym_keys).pseudonym(zone, datetime.now(UTC).year, NUMBER)


async def recorded(world: World, action: str, count: int = 1) -> list[dict[str, Any]]:
    """Wait until accesses of a kind are entries, and give their private parts."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found.clear()
        entries = await rows.entries(world.database)
        parts = await rows.parts(world.database)  # written together, so none is missing
        for entry in entries:
            if (entry["type"], entry["reason"]) == ("access", action):
                part = parts.get(entry["index"])
                found.append({} if part is None else orjson.loads(part["part"]))
        return len(found) >= count

    await until(there, f"{count} entries of {action}")
    return found


async def test_what_was_sent_to_a_number_is_found_and_the_question_is_on_record(
    world: World,
) -> None:
    mine = pseudonym(world)
    async with world.running() as app:
        await world.publish(
            send(1, recipient=mine),
            send(1, 2, SendState.DELIVERED, recipient=mine),
            send(2),
            send(3, zone="other", recipient=pseudonym(world, "other")),
        )
        await world.signed(3)
        query = {"destination": "0450 00 00 01", "reason": "asked by the member"}
        async with world.http(app, Role.AUDITOR, sub="auditor-7") as http:
            found = (await http.post("/v1/subjects/lookup", json=query)).json()
            assert [(item["send_id"], item["state"]) for item in found["items"]] == [
                ("send-1", "delivered")
            ]
            part = (await recorded(world, "subject.lookup"))[0]
            assert (part["reader"], part["reason"]) == ("auditor-7", "asked by the member")
            assert part["recipient"] == mine
            whole = (await http.post("/v1/subjects/record", json=query)).json()["items"]
            assert [item["entry"]["type"] for item in whole] == ["send", "send", "access"]
            bad = await http.post("/v1/subjects/lookup", json={**query, "destination": "nobody"})
            assert bad.status_code == 422
            assert bad.json()["field"] == "destination"
            short = await http.post("/v1/subjects/lookup", json={**query, "reason": "x"})
            assert short.status_code == 422
            assert "0450" not in short.text
    bodies = b"".join(await rows.bodies(world.database))
    for personal in (NUMBER, mine, "auditor-7", "asked by"):
        assert personal.encode() not in bodies


async def test_from_somebodys_send_of_a_notice_one_gets_to_the_notice(world: World) -> None:
    mine, query = pseudonym(world), {"destination": NUMBER, "reason": "asked by the member"}
    mail = send(1, recipient=mine, message=NOTICE, channel=Channel.EMAIL)
    async with world.running() as app:
        await world.publish(
            NOTICE_TO_ALL, mail.model_copy(update={"message_type": MessageType.NOTICE})
        )
        await world.signed(2)
        async with world.http(app, Role.AUDITOR) as http:
            found = (await http.post("/v1/subjects/lookup", json=query)).json()["items"]
            path = f"/v1/messages/{found[0]['message_id']}"
            shown = (await http.get(path)).json()
            page = (await http.get(f"{path}/page", params={"language": "en"})).text
            listed = (await http.get("/v1/messages")).json()["items"]
        async with world.http(app, Role.AUDITOR, zone="other") as http:
            assert (await http.get(path)).status_code == 404
    names = ("message_type", "kind", "network_ids", "states")
    assert [shown[name] for name in names] == [
        "notice",
        "bulletin_waiting",
        ["bin-linde"],
        {"accepted": 1},
    ]
    assert "notice" in {item["entry"]["type"] for item in shown["timeline"]}
    assert words("en")["notice_text"] in page
    assert listed == []


async def test_every_reading_of_personal_data_is_an_entry(world: World) -> None:
    async with world.running() as app:
        await world.publish(send(1))
        await world.signed(1)
        async with world.http(app, Role.AUDITOR) as http:
            assert (await http.get("/v1/sends/send-1")).status_code == 200
            assert (await http.get("/v1/zones/demo/bundle")).status_code == 200
            assert (await http.get("/v1/access")).status_code == 200
            for action in ("send.show", "log.bundle", "access.list"):
                assert (await recorded(world, action))[0]["reader"] == "auditor-1"
            page = (await http.get("/v1/access", params={"limit": 2})).json()
            assert [item["entry"]["type"] for item in page["items"]] == ["access"] * 2
            rest = (await http.get("/v1/access", params={"cursor": page["next"]})).json()
            shown = [item["entry"]["index"] for item in page["items"] + rest["items"]]
            assert shown == sorted(set(shown), reverse=True)


async def test_who_opened_somebodys_send_stands_in_that_persons_record(world: World) -> None:
    mine, query = pseudonym(world), {"destination": NUMBER, "reason": "asked by the member"}
    async with world.running() as app:
        await world.publish(
            send(1, recipient=mine, members=["a", "b"]),
            send(1, 2, SendState.DELIVERED, recipient=mine, members=["a", "b"]),
            send(2),
        )
        await world.signed(3)
        async with world.http(app, Role.AUDITOR, sub="auditor-7") as http:
            for number in (1, 2):
                assert (await http.get(f"/v1/sends/send-{number}")).status_code == 200
            opened = await recorded(world, "send.show", 2)
            whole = (await http.post("/v1/subjects/record", json=query)).json()["items"]
        reads = [item for item in whole if item["entry"]["reason"] == "send.show"]
        assert [item["entry"]["message_id"] for item in reads] == [MESSAGE]
        part = {**reads[0]["private"], "reason": None}
        assert part in opened
        assert (part["reader"], part["recipient"]) == ("auditor-7", mine)
        assert part["member_ids"] == ["a", "b"]
        await world.publish(erasure("a"))
        await applied(world, "a")
        assert ["a", "b"] in await members_kept(world)
        await world.publish(erasure("b"))
        await applied(world, "b")
        assert await members_kept(world) == [["member-2"], ["member-2"]]  # the send and the look
        async with world.http(app, Role.AUDITOR, sub="auditor-7") as http:
            assert (await http.get("/v1/sends/send-1")).status_code == 200
        after = (await recorded(world, "send.show", 3))[2]
        assert (after["member_ids"], after["recipient"]) == ([], None)
    assert await check_lists(world)("demo") is None


async def test_questions_about_somebody_come_in_pages_each_of_them_on_record(
    world: World,
) -> None:
    mine, query = pseudonym(world), {"destination": NUMBER, "reason": "asked by the member"}

    async def pages(http: httpx.AsyncClient, action: str) -> list[list[dict[str, Any]]]:
        found: list[list[dict[str, Any]]] = []
        params: dict[str, int] = {"limit": 4}
        while True:
            answer = await http.post(f"/v1/subjects/{action}", json=query, params=params)
            page = answer.json()
            found.append(page["items"])
            if page["next"] is None:
                return found
            params["cursor"] = page["next"]
            # meanwhile: a new send, and news of one that stands on no page yet
            number = 100 + len(found)
            news = send(1, number, SendState.DELIVERED, recipient=mine)
            await world.publish(send(number, recipient=mine), news)
            await world.signed(await world.size())

    async with world.running() as app:
        await world.publish(*[send(number, recipient=mine) for number in range(10)])
        await world.signed(10)
        async with world.http(app, Role.AUDITOR, sub="auditor-7") as http:
            sends = await pages(http, "lookup")
            assert [len(page) for page in sends] == [4, 4, 2]
            listed = [item["send_id"] for page in sends for item in page]
            assert listed == [f"send-{number}" for number in reversed(range(10))]
            assert len(await recorded(world, "subject.lookup", 3)) == 3
            record = await pages(http, "record")
            indexes = [item["entry"]["index"] for page in record for item in page]
            assert indexes == sorted(set(indexes))
            assert len(await recorded(world, "subject.record", len(record))) == len(record)
        seen = {item["entry"]["event_id"] for page in record for item in page}
        about = {part["recipient"]: 0 for part in (await rows.parts(world.database)).values()}
        assert set(about) == {mine}
        assert seen >= {f"event-demo-{number}-1" for number in range(10)}
        assert seen >= {f"event-demo-1-{number}" for number in (101, 102)}


@asynccontextmanager
async def refusing(database: Database, collection: str) -> AsyncGenerator[None]:
    """Have the database refuse every write to a collection."""
    await database.command({"collMod": collection, "validator": {"never": True}})
    try:
        yield
    finally:
        await database.command({"collMod": collection, "validator": {}})


async def test_what_cannot_be_put_on_record_is_not_shown(world: World) -> None:
    """The answer is read while the reading is recorded, and given only once it is."""
    async with world.running():
        await world.publish(send(1))
        await publish_alert(world)
        await world.signed(3)
    app = await world.build()
    query = {"destination": NUMBER, "reason": "asked by the member"}
    asked = [
        ("GET", "/v1/sends/send-1", None),
        ("GET", f"/v1/messages/{MESSAGE}", None),
        ("GET", f"/v1/messages/{MESSAGE}/page", None),
        ("GET", "/v1/zones/demo/processing/2026", None),
        ("GET", "/v1/access", None),
        ("POST", "/v1/subjects/lookup", query),
    ]
    async with refusing(world.database, "outbox"), world.http(app, Role.AUDITOR) as http:
        for method, path, body in asked:
            answer = await http.request(method, path, json=body)
            assert answer.status_code == 503, path
        # what does not exist is not read, so there is nothing to record
        assert (await http.get("/v1/sends/send-2")).status_code == 404


def erasure(member: str) -> Erasure:
    return Erasure(erasure_id=f"erasure-{member}", member_id=member, zone_id="demo", erased_at=NOW)


async def members_kept(world: World) -> list[list[str]]:
    logs = [await rows.parts(world.database, log) for log in ("demo", "operators")]
    return [part["members"] for parts in logs for part in parts.values() if "members" in part]


async def applied(world: World, member: str) -> None:
    async def there() -> bool:
        row = await world.database["erasures"].find_one({"_id": member})
        return row is not None and row["applied"]

    await until(there, "the erasure to be applied")


async def test_an_erasure_takes_what_is_there_and_what_comes_later(world: World) -> None:
    async with world.running() as app:
        await world.publish(
            send(1, members=["a"]), send(2, members=["a", "b"]), send(3, members=["c"])
        )
        await world.signed(3)
        await world.publish(erasure("a"))
        await applied(world, "a")
        assert await members_kept(world) == [["a", "b"], ["c"]]
        await recorded(world, "erasure.applied")  # whose own private part names the erased one
        await world.publish(send(4, members=["a"]), send(5, members=["b"]))
        await world.signed(7)
        assert await members_kept(world) == [["a", "b"], ["c"], ["b"]]
        await world.publish(erasure("b"))
        await applied(world, "b")
        assert await members_kept(world) == [["c"]]
        await world.signed(9)
        async with world.http(app, Role.AUDITOR) as http:
            content = (await http.get("/v1/zones/demo/bundle")).content
    report = verify_bundle(content.splitlines(keepends=True), world.public_pem)
    assert (report.problem, report.erased) == (None, 3)
    entries = [orjson.loads(line)["entry"] for line in content.splitlines()[1:]]
    assert [entry["type"] for entry in entries].count("erasure") == 2
    # what came later commits to nothing, so nothing of it is missing
    nothing = [entry["send_id"] for entry in entries if entry["private"] is None]
    assert [name for name in nothing if name is not None] == ["send-4"]
    assert await check_lists(world)("demo") is None


@pytest.mark.parametrize("years_ago", [0, 1])
async def test_an_erasure_takes_the_look_ups_of_a_number_at_which_nobody_is_left(
    world: World, years_ago: int
) -> None:
    """Also those of a year in which nothing was sent there, under another pseudonym."""
    ring, year = world.settings.pseudonym_keys, datetime.now(UTC).year - years_ago
    rotate(ring, ["demo"], year)
    mine = KeyRing(ring).pseudonym("demo", year, NUMBER)
    query = {"destination": NUMBER, "reason": "asked by the member"}
    about = {mine, pseudonym(world)}

    async def about_it() -> int:
        parts = await rows.parts(world.database)
        return sum(part.get("recipient") in about for part in parts.values())

    async with world.running() as app:
        shared = [send(n, recipient=mine, members=[name]) for n, name in enumerate("ab")]
        await world.publish(*shared, send(3))
        await world.signed(3)
        async with world.http(app, Role.AUDITOR) as http:
            assert (await http.post("/v1/subjects/lookup", json=query)).status_code == 200
        await recorded(world, "subject.lookup")
        await world.publish(erasure("a"))
        await applied(world, "a")
        assert await about_it() == 2  # the other's, and who looked at it
        await world.publish(erasure("b"))
        await applied(world, "b")
        assert await about_it() == 0
    assert await check_lists(world)("demo") is None


def opened(member: str, zone: str | None) -> Access:
    return Access(
        event_id=f"opened-{zone}",
        zone_id=zone,
        service="registry",
        kind="read",
        action="member.show",
        actor="operator",
        member_ids=(member,),
        time=NOW,
    )


async def test_an_erasure_reaches_every_log_that_names_the_member(world: World) -> None:
    async with world.running():
        await world.publish(send(1, members=["a"]), opened("a", "demo"), opened("a", None))
        await world.signed(2)
        await world.signed(1, "operators")
        await world.publish(erasure("a"))
        await applied(world, "a")
    assert await members_kept(world) == []
    assert [await check_lists(world)(log) for log in ("demo", "operators")] == [None, None]


async def test_an_erasure_that_is_tried_again_counts_what_it_takes_the_second_time(
    world: World,
) -> None:
    """Somebody else was erased meanwhile, with whom a part was shared."""
    both = opened("a", None).model_copy(update={"member_ids": ("a", "b")})
    another = Ownership(world.database, "another", Clock(), timedelta(minutes=2))
    await another.claim("demo")

    async def entered() -> bool:
        entries = await rows.entries(world.database, "operators")
        return [entry["type"] for entry in entries].count("erasure") == 1

    async def taken() -> bool:
        return await members_kept(world) == []

    async with world.running():
        await world.publish(both)
        await world.signed(1, "operators")
        await world.publish(erasure("a"))
        await until(entered, "the first half of the erasure")
        assert await members_kept(world) == [["a", "b"]]
        await world.publish(erasure("b"))
        await until(taken, "the part to be taken")
        await another.release()
        await applied(world, "a")
        await applied(world, "b")
    assert [await check_lists(world)(log) for log in ("demo", "operators")] == [None, None]


async def test_a_private_part_that_neither_an_erasure_nor_a_date_ended_is_found(
    world: World,
) -> None:
    async with world.running():
        sends = [send(number) for number in range(4)]
        await world.publish(*sends, opened("someone", "demo"), NOTICE_TO_ALL)
        await world.signed(6)
        await world.publish(erasure("member-3"))
        await applied(world, "member-3")
        await world.signed(7)
    check, private = check_lists(world), world.database["private"]
    erased = world.database["erased"]
    assert [row["year"] async for row in erased.find()] == ["2026"]
    kept = await private.find().to_list()
    for index, part in (await rows.parts(world.database)).items():
        if "until" not in part:
            continue
        assert await check("demo") is None
        await rows.take_part(world.database, index)
        assert await check("demo") is Doubt.PRIVATE_UNACCOUNTED
        # noted as erased: then more is noted than the erasures' entries count
        noted = {"_id": f"demo|{index:012d}", "year": "2026"}
        await erased.insert_one(noted)
        assert await check("demo") is Doubt.PRIVATE_UNACCOUNTED
        await erased.delete_one(noted)
        await private.delete_many({})
        await private.insert_many(kept)
    in_ten_years = datetime.now(UTC) + timedelta(days=3660)
    world.clock = Clock(now=lambda: in_ten_years)
    await rows.take_ended(world.database)
    assert await check_lists(world)("demo") is None


async def test_an_erasure_known_before_anything_else(world: World) -> None:
    await world.publish(erasure("a"))
    async with world.running():
        await applied(world, "a")
        await world.publish(send(1, members=["a"]))
        await world.signed(2)
    assert await members_kept(world) == []


async def test_filters_combine_and_paging_is_stable_while_the_log_grows(world: World) -> None:
    async with world.running() as app:
        await world.publish(
            *[send(number, networks=["bin-a"]) for number in range(10)],
            *[send(number, networks=["bin-b"], channel=Channel.EMAIL) for number in range(10, 20)],
        )
        await world.signed(20)
        async with world.http(app, Role.AUDITOR) as http:
            page = (await http.get("/v1/sends", params={"limit": 7})).json()
            seen = [item["send_id"] for item in page["items"]]
            while page["next"] is not None:
                number = len(seen) % 20
                await world.publish(send(number, 2, SendState.DELIVERED), send(100 + number))
                await world.signed(await world.size())
                params = {"limit": 7, "cursor": page["next"]}
                page = (await http.get("/v1/sends", params=params)).json()
                seen += [item["send_id"] for item in page["items"]]
            assert seen == [f"send-{number}" for number in reversed(range(20))]
            params = {"network_id": "bin-b", "channel": "email", "state": "accepted"}
            some = (await http.get("/v1/sends", params=params)).json()["items"]
            assert {item["network_ids"][0] for item in some} == {"bin-b"}
            assert {item["state"] for item in some} == {"accepted"}
            for bounds, expected in (
                ({"from": NOW.isoformat()}, True),
                ({"to": NOW.isoformat()}, False),
            ):
                answer = await http.get("/v1/sends", params=bounds)
                assert bool(answer.json()["items"]) is expected


async def test_the_counters_follow_each_send_to_its_latest_state(world: World) -> None:
    network = Network.model_validate(
        {
            "network_id": "bin-linde",
            "version": 2,
            "zone_id": "demo",
            "name": "BIN Lindeveld",
            "municipality": "23002",
            "kind": "residents",
            "state": "active",
            "languages": ["nl"],
            "sender_name": "BIN",
            "exercises": False,
            "documents": {},
        }
    )
    older = network.model_copy(update={"version": 1, "name": "Before"})
    async with world.running() as app:
        await world.publish(network, older, send(1), send(2, networks=["bin-linde", "bin-x"]))
        await world.publish(send(1, 3, SendState.DELIVERED), send(1, 2, SendState.UNKNOWN))
        await world.signed(4)
        async with world.http(app, Role.AUDITOR) as http:
            items = (await http.get("/v1/stats", params={"from": "2026-01-01"})).json()["items"]
            none = (await http.get("/v1/stats", params={"to": "2020-01-01"})).json()["items"]
    counted = {(item["network_id"], item["state"]): item["count"] for item in items}
    assert counted == {
        ("bin-linde", "accepted"): 1,
        ("bin-linde", "delivered"): 1,
        ("bin-x", "accepted"): 1,
    }
    assert {item["network_name"] for item in items} == {"BIN Lindeveld", None}
    assert none == []


async def test_the_counters_come_page_by_page_while_the_log_grows(world: World) -> None:
    start = datetime.now(UTC)
    recently, long_ago = start - timedelta(days=300), start - timedelta(days=400)
    networks = [f"bin-{number}" for number in range(7)]

    def at(number: int, network: str, moment: datetime) -> Send:
        return send(number, networks=[network]).model_copy(update={"time": moment})

    async with world.running() as app:
        sends = [at(number, network, recently) for number, network in enumerate(networks)]
        await world.publish(*sends, at(50, "bin-old", long_ago), send(60, zone="other"))
        await world.signed(8)
        async with world.http(app, Role.AUDITOR) as http:
            seen: list[str] = []
            size = 8
            params: dict[str, str | int] = {"limit": 3}
            while "cursor" not in params or params["cursor"]:
                page = (await http.get("/v1/stats", params=params)).json()
                assert len(page["items"]) <= 3
                seen += [item["network_id"] for item in page["items"]]
                params["cursor"] = page["next"] or ""
                number = 70 + len(seen)  # meanwhile more is counted, before and after
                await world.publish(at(number, seen[0], recently), at(number + 100, "bin-9", start))
                size += 2
                await world.signed(size)
            assert seen[:7] == networks
            assert len(set(seen)) == len(seen)
            whole = {"from": "2000-01-01", "limit": 500}
            everything = (await http.get("/v1/stats", params=whole)).json()
            odd = await http.get("/v1/stats", params={"to": "0001-01-01"})
        async with world.http(app, Role.FEDERAL, zone=None) as http:
            zones = (await http.get("/v1/stats", params=whole)).json()["items"]
    assert {item["network_id"] for item in everything["items"]} == {*networks, "bin-old", "bin-9"}
    assert everything["next"] is None
    assert odd.json() == {"items": [], "next": None}
    assert {item["zone_id"] for item in zones} == {"demo", "other"}


async def test_an_original_ends_by_its_date_and_its_hash_stays(world: World) -> None:
    async with world.running():
        await world.publish_raw(Outgoing("bin.alerts", "demo", b"\xff not even text", ()))

        async def there() -> bool:
            return await world.database["originals"].count_documents({}) == 1

        await until(there, "the original")
    later = datetime.now(UTC) + world.settings.text_kept_for + timedelta(minutes=1)
    originals = Originals(world.database, world.settings.text_kept_for)
    private = PrivateParts(world.database)
    await DropEnded(originals, private, Clock()).once()
    row = await world.database["originals"].find_one({})
    assert row is not None
    assert "value" in row
    await DropEnded(originals, private, Clock(now=lambda: later)).once()
    row = await world.database["originals"].find_one({})
    assert row is not None
    # whoever wrote the record chose its key, so that is a text too
    assert not {"key", "value", "headers"} & row.keys()
    assert len(row["sha256"]) == 64


async def test_the_texts_of_the_log_end_by_their_date_and_its_entries_stay(world: World) -> None:
    kept_for = timedelta(seconds=2)
    world.settings = world.settings.model_copy(update={"text_kept_for": kept_for})
    async with world.running() as app:
        await publish_alert(world)
        await world.publish(send(1))
        await world.signed(3)

        async def gone() -> bool:
            soon = {"parts.until": {"$lt": datetime.now(UTC) + timedelta(days=1)}}
            return await world.database["private"].count_documents(soon) == 0

        assert not await gone()
        await until(gone, "the texts to end", seconds=40)
        async with world.http(app, Role.AUDITOR) as http:
            content = (await http.get("/v1/zones/demo/bundle")).content
            shown = (await http.get(f"/v1/messages/{MESSAGE}")).json()
    report = verify_bundle(content.splitlines(keepends=True), world.public_pem)
    assert (report.problem, report.erased) == (None, 1)
    private = {item["entry"]["type"]: item["private"] for item in shown["timeline"]}
    assert private["original"] is None
    assert private["verdict"]["signer"] == "officer-1-key"
    parts = (await rows.parts(world.database)).values()
    sent = next(part for part in parts if part.get("members") == ["member-1"])
    # whose date is another
    assert sent["until"] > datetime.now(UTC) + timedelta(days=4 * 365)


async def test_who_was_sent_and_who_looked_end_by_their_date_and_the_log_stays_whole(
    world: World,
) -> None:
    world.settings = world.settings.model_copy(update={"private_kept_for": timedelta(seconds=2)})
    async with world.running() as app:
        await publish_alert(world)
        looked = Access(
            event_id="looked-1",
            zone_id="demo",
            service="registry",
            kind="read",
            action="members.list",
            actor="a" * 64,
            reader="coordinator-1",
            member_ids=("member-1",),
            time=NOW,
        )
        await world.publish(send(1), looked)
        await world.signed(4)
        types = [entry["type"] for entry in await rows.entries(world.database)]

        async def kept() -> list[str]:
            return sorted(types[index] for index in await rows.parts(world.database))

        assert await kept() == ["access", "original", "send", "verdict"]

        async def gone() -> bool:
            return await kept() == ["original", "verdict"]

        await until(gone, "who was sent and who looked to end", seconds=40)
        async with world.http(app, Role.AUDITOR) as http:
            content = (await http.get("/v1/zones/demo/bundle")).content
    report = verify_bundle(content.splitlines(keepends=True), world.public_pem)
    assert (report.problem, report.erased) == (None, 2)
    assert await check_lists(world)("demo") is None


async def test_a_private_part_whose_date_was_taken_away_is_found(world: World) -> None:
    async with world.running():
        await world.publish(send(1))
        await world.signed(1)
    check = check_lists(world)
    assert await check("demo") is None
    await world.database["private"].update_one({}, {"$unset": {"parts.0.until": 1}})
    assert await check("demo") is Doubt.LISTS_DIFFER


async def test_a_destroyed_key_leaves_its_years_sends_unfindable_and_the_log_whole(
    world: World,
) -> None:
    ring, year = world.settings.pseudonym_keys, datetime.now(UTC).year
    rotate(ring, ["demo"], year - 1)
    last_year = KeyRing(ring).pseudonym("demo", year - 1, NUMBER)
    query = {"destination": NUMBER, "reason": "asked by the member"}

    async def found(app: App) -> list[str]:
        async with world.http(app, Role.AUDITOR) as http:
            sends = (await http.post("/v1/subjects/lookup", json=query)).json()["items"]
        return sorted(item["send_id"] for item in sends)

    async with world.running() as app:
        await world.publish(send(1, recipient=last_year), send(2, recipient=pseudonym(world)))
        await world.signed(2)
        assert await found(app) == ["send-1", "send-2"]
        command = ("pseudonyms", "destroy", "--zone", "demo", "--year", str(year - 1), "--yes")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", *command, "--keys", str(ring))
        )
        assert await process.wait() == 0
        assert await found(app) == ["send-2"]
        await recorded(world, "subject.lookup", 2)
        async with world.http(app, Role.AUDITOR) as http:
            content = (await http.get("/v1/zones/demo/bundle")).content
    report = verify_bundle(content.splitlines(keepends=True), world.public_pem)
    assert (report.problem, report.erased) == (None, 0)


async def test_what_no_service_can_have_written_goes_to_the_dead_letters(world: World) -> None:
    access = Access(
        event_id="x",
        zone_id="demo",
        service="registry",
        kind="read",
        action="a",
        actor="b",
        time=NOW,
    )
    async with world.running():
        await world.publish_raw(Outgoing("bin.sends", "demo", b"no json", ()))
        await world.publish(access)
        await world.signed(1)

        async def letter() -> bool:
            return len(world.cluster.on("bin.sends.dlq")) == 1

        await until(letter, "the dead letter")
        await world.signed(1, "operators")  # every dead letter is on record


async def test_looking_people_up_is_limited_per_reader(world: World) -> None:
    world.settings = world.settings.model_copy(update={"lookups_per_hour": 2})
    query = {"destination": "0450 00 00 01", "reason": "asked by the member"}
    first = await world.build()
    second = await world.build()  # another process counts with it

    async def ask(app: App, sub: str, path: str = "lookup") -> int:
        async with world.http(app, Role.AUDITOR, sub=sub) as http:
            return (await http.post(f"/v1/subjects/{path}", json=query)).status_code

    asked = [await ask(first, "auditor-1"), await ask(second, "auditor-1", "record")]
    assert asked == [200, 200]
    assert [await ask(app, "auditor-1") for app in (first, second)] == [429, 429]
    assert await ask(first, "auditor-2") == 200
    async with world.http(first, Role.AUDITOR) as http:
        refused = await http.post("/v1/subjects/lookup", json=query)
    minutes = -(-int(refused.headers["Retry-After"]) // 60)
    said = "a minute" if minutes == 1 else f"{minutes} minutes"
    assert refused.json()["detail"].endswith(f"Try again in {said}.")
