"""Measures against a member, and what the law gives them over their data."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.registry.flows.end_suspensions import end_suspensions
from services.registry.flows.retain import retain
from services.registry.flows.turn_deputies import turn_deputies
from shared.contracts import Access, Erasure, Member, Network, Notice
from tests.integration.registry.harness import Registry, coordinator_input, member_input, paper

LIST = "/networks/bin-linde/members"
WHY = {"reason": "Patrouilleerde in de straat."}


async def joined(registry: Registry, number: int = 1, **more: Any) -> str:
    new = member_input(number, accepted_on_paper=paper(registry), **more)
    member = await registry.coordinator().post(LIST, 201, json=new)
    return f"{LIST}/{member['member_id']}"


def id_of(path: str) -> str:
    return path.rpartition("/")[2]


async def test_a_reprimand_has_reason_author_and_date_and_three_weeks_to_appeal(
    linde: Registry,
) -> None:
    """Source: the role profiles of the BIN circular of 28 February 2019, as the rules restate them.

    'Measures against a member: reprimand, temporary suspension (ends by itself), exclusion; each
    with reason, author and date.'
    """
    path = await joined(linde)

    member = await linde.coordinator().post(f"{path}/reprimand", json=WHY)

    [measure] = member["measures"]
    assert (measure["kind"], measure["reason"], measure["by"], measure["at"]) == (
        "reprimand",
        WHY["reason"],
        "coordinator-1",
        "2026-11-20T09:00:00Z",
    )
    assert measure["appeal_until"] == "2026-12-11T09:00:00Z"
    assert member["state"] == "active"
    await linde.coordinator().post(f"{path}/reprimand", 422, json={})


async def test_a_suspension_ends_by_itself(linde: Registry) -> None:
    """'temporary suspension (ends by itself)'."""
    path = await joined(linde)
    until = {**WHY, "until": "2026-11-27T09:00:00Z"}

    member = await linde.coordinator().post(f"{path}/suspend", json=until)

    assert (member["state"], member["suspended_until"]) == ("suspended", until["until"])
    again = await linde.coordinator().post(f"{path}/suspend", json=until)
    assert again["version"] == member["version"]
    longer = {**WHY, "until": "2026-12-27T09:00:00Z"}
    await linde.coordinator().post(f"{path}/suspend", 409, json=longer)
    assert not await end_suspensions(linde.app.context)
    linde.time.advance(days=7)
    await end_suspensions(linde.app.context)
    await end_suspensions(linde.app.context)

    member = await linde.coordinator().get(path)
    assert (member["state"], member["suspended_until"]) == ("active", None)
    assert member["measures"][0]["ended_by"] == "system"
    states = [event.state for event in await linde.events(Member)]
    assert states == ["active", "suspended", "active"]
    actions = [event.action for event in await linde.events(Access)]
    assert actions.count("member.suspension_ends") == 1


async def test_a_suspension_can_end_before_its_time(linde: Registry) -> None:
    path = await joined(linde)
    await linde.coordinator().post(f"{path}/reinstate", json=WHY)  # nothing to end
    past = {**WHY, "until": "2026-11-20T09:00:00Z"}
    problem = await linde.coordinator().post(f"{path}/suspend", 422, json=past)
    assert problem["field"] == "until"
    until = {**WHY, "until": "2026-11-27T09:00:00Z"}
    await linde.coordinator().post(f"{path}/suspend", json=until)

    member = await linde.coordinator().post(f"{path}/reinstate", json={"reason": "In orde."})

    assert (member["state"], member["measures"][0]["end_reason"]) == ("active", "In orde.")


async def test_an_exclusion_stops_warm_and_cold_at_once(linde: Registry) -> None:
    path = await joined(linde)

    member = await linde.coordinator().post(f"{path}/exclude", json=WHY)

    assert (member["state"], member["left_by"]) == ("left", "exclusion")
    assert member["measures"][0]["appeal_until"] == "2026-12-11T09:00:00Z"
    last = (await linde.events(Member))[-1]
    assert (last.state, last.phone, last.email) == ("left", None, None)
    await linde.coordinator().post(f"{path}/reprimand", 409, json=WHY)
    row = await linde.database["members"].find_one({"_id": id_of(path)})
    assert row is not None
    answer = await linde.http.post(f"/v1/accept/{row['accept_token']}", data={"version": "1"})
    assert "verlaten" in answer.text, "nobody excluded comes back by their old link"


async def test_a_restriction_stops_everything_but_storage_until_they_were_told(
    linde: Registry,
) -> None:
    """Source: GDPR, articles 18 and 21(1).

    18(2): 'such personal data shall, with the exception of storage, only be processed with the data
    subject's consent'. 18(3): they 'shall be informed by the controller before the restriction of
    processing is lifted'.
    """
    path = await joined(linde)
    who = linde.coordinator()
    asked = {"restricted": True, "reason": "Maakt bezwaar.", "ground": "objection"}
    problem = await who.post(f"{path}/restrict", 422, json=asked)
    assert problem["field"] == "asked_on"

    member = await who.post(f"{path}/restrict", json={**asked, "asked_on": "2026-11-19"})

    assert member["restriction"]["ground"] == "objection"
    assert (await linde.events(Member))[-1].restricted
    lift = {"restricted": False, "reason": "Belang afgewogen."}
    problem = await who.post(f"{path}/restrict", 409, json=lift)
    assert problem["field"] == "informed_on"
    member = await who.post(f"{path}/restrict", json={**lift, "informed_on": "2026-11-20"})
    assert (member["restricted"], member["restriction"]) == (False, None)
    assert not (await linde.events(Member))[-1].restricted


async def test_today_is_the_day_that_it_is_in_belgium(linde: Registry) -> None:
    """Half past midnight there is still yesterday by UTC."""
    path, who = await joined(linde), linde.coordinator()
    linde.time.now = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    asked = {"restricted": True, "reason": "Maakt bezwaar.", "ground": "objection"}
    lift = {"restricted": False, "reason": "Belang afgewogen."}
    for change, day, tomorrow in (
        (asked, "asked_on", "2026-11-23"),
        (lift, "informed_on", "2026-11-23"),
    ):
        await who.post(f"{path}/restrict", 422, json={**change, day: tomorrow})
        await who.post(f"{path}/restrict", json={**change, day: "2026-11-22"})
    columns = "Naam;GSM;Getekend op;Getuige;Meerderjarig\n"
    row = "Lid Laat;0450 00 00 77;22/11/2026;Getuige Laat;ja\n"
    report = await who.post(f"{LIST}/import", content=f"{columns}{row}".encode())
    assert (report["added"], report["problems"]) == (1, [])


async def test_a_record_gives_everything_that_is_held(linde: Registry) -> None:
    """Source: GDPR, articles 15 and 12(1).

    15(3): 'The controller shall provide a copy of the personal data undergoing processing'. 12(1):
    'in a concise, transparent, intelligible and easily accessible form'.
    """
    path = await joined(linde, tie="both", kind="self_employed")
    who = linde.coordinator()
    await who.post(f"{path}/reprimand", json=WHY)

    record = await who.get(f"{path}/record")

    row = await linde.database["members"].find_one({"_id": id_of(path)})
    assert row is not None
    page = await who.raw("GET", f"{path}/record", params={"form": "html"})
    assert page.headers["content-type"].startswith("text/html")
    kept_out = {"accept_token", "unsubscribe_token"}
    of_the_indexes = {"_id", "phone_held", "sort_name", "found_by"}
    assert set(record["held"]) == set(row) - of_the_indexes - kept_out
    for value in (row["name"], row["phone"], row["email"], WHY["reason"], "Getuige Voorbeeld"):
        assert value in str(record)
        assert value in page.text
    for token in kept_out:
        assert row[token] not in page.text + str(record), "who holds a link acts as the member"
    assert "Controleorgaan" in record["supervisor"]
    assert record["legal_basis"]["warm"] == "WPA art. 44/5"
    access = [event.action for event in await linde.events(Access)]
    assert access.count("member.record") == 2


async def test_an_erasure_leaves_a_random_id_and_dates(linde: Registry) -> None:
    """Source: GDPR, article 17(1).

    'The right to obtain from the controller the erasure of personal data concerning him or her
    without undue delay.'
    """
    path = await joined(linde)
    who = linde.coordinator()
    await who.post(f"{path}/reprimand", json=WHY)

    done = await who.post(f"{path}/erase", json={"reason": "Op verzoek."})
    again = await who.post(f"{path}/erase", json={"reason": "Op verzoek."})

    assert again == done
    await who.get(path, 404)
    assert await linde.database["members"].find_one({"_id": id_of(path)}) is None
    left = await linde.database["erased"].find_one({"_id": id_of(path)})
    assert left is not None
    assert set(left) == {
        "_id",
        "member_id",
        "zone_id",
        "network_id",
        "joined_at",
        "left_at",
        "erased_at",
        "because",
        "version",
    }
    [order] = await linde.events(Erasure)
    assert (order.member_id, order.zone_id) == (id_of(path), "demo")
    page = await linde.operator.post("/republish", params={"topic": "bin.erasures"})
    assert page == {"count": 1, "next": None}
    assert [event.member_id for event in await linde.events(Erasure)] == [order.member_id] * 2
    last = (await linde.events(Member))[-1]
    assert (last.state, last.version, last.phone, last.email) == ("left", 3, None, None)
    everything = [
        str(row)
        for name in await linde.database.list_collection_names()
        async for row in linde.database[name].find()
    ]
    for value in ("Lid Nummer 0001", "450000001", "voorbeeld.example", WHY["reason"], "Getuige V"):
        assert value not in "".join(everything)


async def test_an_erasure_is_whole_or_absent(
    linde: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(Exception):  # noqa: N818
        pass

    path = await joined(linde)
    context = linde.app.context
    for target, name in ((context.erasures, "add"), (context.outbox, "add")):
        real: Callable[..., Awaitable[None]] = getattr(target, name)

        async def act_then_crash(
            *args: Any, _real: Callable[..., Awaitable[None]] = real, **rest: Any
        ) -> None:
            await _real(*args, **rest)
            raise Crash

        monkeypatch.setattr(target, name, act_then_crash)
        with pytest.raises(Crash):
            await linde.coordinator().raw("POST", f"{path}/erase", json={"reason": "r"})
        monkeypatch.undo()

    assert await linde.events(Erasure) == []
    member = await linde.coordinator().get(path)
    assert member["state"] == "active"


async def test_a_restored_backup_brings_nobody_back(linde: Registry) -> None:
    path = await joined(linde)
    names = ("members", "erased", "positions", "outbox_counters")
    backup = {name: await linde.database[name].find().to_list() for name in names}
    await linde.coordinator().post(f"{path}/erase", json={"reason": "Op verzoek."})
    await linde.publish()

    async def erased() -> bool:
        found = [e for e in await linde.events(Access) if e.action == "erasure.apply"]
        return len(found) == 1

    await linde.consume(erased)
    for name, rows in backup.items():
        await linde.database[name].delete_many({})
        if rows:
            await linde.database[name].insert_many(rows)
    await linde.coordinator().get(path)  # they are back

    async def gone() -> bool:
        return await linde.database["members"].find_one({"_id": id_of(path)}) is None

    await linde.consume(gone)

    await linde.coordinator().get(path, 404)
    assert await linde.database["erased"].count_documents({}) == 1
    assert (await linde.events(Member))[-1].phone is None


async def test_what_is_past_its_date_is_deleted(linde: Registry) -> None:
    """Source: GDPR, article 5(1)(e).

    'Kept in a form which permits identification of data subjects for no longer than is necessary.'
    """
    stays = await joined(linde, 1)
    gone = await joined(linde, 2)
    waits = await linde.coordinator().post(LIST, 201, json=member_input(3))
    await linde.coordinator().post(f"{gone}/leave")
    await linde.coordinator().post(f"{stays}/reprimand", json=WHY)
    kept = linde.app.context.retention

    async def held() -> set[str]:
        while await retain(linde.app.context):
            pass
        return {row["_id"] async for row in linde.database["members"].find()}

    assert await held() == {id_of(stays), id_of(gone), waits["member_id"]}
    linde.time.now += kept.pending
    assert await held() == {id_of(stays), id_of(gone)}
    linde.time.now += kept.left - kept.pending
    assert await held() == {id_of(stays)}
    linde.time.now += kept.measures
    await held()
    member = await linde.coordinator().get(stays)
    assert member["measures"] == []
    await linde.admin.post("/networks/bin-linde/dissolve", json={"reason": "Klaar."})
    assert await held() == {id_of(stays)}
    linde.time.now += kept.dissolved
    assert await held() == set()
    orders = {event.member_id for event in await linde.events(Erasure)}
    assert orders == {id_of(stays), id_of(gone), waits["member_id"]}


async def test_who_coordinates_no_more_is_forgotten_here_and_on_the_topic(linde: Registry) -> None:
    """Source: GDPR, article 5(1)(e); nobody's contact stays behind an end."""
    police, kept, begun = linde.police(), linde.app.context.retention, linde.time.now
    base = "/networks/bin-linde/coordinators"
    [chief] = (await police.get(base))["items"]
    until = begun + timedelta(days=1)
    period = {"since": begun.isoformat(), "until": until.isoformat()}
    deputy = {**coordinator_input("deputy-1"), **period}
    await police.post(f"{base}/{chief['coordinator_id']}/deputise", 201, json=deputy)
    second = await police.post(base, 201, json=coordinator_input("coordinator-2"))
    await police.post(f"{base}/{second['coordinator_id']}/remove", json={"reason": "Verhuisd."})

    async def after(time: timedelta) -> tuple[set[str], set[str]]:
        """Give the subjects that the registry holds, and those that others know of."""
        linde.time.now = begun + time
        for job in (retain, turn_deputies):
            while await job(linde.app.context):
                pass
        row = await linde.database["networks"].find_one({"_id": "bin-linde"})
        assert row is not None
        latest = (await linde.events(Network))[-1]
        assert latest.version == row["version"]
        people = {person["subject"] for person in row["coordinators"]}
        if row["officer"]:
            people.add(row["officer"]["subject"])
        return people, {contact.subject for contact in latest.contacts}

    officer, first = "police-1-demo", "coordinator-1"
    held, known = await after(timedelta(hours=1))
    assert held == {officer, first, "deputy-1", "coordinator-2"}
    assert known == {officer, first, "deputy-1"}
    held, known = await after(timedelta(days=1))
    assert (len(held), known) == (4, {officer, first})
    held, _ = await after(kept.coordinators)
    assert held == {officer, first, "deputy-1"}
    held, _ = await after(kept.coordinators + timedelta(days=1))
    assert held == {officer, first}
    await linde.admin.post("/networks/bin-linde/dissolve", json={"reason": "Klaar."})
    begun = linde.time.now
    _, known = await after(timedelta(days=13))
    assert known == {officer, first}
    told = {n.expires_at for n in await linde.events(Notice) if n.template == "network_dissolved"}
    assert told == {begun + timedelta(days=14)}
    held, known = await after(timedelta(days=14))
    assert (held, known) == ({officer, first}, set())
    assert (await linde.events(Network))[-1].reply_to is None
    held, _ = await after(kept.dissolved)
    assert held == set()
    forgotten = [e for e in await linde.events(Access) if e.action == "coordinator.forget"]
    assert len(forgotten) == 3


