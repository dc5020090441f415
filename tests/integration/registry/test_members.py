"""Members: joining, accepting, correcting and leaving, each with its event."""

import asyncio
from typing import Any

import httpx
import structlog
import structlog.testing

from shared.contracts import Access, Member, Notice
from tests.integration.registry.harness import Json, Registry, add_network, member_input, paper

MEMBERS = "/networks/bin-linde/members"


async def row(registry: Registry, member_id: str) -> dict[str, str]:
    found = await registry.database["members"].find_one({"_id": member_id})
    assert found is not None
    return found


async def test_a_newcomer_is_pending_and_gets_their_link(linde: Registry) -> None:
    new = await linde.coordinator().post(MEMBERS, 201, json=member_input(1))

    assert (new["state"], new["phone"], new["sms"]) == ("pending", "+32450000001", "reachable")
    assert new["email"] == "lid1@voorbeeld.example"
    assert "accept_token" not in new
    [event] = await linde.events(Member)
    assert (event.state, event.version, event.phone) == ("pending", 1, "+32450000001")
    assert event.accept_token == (await row(linde, new["member_id"]))["accept_token"]
    notices = [n for n in await linde.events(Notice) if n.template == "accept_house_rules"]
    assert [n.to_member for n in notices] == [new["member_id"]]


ACCEPTED = {"version": "1", "adult": "yes"}
"""What the page's button sends."""


def signed(registry: Registry) -> Json:
    return {**paper(registry), "adult": True}


async def test_a_member_becomes_active_only_by_accepting(linde: Registry) -> None:
    new = await linde.coordinator().post(MEMBERS, 201, json=member_input(1))
    link = f"/v1/accept/{(await row(linde, new['member_id']))['accept_token']}"

    page = await linde.http.get(link)
    assert page.status_code == 200
    assert "Tekst van het document." in page.text
    assert "Lid Nummer" not in page.text
    assert len(await linde.events(Member)) == 1, "a GET changes nothing"

    done = await linde.http.post(link, data=ACCEPTED)
    assert done.status_code == 200
    again = await linde.http.post(link, data=ACCEPTED)
    assert again.status_code == 200
    events = await linde.events(Member)
    assert [(e.version, e.state, e.house_rules_version) for e in events] == [
        (1, "pending", None),
        (2, "active", 1),
    ]
    assert events[1].accept_token is None
    templates = [n.template for n in await linde.events(Notice)]
    assert templates.count("membership_confirmed") == 1


async def test_a_page_shown_before_new_house_rules_accepts_nothing(linde: Registry) -> None:
    new = await linde.coordinator().post(MEMBERS, 201, json=member_input(1))
    link = f"/v1/accept/{(await row(linde, new['member_id']))['accept_token']}"
    document = {"text": {"nl": "Nieuwe regels."}}
    await linde.coordinator().post("/networks/bin-linde/documents/house_rules", 201, json=document)

    answer = await linde.http.post(link, data=ACCEPTED)

    assert answer.status_code == 409
    assert "Nieuwe regels." in answer.text
    assert (await row(linde, new["member_id"]))["state"] == "pending"


async def test_paper_needs_a_date_that_has_been(linde: Registry) -> None:
    new = await linde.coordinator().post(MEMBERS, 201, json=member_input(1))
    accept = f"{MEMBERS}/{new['member_id']}/accept"
    late = {**signed(linde), "signed_on": "2026-11-21"}

    problem = await linde.coordinator().post(accept, 422, json=late)
    assert problem["field"] == "signed_on"

    member = await linde.coordinator().post(accept, 200, json=signed(linde))
    assert (member["state"], member["accepted_how"]) == ("active", "paper")


