"""A restored backup: nothing is published or changed until what the topics know was taken back."""

import asyncio
from typing import Any

from services.registry.consumers import COMPARING, ERASED
from services.registry.domain.zone import ZoneRecord
from services.registry.flows.hold_back import HeldPublisher
from services.registry.flows.judge_proposals import GROUP
from services.registry.store.rows import from_row
from shared.contracts import Access, Bulletin, BulletinProposed, Erasure, Member, Network, Verdict
from shared.envelope import encode
from shared.mongo import Document
from tests.integration.registry.harness import (
    TEXT,
    Json,
    Registry,
    coordinator_input,
    member_input,
    paper,
    proposal,
    restart_registry,
)
from tests.integration.registry.history import check, read_history
from tests.support.memory_kafka import MemoryLog

LIST = "/networks/bin-linde/members"
WHY = {"reason": "De schijf was stuk; de reservekopie van gisteren."}


async def backup(registry: Registry) -> dict[str, list[Document]]:
    names = await registry.database.list_collection_names()
    return {name: await registry.database[name].find().to_list() for name in names}


async def restore(registry: Registry, saved: dict[str, list[Document]]) -> Registry:
    for name in await registry.database.list_collection_names():
        await registry.database[name].delete_many({})
        if saved.get(name):
            await registry.database[name].insert_many(saved[name])
    return await restart_registry(registry)


async def wait_for(registry: Registry) -> BulletinProposed:
    """Have a proposal wait for its relay."""
    wanted = proposal(registry)
    await registry.propose(wanted)
    await registry.catch_up()
    return wanted


async def published(registry: Registry) -> int:
    """Let the service's own publisher go on, and tell how much it published."""
    publisher = HeldPublisher(
        registry.app.http.state.gate,
        registry.app.context.outbox,
        MemoryLog(registry.cluster),
        registry.database,
        "test",
    )
    count = 0
    while found := await publisher.publish_once():
        count += found
    return count


async def add(registry: Registry, number: int, **more: Any) -> Json:
    new = member_input(number, accepted_on_paper=paper(registry), **more)
    return await registry.coordinator().post(LIST, 201, json=new)


async def test_a_restore_from_a_backup_cannot_bring_an_erased_person_back(linde: Registry) -> None:
    """Rules text: "a restore from backup cannot bring an erased person back"."""
    erased, stays = await add(linde, 1), await add(linde, 2)
    await linde.publish()
    await linde.catch_up()
    saved = await backup(linde)
    await linde.coordinator().post(f"{LIST}/{erased['member_id']}/erase", json=WHY)
    await linde.publish()
    await linde.catch_up()
    before = {(r.partition, r.offset) for r in linde.cluster.on("bin.members")}

    restored = await restore(linde, saved)

    assert await restored.database["members"].find_one({"_id": erased["member_id"]}) is None
    assert await published(restored) == 0
    await restored.operator.post("/recover", json=WHY)
    assert await published(restored) > 0
    await restored.coordinator().get(f"{LIST}/{erased['member_id']}", 404)
    listed = (await restored.coordinator().get(LIST))["items"]
    assert [item["member_id"] for item in listed] == [stays["member_id"]]
    now = restored.cluster.on("bin.members")
    since = [Member.from_json(r.value) for r in now if (r.partition, r.offset) not in before]
    assert all((event.phone, event.email) == (None, None) for event in since)
    last = [e for e in await restored.events(Member) if e.member_id == erased["member_id"]]
    assert [event.version for event in last] == sorted(event.version for event in last)
    check(await read_history(restored), restored)