async def test_bulletins_minutes_imports_and_counters_are_deleted_past_their_date(
    linde: Registry,
) -> None:
    """Source: GDPR, article 5(1)(e); each for its own time, and each deletion on record."""
    person, kept = linde.coordinator(), linde.app.context.retention
    text = {"subject": {"nl": "Kort"}, "body": {"nl": "Tekst."}}
    await person.post("/networks/bin-linde/bulletins", 201, json=text)
    starts = linde.time.now + timedelta(days=1)
    times = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
    await person.post("/networks/bin-linde/meetings", 201, json={**text, **times, "place": "Zaal"})
    await person.post(f"{LIST}/import", content=b"Naam;GSM\nLid;0450 00 00 07\n")
    day = {"network_id": "bin-linde", "day": "2026-11-20", "segments": 2}
    await linde.database["tallies"].insert_one(day)
    counted = {"network_ids": ["bin-linde"], "at": linde.time.now}
    await linde.database["counted_alerts"].insert_one(counted)
    begun = linde.time.now
    alert = {"zone_id": "demo", "alert_id": "alert-1", "accepted_at": begun}
    await linde.database["alerts"].insert_one({"waived": [{"reason": "Klaar."}], **alert})
    context = linde.app.context
    unheard_of = ("demo", "alert-2", "bin-linde", begun)
    await context.transaction(lambda session: context.alerts.feed_back(session, *unheard_of))

    async def left(after: timedelta) -> dict[str, int]:
        linde.time.now = begun + after
        while await retain(linde.app.context):
            pass
        names = ("imports", "bulletins", "meetings", "tallies", "counted_alerts", "alerts")
        found = {name: await linde.database[name].count_documents({}) for name in names}
        return {name: count for name, count in found.items() if count}

    all_of_them = {
        "imports": 1,
        "bulletins": 2,
        "meetings": 1,
        "alerts": 2,
        "tallies": 1,
        "counted_alerts": 1,
    }
    assert await left(kept.imports) == all_of_them
    assert "imports" not in await left(kept.imports + timedelta(seconds=1))
    assert (await left(kept.bulletins))["bulletins"] == 2
    over = await left(kept.bulletins + timedelta(days=15))
    assert over == {"tallies": 1, "counted_alerts": 1}
    assert await left(kept.figures + timedelta(days=1)) == {}
    deleted = [e.action for e in await linde.events(Access) if e.action.endswith(".delete")]
    assert sorted(deleted) == ["bulletin.delete", "bulletin.delete", "meeting.delete"]


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("nl", "Privacyverklaring"),
        ("fr", "Autorité de contrôle"),
        ("de", "Datenschutzbeauftragter"),
        ("en", "Privacy notice"),
    ],
)
async def test_the_privacy_notice_states_what_the_zone_set(
    linde: Registry, language: str, word: str
) -> None:
    privacy = {
        "address": "Voorbeeldstraat 1, 9000 Gent",
        "officer": "dpo@demo.example",
        "impact_assessment": "GEB BIN 2026/1",
    }
    shown = await linde.admin.raw("GET", "/zones/demo")
    tag = {"If-Match": shown.headers["etag"]}
    await linde.admin.call("PATCH", "/zones/demo", 200, json={"privacy": privacy}, headers=tag)
    await linde.admin.call("PATCH", "/zones/demo", 412, json={"name": "X"}, headers=tag)

    page = await linde.http.get("/v1/zones/demo/privacy", params={"language": language})

    assert page.status_code == 200
    for said in (word, *privacy.values(), "WPA art. 44/5", "Controleorgaan op de politionele"):
        assert said in page.text
    missing = await linde.http.get("/v1/zones/nowhere/privacy")
    assert missing.status_code == 404
    new = await linde.coordinator().post(LIST, 201, json=member_input(1, language=language))
    row = await linde.database["members"].find_one({"_id": new["member_id"]})
    assert row is not None
    link = f"../zones/demo/privacy?language={language}"
    assert link in (await linde.http.get(f"/v1/accept/{row['accept_token']}")).text