async def test_an_imported_newcomer_becomes_active_only_as_an_adult(linde: Registry) -> None:
    """'A member is adult (confirmed, no birth date stored)'; a list need not say so."""
    rows = b"Naam;GSM\nLid Een;0450 00 00 01\nLid Twee;0450 00 00 02\n"
    who = linde.coordinator()
    await who.post(f"{MEMBERS}/import", content=rows)
    first, second = (await who.get(MEMBERS))["items"]
    link = f"/v1/accept/{(await row(linde, first['member_id']))['accept_token']}"

    assert 'name="adult" value="yes" required' in (await linde.http.get(link)).text
    for unsure in ({"version": "1"}, {"version": "1", "adult": "no"}):
        answer = await linde.http.post(link, data=unsure)
        assert (answer.status_code, "meerderjarig bent" in answer.text) == (422, True)
    accept = f"{MEMBERS}/{second['member_id']}/accept"
    for wrong in (paper(linde), {**paper(linde), "adult": False}):
        assert (await who.post(accept, 422, json=wrong))["field"] == "adult"
    assert {m["state"] for m in (await who.get(MEMBERS))["items"]} == {"pending"}

    assert (await linde.http.post(link, data=ACCEPTED)).status_code == 200
    await who.post(accept, json=signed(linde))
    assert {m["state"] for m in (await who.get(MEMBERS))["items"]} == {"active"}


async def test_a_paper_counts_for_the_house_rules_that_held_when_it_was_signed(
    linde: Registry,
) -> None:
    """'A member accepts a version'; who signed an older one is asked for the current one."""
    who, rules = linde.coordinator(), "/networks/bin-linde/documents/house_rules"
    later = {"text": {"nl": "Nieuwe regels."}}
    for day, kind in (("2026-09-30", "in-force-before-former"), ("2026-11-21", "in-force-later")):
        problem = await who.post(rules, 422, json={**later, "in_force_from": day})
        assert problem["type"].endswith(kind)
    await who.post(rules, 201, json={**later, "in_force_from": "2026-11-10"})

    accepted: list[tuple[int, str]] = []
    for number, day in ((1, "2026-10-01"), (2, "2026-11-09"), (3, "2026-11-10")):
        on = {"signed_on": day, "witness": "Getuige Voorbeeld"}
        new = await who.post(MEMBERS, 201, json=member_input(number, accepted_on_paper=on))
        accepted.append((new["house_rules_version"], new["state"]))
    pending = await who.post(MEMBERS, 201, json=member_input(4))
    accept = f"{MEMBERS}/{pending['member_id']}/accept"
    early = {**signed(linde), "signed_on": "2026-09-30"}
    problem = await who.post(accept, 422, json=early)
    assert (problem["field"], problem["type"].rpartition("/")[2]) == (
        "signed_on",
        "paper-before-rules",
    )
    done = await who.post(accept, json={**early, "signed_on": "2026-11-09"})
    accepted.append((done["house_rules_version"], done["state"]))
    head = "Naam;GSM;Getekend op;Getuige;Meerderjarig\n"
    listed = head + "Lid Vijf;0450 00 00 05;{};Wim Getuige;ja\n"
    report = await who.post(f"{MEMBERS}/import?dry_run=true", content=listed.format("30/09/2026"))
    assert [p["reason"] for p in report["problems"]] == ["paper-before-rules"]
    await who.post(f"{MEMBERS}/import", content=listed.format("09/11/2026"))

    assert accepted == [(1, "active"), (1, "active"), (2, "active"), (1, "active")]
    latest = {event.member_id: event for event in await linde.events(Member)}
    asked = {m for m, event in latest.items() if event.accept_token is not None}
    assert len(asked) == 4
    told = [n.to_member for n in await linde.events(Notice) if n.template == "house_rules_changed"]
    assert sorted(filter(None, told)) == sorted(asked)


async def test_whoever_can_be_reached_in_no_way_is_refused(linde: Registry) -> None:
    for unreachable in ({"phone": None, "email": None}, {}):
        new = {**member_input(1), **unreachable}
        if not unreachable:
            del new["phone"], new["email"]
        problem = await linde.coordinator().post(MEMBERS, 422, json=new)
        assert (problem["field"], problem["type"].rpartition("/")[2]) == ("phone", "no-contact")