async def test_what_was_published_since_the_backup_is_taken_back(linde: Registry) -> None:
    police, person = linde.police(), linde.coordinator()
    early = await add(linde, 1)
    waits = await wait_for(linde)
    await linde.publish()
    await linde.catch_up()
    saved = await backup(linde)
    late = await add(linde, 2)
    headers = {"If-Match": '"1"'}
    moved = {"phone": "0450 00 00 09", "language": "fr"}
    await person.call("PATCH", f"{LIST}/{early['member_id']}", 200, json=moved, headers=headers)
    await person.post(f"/networks/bin-linde/bulletins/{waits.bulletin_id}/release")
    await person.post("/networks/bin-linde/documents/house_rules", 201, json={"text": TEXT})
    other = {**coordinator_input("coordinator-2"), "role": "co_coordinator"}
    await police.post("/networks/bin-linde/coordinators", 201, json=other)
    second = await wait_for(linde)
    await linde.publish()
    await linde.catch_up()
    wanted = await linde.events(Member), await linde.events(Network)

    restored = await restore(linde, saved)

    problem = await restored.coordinator().post(LIST, 503, json=member_input(3))
    assert problem["type"].endswith("restored-backup")
    assert "backup" in (await restored.http.get("/readyz")).json()["waiting_for"]
    await restored.coordinator().get(LIST)
    assert await published(restored) == 0
    done = await restored.operator.post("/recover", json=WHY)
    assert done == {"zones": 0, "networks": 1, "members": 2, "bulletins": 1, "verdicts": 1}
    await restored.operator.post("/recover", 409, json=WHY)
    assert await published(restored) > 0
    await restored.catch_up()

    versions = {event.key(): event.version for events in wanted for event in events}
    for event in (*await restored.events(Member), *await restored.events(Network)):
        assert event.version <= versions[event.key()] + 1
    members = {m["member_id"]: m for m in (await restored.coordinator().get(LIST))["items"]}
    assert members[early["member_id"]]["phone"] == "+32450000009"
    assert members[early["member_id"]]["name"] == "Lid Nummer 0001"
    found = members[late["member_id"]]
    assert (found["phone"], found["name"], found["accepted_how"]) == (
        "+32450000002",
        "?",
        "restored",
    )
    shown = await restored.police().get("/networks/bin-linde/coordinators")
    assert [one["subject"] for one in shown["items"]] == ["coordinator-1", "coordinator-2"]
    rules = await restored.coordinator().get("/networks/bin-linde/documents/house_rules")
    assert (rules["version"], "verloren" in rules["text"]["nl"]) == (2, True)
    relayed = f"/networks/bin-linde/bulletins/{waits.bulletin_id}"
    assert (await restored.coordinator().get(relayed))["state"] == "released"
    await restored.coordinator().post(f"{relayed}/release")
    assert len(await restored.events(Bulletin)) == 1
    again = await restored.coordinator().get(f"/networks/bin-linde/bulletins/{second.bulletin_id}")
    assert again["state"] == "waiting"
    verdicts = [v for v in await restored.events(Verdict) if v.message_id == second.bulletin_id]
    assert {v.verdict for v in verdicts} == {"accepted"}
    recorded = {e.action for e in await restored.events(Access) if e.action.startswith("recover.")}
    assert recorded == {f"recover.bin.{topic}" for topic, count in done.items() if count}


async def test_an_interrupted_recovery_goes_on_where_it_was(linde: Registry) -> None:
    saved = await backup(linde)
    for number in range(4):
        await add(linde, number)
    await linde.publish()
    await linde.catch_up()
    restored = await restore(linde, saved)
    calls = [restored.operator.raw("POST", "/recover", json=WHY) for _ in range(3)]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert await restored.database["members"].count_documents({}) == 4
    assert await restored.database["ahead"].count_documents({}) == 0
    await published(restored)
    assert len(await restored.events(Erasure)) == 0
    await restored.coordinator().post(LIST, 201, json=member_input(9))


async def test_a_database_that_lost_nothing_is_never_held_back(linde: Registry) -> None:
    await add(linde, 1)
    await linde.publish()
    fresh = await restart_registry(linde)
    assert await fresh.app.http.state.gate.is_open()
    assert await fresh.database["ahead"].count_documents({}) == 0
    await fresh.database["positions"].delete_many({"_id": {"$regex": f"^({COMPARING}|{ERASED})"}})
    again = await restart_registry(fresh)
    assert await again.app.http.state.gate.is_open()


async def test_what_others_wrote_to_its_topics_holds_nothing_back(linde: Registry) -> None:
    """An operator may write there; it is no proof of a lost change."""
    await linde.publish()
    stored = await linde.database["zones"].find_one({"_id": "demo"})
    assert stored is not None
    newer = from_row(ZoneRecord, stored).event().model_copy(update={"version": 9})
    at = linde.time.now
    await linde.cluster.append(encode(newer, ce_id="ce-9", source="operator", time=at))
    await linde.catch_up(COMPARING)
    assert await linde.app.http.state.gate.is_open()
    own = encode(newer, ce_id="ce-10", source="buurtbode/registry", time=at)
    await linde.cluster.append(own)
    await linde.catch_up(COMPARING)
    assert not await linde.app.http.state.gate.is_open()


async def test_what_waits_for_a_recovery_begins_after_it_without_a_restart(
    linde: Registry,
) -> None:
    """Nor may the watchdog end a process that waits on purpose for its operator."""
    saved = await backup(linde)
    await add(linde, 1)
    await linde.publish()
    restored = await restore(linde, saved)
    wanted = proposal(restored)
    await restored.propose(wanted)

    async def recovered() -> bool:
        if await restored.database["ahead"].find_one({}) is not None:
            await asyncio.sleep(0.3)
            assert await restored.database["bulletins"].count_documents({}) == 0
            groups = await restored.database["positions"].distinct("_id")
            assert not any(group.startswith(GROUP) for group in groups)
            await restored.operator.post("/recover", json=WHY)
        return await restored.database["bulletins"].count_documents({}) == 1

    await restored.consume(recovered)


async def test_nothing_changes_until_the_own_topics_are_read(linde: Registry) -> None:
    """Whether the database is behind is known only then."""
    await linde.publish()
    await linde.database["positions"].delete_many({})
    fresh = await restart_registry(linde, read=False)
    problem = await fresh.coordinator().post(LIST, 503, json=member_input(1))
    assert problem["type"].endswith("catching-up")
    assert await published(fresh) == 0
    await fresh.catch_up(COMPARING, ERASED)
    await fresh.coordinator().post(LIST, 201, json=member_input(1))
    assert await published(fresh) > 0