async def test_who_is_pending_gets_the_link_at_a_corrected_address(linde: Registry) -> None:
    coordinator = linde.coordinator()
    new = await coordinator.post(MEMBERS, 201, json=member_input(1))
    path = f"{MEMBERS}/{new['member_id']}"

    async def told(change: Json) -> int:
        tag = {"If-Match": (await coordinator.raw("GET", path)).headers["etag"]}
        changed = await coordinator.raw("PATCH", path, json=change, headers=tag)
        assert changed.status_code == 200
        notices = [n for n in await linde.events(Notice) if n.template == "accept_house_rules"]
        assert {n.to_member for n in notices} == {new["member_id"]}
        return len(notices)

    assert await told({"name": "Iemand Anders"}) == 1
    assert await told({"email": "goed@voorbeeld.example"}) == 2
    assert await told({"email": "GOED@voorbeeld.example".lower()}) == 2
    assert await told({"email": None}) == 2
    assert await told({"email": "later@voorbeeld.example"}) == 3
    link = f"/v1/accept/{(await row(linde, new['member_id']))['accept_token']}"
    assert (await linde.http.post(link, data=ACCEPTED)).status_code == 200
    assert await told({"email": "nieuw@voorbeeld.example"}) == 3


async def test_a_member_keeps_one_way_to_be_reached(linde: Registry) -> None:
    coordinator = linde.coordinator()
    new = await coordinator.post(MEMBERS, 201, json=member_input(1))
    path = f"{MEMBERS}/{new['member_id']}"
    for change, status in (({"phone": None, "email": None}, 422), ({"phone": None}, 200)):
        tag = {"If-Match": (await coordinator.raw("GET", path)).headers["etag"]}
        assert (
            await coordinator.raw("PATCH", path, json=change, headers=tag)
        ).status_code == status
    left = await coordinator.get(path)
    assert (left["phone"], left["email"] is None) == (None, False)


async def test_the_same_number_twice_in_one_network_names_the_field(linde: Registry) -> None:
    """Rules text: "the same number twice in one network is an error"."""
    coordinator = linde.coordinator()
    await coordinator.post(MEMBERS, 201, json=member_input(1))

    problem = await coordinator.post(
        MEMBERS, 409, json=member_input(2, phone="+32 (0)450/00.00.01")
    )

    assert problem["field"] == "phone"
    assert "450" not in problem["detail"]
    assert len(await linde.events(Member)) == 1


async def test_two_requests_at_once_cannot_give_one_number_twice(linde: Registry) -> None:
    coordinator = linde.coordinator()
    answers = await asyncio.gather(
        *(coordinator.raw("POST", MEMBERS, json=member_input(7)) for _ in range(6))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert len(await linde.events(Member)) == 1


async def test_a_fixed_line_is_no_destination_for_an_sms(linde: Registry) -> None:
    new = await linde.coordinator().post(
        MEMBERS, 201, json=member_input(1, phone="09 300 00 00", accepted_on_paper=paper(linde))
    )

    assert (new["phone"], new["phone_kind"], new["sms"]) == ("+3293000000", "fixed", "no_mobile")
    [event] = await linde.events(Member)
    assert event.phone is None


async def test_who_left_is_published_without_contact_details(linde: Registry) -> None:
    """docs/architecture.md: "A record of someone who left carries no contact details"."""
    coordinator = linde.coordinator()
    new = await coordinator.post(MEMBERS, 201, json=member_input(1, accepted_on_paper=paper(linde)))
    leave = f"{MEMBERS}/{new['member_id']}/leave"

    left = await coordinator.post(leave, 200, json={"reason": "verhuisd"})
    await coordinator.post(leave, 200)

    assert (left["state"], left["left_by"]) == ("left", "coordinator")
    events = await linde.events(Member)
    assert [event.state for event in events] == ["active", "left"]
    last = events[-1]
    assert (last.phone, last.email, last.unsubscribe_token, last.accept_token) == (None,) * 4
    await coordinator.post(MEMBERS, 201, json=member_input(1))  # the number is free again


async def test_one_click_refuses_cold_mail_only(linde: Registry) -> None:
    """Rules text: "one click in the mail program does just that"."""
    new = await linde.coordinator().post(
        MEMBERS, 201, json=member_input(1, accepted_on_paper=paper(linde))
    )
    link = f"/v1/unsubscribe/{(await row(linde, new['member_id']))['unsubscribe_token']}"

    page = await linde.http.get(link)
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    unclear = await linde.http.post(link, data={})
    assert unclear.status_code == 400
    assert len(await linde.events(Member)) == 1, "neither changes anything"

    for _ in range(2):
        done = await linde.http.post(link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
    events = await linde.events(Member)
    assert [(e.state, e.cold_mail) for e in events] == [("active", True), ("active", False)]
    assert events[-1].phone == "+32450000001"


async def test_leaving_is_a_button_of_its_own(linde: Registry) -> None:
    """Rules text: leaving works "by the page that every mail links to"."""
    new = await linde.coordinator().post(
        MEMBERS, 201, json=member_input(1, accepted_on_paper=paper(linde))
    )
    link = f"/v1/unsubscribe/{(await row(linde, new['member_id']))['unsubscribe_token']}"

    done = await linde.http.post(link, data={"action": "leave"})

    assert done.status_code == 200
    events = await linde.events(Member)
    assert events[-1].state == "left"
    assert (await linde.http.get(link)).status_code == 200, "the link still says so"


async def test_an_unknown_link_is_a_page_too(linde: Registry) -> None:
    for link in ("accept", "unsubscribe"):
        for call in (linde.http.get, linde.http.post):
            answer: httpx.Response = await call(f"/v1/{link}/{'0' * 64}")
            assert answer.status_code == 404
            assert "text/html" in answer.headers["content-type"]


async def test_an_edit_of_an_older_version_is_refused(linde: Registry) -> None:
    coordinator = linde.coordinator()
    new = await coordinator.post(MEMBERS, 201, json=member_input(1))
    path = f"{MEMBERS}/{new['member_id']}"
    tag = (await coordinator.raw("GET", path)).headers["etag"]

    without = await coordinator.raw("PATCH", path, json={"language": "fr"})
    assert without.status_code == 428
    first = await coordinator.raw("PATCH", path, json={"language": "fr"}, headers={"If-Match": tag})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    second = await coordinator.raw(
        "PATCH", path, json={"language": "de"}, headers={"If-Match": tag}
    )

    assert second.status_code == 412
    assert second.headers["content-type"] == "application/problem+json"
    assert [e.language for e in await linde.events(Member)] == ["nl", "fr"]


async def test_a_new_number_lifts_the_stop_of_the_old_one(linde: Registry) -> None:
    coordinator = linde.coordinator()
    new = await coordinator.post(MEMBERS, 201, json=member_input(1))
    await linde.database["members"].update_one(
        {"_id": new["member_id"]}, {"$set": {"sms_stopped": True}}
    )

    changed = await coordinator.call(
        "PATCH",
        f"{MEMBERS}/{new['member_id']}",
        200,
        json={"phone": "0450/00.00.02"},
        headers={"If-Match": '"1"'},
    )

    assert (changed["phone"], changed["sms"]) == ("+32450000002", "reachable")


async def test_a_list_pages_by_name_without_a_name_in_the_url(linde: Registry) -> None:
    coordinator = linde.coordinator()
    for number in (3, 1, 5, 2, 4):
        await coordinator.post(MEMBERS, 201, json=member_input(number))

    names: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await coordinator.get(MEMBERS, params=query)
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        assert "Lid" not in cursor

    assert names == [f"Lid Nummer {number:04}" for number in (1, 2, 3, 4, 5)]
    problem = await coordinator.get(MEMBERS, 422, params={"cursor": "nobody"})
    assert problem["field"] == "cursor"


async def test_every_look_at_members_is_on_record(linde: Registry) -> None:
    coordinator = linde.coordinator()
    new = await coordinator.post(MEMBERS, 201, json=member_input(1))
    await coordinator.get(MEMBERS)
    await coordinator.get(f"{MEMBERS}/{new['member_id']}")

    events = [e for e in await linde.events(Access) if e.action.startswith("member.")]

    keys = linde.app.context.keys
    assert [(e.kind, e.action) for e in events] == [
        ("change", "member.create"),
        ("read", "member.list"),
        ("read", "member.read"),
    ]
    for event in events:
        assert event.reader == "coordinator-1"
        assert event.actor == keys.pseudonym("demo", 2026, "subject:coordinator-1")
        assert event.member_ids == (new["member_id"],)
    assert events[-1].recipient == keys.pseudonym("demo", 2026, "+32450000001")


async def test_no_log_metric_or_notice_holds_anything_personal(linde: Registry) -> None:
    coordinator = linde.coordinator()
    with structlog.testing.capture_logs() as logs:
        new = await coordinator.post(
            MEMBERS, 201, json=member_input(1, accepted_on_paper=paper(linde))
        )
        await coordinator.post(MEMBERS, 409, json=member_input(1))
        await coordinator.post(MEMBERS, 422, json=member_input(2, phone="0450 00"))
        await coordinator.post(f"{MEMBERS}/{new['member_id']}/leave", 200)
        metrics = (await linde.http.get("/metrics")).text
    notices = "".join(notice.model_dump_json() for notice in await linde.events(Notice))
    access = "".join(event.model_dump_json() for event in await linde.events(Access))

    for said in (str(logs), metrics, notices, access):
        for personal in ("Lid Nummer", "450000001", "voorbeeld.example", "Getuige"):
            assert personal not in said


async def test_bad_contact_details_name_their_field_and_not_their_value(linde: Registry) -> None:
    for field, value in (("phone", "101"), ("phone", "niemand"), ("email", "geen adres")):
        problem = await linde.coordinator().post(
            MEMBERS, 422, json=member_input(1, **{field: value})
        )
        assert problem["field"] == field
        assert value not in str(problem)
    assert await linde.events(Member) == []


async def test_a_search_finds_parts_of_names_numbers_and_addresses_and_is_on_record(
    linde: Registry,
) -> None:
    """Nothing that was asked for is on the record or in the URL: it is somebody's name."""
    await add_network(linde, "bin-2", coordinator="coordinator-3")
    who, elsewhere = linde.coordinator(), linde.coordinator("coordinator-3")
    for number, name in enumerate(("Zoë Linden", "Anna Linden", "André .* Test")):
        await who.post(MEMBERS, 201, json=member_input(number, name=name))
    await elsewhere.post("/networks/bin-2/members", 201, json=member_input(7, name="Zoë Elders"))

    async def found(text: str, **params: Any) -> list[str]:
        page = await who.post(f"{MEMBERS}/search", json={"text": text}, params=params)
        return [item["name"] for item in page["items"]]

    assert await found("zoe") == ["Zoë Linden"]
    assert await found("linDEN") == ["Anna Linden", "Zoë Linden"]
    assert await found("lid2@") == ["André .* Test"]
    assert await found("0450/00.00.01") == ["Anna Linden"]
    assert await found(".*") == ["André .* Test"]
    assert await found("linden", state="active") == []
    first = await who.post(f"{MEMBERS}/search", json={"text": "linden"}, params={"limit": 1})
    assert await found("linden", cursor=first["next"]) == ["Zoë Linden"]
    looks = [e for e in await linde.events(Access) if e.action == "member.search"]
    assert len(looks) == 8
    assert (looks[0].reader, len(looks[0].member_ids)) == ("coordinator-1", 1)
    assert "zoe" not in looks[0].to_json().decode().lower()
