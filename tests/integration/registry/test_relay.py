"""Reminders and escalation, a municipality's tips, feedback that is due, and new house rules."""

from typing import Any

from services.registry.flows.ask_new_rules import ask_new_rules
from services.registry.flows.chase_bulletins import chase_bulletins
from services.registry.flows.expire_bulletins import expire_bulletins
from services.registry.flows.remind_feedback import remind_feedback
from services.registry.flows.turn_deputies import turn_deputies
from shared.contracts import (
    Access,
    Bulletin,
    BulletinProposed,
    Member,
    MessageClosed,
    Notice,
    Replay,
    Verdict,
)
from shared.contracts.base import MessageType, SendState
from shared.envelope import encode
from tests.integration.registry.harness import (
    TEXT,
    As,
    Json,
    Registry,
    add_network,
    coordinator_input,
    member_input,
    paper,
    proposal,
)
from tests.integration.registry.test_bulletins import BULLETINS, alert_verdict, verdicts

TIP = {
    "subject": {"nl": "Laat een lamp branden"},
    "body": {"nl": "Een timer op een lamp houdt inbrekers weg."},
}
ACTIONS = {
    "proposed": "bulletin.wait",
    "suggested": "bulletin.suggest",
    "adopted": "bulletin.adopt",
    "declined": "bulletin.decline",
    "reminded": "bulletin.remind",
    "passed_to_deputy": "bulletin.pass_to_deputy",
    "escalated": "bulletin.escalate",
    "released": "bulletin.release",
    "sent": "bulletin.sent",
    "recorded": "bulletin.recorded",
    "returned": "bulletin.return",
    "withdrawn": "bulletin.withdraw",
    "expired": "bulletin.expire",
}


async def waits(registry: Registry) -> BulletinProposed:
    """Have a proposal wait for its relay."""
    wanted = proposal(registry)
    await registry.propose(wanted)
    await verdicts(registry, 1)
    return wanted


async def notices(registry: Registry, *templates: str) -> list[tuple[str, str]]:
    """Give template and role of the notices to roles, in order."""
    return [
        (n.template, n.to_role.role)
        for n in await registry.events(Notice)
        if n.to_role is not None and (not templates or n.template in templates)
    ]


async def check_on_record(registry: Registry, bulletin_id: str, shown: Json) -> None:
    """Rules text: `bin.access` "also carries every registry action on a bulletin"."""
    found = [
        e.action
        for e in await registry.events(Access)
        if e.kind == "bulletin" and e.message_id == bulletin_id
    ]
    assert found == [ACTIONS[step["what"]] for step in shown["timeline"]]


def town(registry: Registry, nis: str = "44021") -> As:
    return registry.as_("town-1", "municipality", municipality=nis)


def officer(registry: Registry) -> As:
    return registry.police(sub="police-1-demo")


async def add_deputy(registry: Registry, days: int = 30) -> None:
    base = "/networks/bin-linde/coordinators"
    [chief] = (await registry.police().get(base))["items"]
    period = {
        "since": registry.time.now.isoformat(),
        "until": registry.time.now.replace(month=12, day=days - 10).isoformat(),
    }
    deputy = {**coordinator_input("deputy-1"), **period}
    path = f"{base}/{chief['coordinator_id']}/deputise"
    added = await registry.coordinator().post(path, 201, json=deputy)
    screen = f"{base}/{added['coordinator_id']}/screen"
    await registry.police().post(screen, json={"outcome": "passed"})


async def remove_coordinator(registry: Registry) -> Json:
    base = "/networks/bin-linde/coordinators"
    people = (await registry.police().get(base))["items"]
    chief = next(p for p in people if p["role"] == "coordinator" and p["removed_at"] is None)
    path = f"{base}/{chief['coordinator_id']}/remove"
    return await registry.police().post(path, json={"reason": "verhuisd"})


async def test_what_waits_is_reminded_of_and_escalated_to_the_officer(linde: Registry) -> None:
    """Rules text: "reminders after a configurable time, escalation to deputy and officer"."""
    await add_deputy(linde)
    wanted = await waits(linde)
    for hours in (23, 1, 24, 24, 24):
        linde.time.advance(hours=hours)
        await chase_bulletins(linde.app.context)

    assert await notices(linde) == [
        ("bulletin_waiting", "coordinator"),
        ("bulletin_reminder", "coordinator"),
        ("bulletin_escalated", "deputy"),
        ("bulletin_escalated", "officer"),
    ]
    released = await linde.police().post(f"{BULLETINS}/{wanted.bulletin_id}/release")
    assert [step["what"] for step in released["timeline"]] == [
        "proposed",
        "reminded",
        "passed_to_deputy",
        "escalated",
        "released",
    ]
    await check_on_record(linde, wanted.bulletin_id, released)
    assert len(await linde.events(Bulletin)) == 1


async def test_what_was_dealt_with_is_not_chased(linde: Registry) -> None:
    wanted = await waits(linde)
    await linde.coordinator().post(f"{BULLETINS}/{wanted.bulletin_id}/return", json={"reason": "x"})
    linde.time.advance(days=5)

    assert not await chase_bulletins(linde.app.context)

    assert ("bulletin_reminder", "coordinator") not in await notices(linde)


async def test_without_a_coordinator_a_deputy_gets_the_relay_and_then_the_officer(
    linde: Registry,
) -> None:
    """Rules text: "flagged to the officer and its relays go to a deputy, else to the officer"."""
    await add_deputy(linde, days=21)
    base = "/networks/bin-linde/coordinators"
    people = (await linde.police().get(base))["items"]
    chief = next(p for p in people if p["role"] == "coordinator")
    failed = f"{base}/{chief['coordinator_id']}/screen"
    await linde.police().post(failed, json={"outcome": "failed"})
    assert await notices(linde) == [("network_without_coordinator", "officer")]
    wanted = await waits(linde)
    linde.time.advance(hours=24)
    await chase_bulletins(linde.app.context)
    assert (await notices(linde))[1:] == [
        ("bulletin_waiting", "deputy"),
        ("bulletin_reminder", "deputy"),
    ]
    longer = proposal(linde, expires_at=linde.time.now.replace(month=12, day=30))
    await linde.propose(longer)
    await verdicts(linde, 2)
    linde.time.now = linde.time.now.replace(month=12, day=11, hour=10)
    police = linde.police()
    tag = {"If-Match": (await police.raw("GET", "/networks/bin-linde")).headers["etag"]}
    edit = {
        "name": "BIN Lindelaan"
    }  # comes before the job does, and must not hide the turn from it
    assert (
        await police.raw("PATCH", "/networks/bin-linde", json=edit, headers=tag)
    ).status_code == 200

    await turn_deputies(linde.app.context)
    assert not await turn_deputies(linde.app.context)
    assert await linde.app.context.networks.turned(linde.time.now, 1) == []

    assert ("bulletin_escalated", "officer") in await notices(linde)
    await expire_bulletins(linde.app.context)
    shown = await linde.police().get(f"{BULLETINS}/{longer.bulletin_id}")
    assert shown["timeline"][-1]["what"] == "escalated"
    await linde.police().post(f"{BULLETINS}/{longer.bulletin_id}/release")
    gone = await linde.police().get(f"{BULLETINS}/{wanted.bulletin_id}")
    assert gone["state"] == "expired"
    await check_on_record(linde, wanted.bulletin_id, gone)


async def test_removing_the_last_coordinator_hands_what_waits_to_the_officer(
    linde: Registry,
) -> None:
    """Role profiles (28 February 2019): "Removal keeps a reason; three weeks to appeal"."""
    wanted = await waits(linde)

    removed = await remove_coordinator(linde)

    assert removed["removal_reason"] == "verhuisd"
    assert removed["appeal_until"] == "2026-12-11T09:00:00Z"
    told = await notices(linde, "network_without_coordinator", "bulletin_escalated")
    assert sorted(told) == [
        ("bulletin_escalated", "officer"),
        ("network_without_coordinator", "officer"),
    ]
    shown = await linde.police().get(f"{BULLETINS}/{wanted.bulletin_id}")
    await check_on_record(linde, wanted.bulletin_id, shown)
    await linde.police().post(f"{BULLETINS}/{wanted.bulletin_id}/release")


async def test_dissolving_informs_the_zone_and_ends_what_is_open(linde: Registry) -> None:
    """Rules text: "informs the zone, stops every message and starts the retention clock"."""
    wanted = await waits(linde)
    tip = await town(linde).post(BULLETINS, 201, json=TIP)

    gone = await linde.police().post("/networks/bin-linde/dissolve", json={"reason": "op"})

    assert (gone["state"], gone["state_since"]) == ("dissolved", "2026-11-20T09:00:00Z")
    assert ("network_dissolved", "officer") in await notices(linde)
    for bulletin_id in (wanted.bulletin_id, tip["bulletin_id"]):
        shown = await linde.police().get(f"{BULLETINS}/{bulletin_id}")
        assert shown["state"] == "withdrawn"
        await check_on_record(linde, bulletin_id, shown)
    assert await linde.events(Bulletin) == []


async def test_a_tip_is_adopted_and_then_relayed(linde: Registry) -> None:
    """Rules text: "A municipality's tip is a bulletin in state `suggested`; the officer adopts"."""
    tip = await town(linde).post(BULLETINS, 201, json=TIP)
    assert (tip["state"], tip["kind"]) == ("suggested", "prevention")
    assert ("bulletin_suggested", "officer") in await notices(linde)
    path = f"{BULLETINS}/{tip['bulletin_id']}"
    await linde.coordinator().post(f"{path}/release", 409)
    await linde.police(sub="police-7").post(f"{path}/adopt", 409)
    edited = {"body": {"nl": "Een lamp met timer houdt inbrekers weg."}}

    adopted = await officer(linde).post(f"{path}/adopt", json=edited)
    await linde.coordinator().post(f"{path}/release")

    assert (adopted["state"], adopted["issued_by"]) == ("waiting", "officer-1")
    [sent] = await linde.events(Bulletin)
    assert (sent.kind, sent.body, sent.issued_by) == ("prevention", edited["body"], "officer-1")
    shown = await town(linde).get(path)
    assert [s["what"] for s in shown["timeline"]] == ["suggested", "adopted", "released"]
    await check_on_record(linde, tip["bulletin_id"], shown)


async def test_a_declined_tip_shows_its_municipality_why(linde: Registry) -> None:
    tip = await town(linde).post(BULLETINS, 201, json=TIP)
    path = f"{BULLETINS}/{tip['bulletin_id']}"
    await officer(linde).post(f"{path}/decline", 422, json={})

    for _ in range(2):
        await officer(linde).post(f"{path}/decline", json={"reason": "staat al in de krant"})

    shown = await town(linde).get(path)
    assert shown["timeline"][-1]["reason"] == "staat al in de krant"
    await check_on_record(linde, tip["bulletin_id"], shown)


async def test_a_municipality_sees_and_suggests_its_own_only(linde: Registry) -> None:
    wanted = await waits(linde)
    await town(linde).post(BULLETINS, 201, json=TIP)

    listed = (await town(linde).get(BULLETINS))["items"]

    assert [item["origin"] for item in listed] == ["municipality"]
    await town(linde).get(f"{BULLETINS}/{wanted.bulletin_id}", 404)
    other = town(linde, "11002")
    await other.get(BULLETINS, 404)
    await other.post(BULLETINS, 404, json=TIP)
    refused = await town(linde).post(BULLETINS, 422, json={**TIP, "kind": "feedback"})
    assert refused["field"] == "kind"
    await linde.police().post("/networks/bin-linde/suspend", json={"reason": "pauze"})
    await town(linde).post(BULLETINS, 409, json=TIP)


async def test_a_tip_that_nobody_adopted_expires_on_record(linde: Registry) -> None:
    tip = await town(linde).post(BULLETINS, 201, json=TIP)
    linde.time.advance(days=14)
    await officer(linde).post(f"{BULLETINS}/{tip['bulletin_id']}/adopt", 409, json={})

    await expire_bulletins(linde.app.context)

    shown = await town(linde).get(f"{BULLETINS}/{tip['bulletin_id']}")
    assert shown["state"] == "expired"
    assert ("bulletin_expired", "officer") in await notices(linde)


async def alerted(registry: Registry, *networks: str) -> str:
    """Have an alert accepted for these networks."""
    alert_id = registry.app.context.clock.new_id()
    verdict: Verdict = alert_verdict(registry, alert_id, network_ids=networks)
    await registry.cluster.append(
        encode(verdict, ce_id=verdict.event_id, source="dispatcher", time=registry.time.now)
    )

    async def noted() -> bool:
        return await registry.database["alerts"].count_documents({"alert_id": alert_id}) == 1

    await registry.consume(noted)
    return alert_id


async def test_a_recorded_reason_clears_feedback_that_is_due(linde: Registry) -> None:
    """Rules text: "cleared by a feedback bulletin or a recorded reason why not"."""
    await add_network(linde, "bin-2", coordinator="coordinator-3")
    alert_id = await alerted(linde, "bin-linde", "bin-2")
    path = f"/zones/demo/feedback-due/{alert_id}/waive"
    await linde.police().post(path, 422, json={})
    wrong = await linde.police().post(path, 422, json={"reason": "x", "network_ids": ["bin-9"]})
    assert wrong["field"] == "network_ids"
    await linde.police().post(
        path.replace(alert_id, linde.app.context.clock.new_id()), 404, json={"reason": "x"}
    )

    some = {"reason": "$onderzoek loopt", "network_ids": ["bin-2"]}
    left = await linde.police().post(path, json=some)
    assert left["network_ids"] == ["bin-linde"]
    [due] = (await linde.police().get("/zones/demo/feedback-due"))["items"]
    assert due["network_ids"] == ["bin-linde"]
    await linde.police().post(path, json={"reason": "onderzoek loopt"})

    assert (await linde.police().get("/zones/demo/feedback-due"))["items"] == []
    waived = [e for e in await linde.events(Access) if e.action == "feedback.waive"]
    assert [(e.network_id, e.reason, e.message_id) for e in waived] == [
        ("bin-2", "$onderzoek loopt", alert_id),
        ("bin-linde", "onderzoek loopt", alert_id),
    ]


async def test_an_officer_is_reminded_once_of_feedback_that_is_due(linde: Registry) -> None:
    """Every warm message owes its members feedback."""
    await add_network(linde, "bin-2", coordinator="coordinator-3")
    await alerted(linde, "bin-linde", "bin-2")
    for days in (6, 1, 1):
        linde.time.advance(days=days)
        await remind_feedback(linde.app.context)

    assert await notices(linde, "feedback_due") == [("feedback_due", "officer")]


async def test_new_house_rules_are_accepted_by_a_link(linde: Registry) -> None:
    """Rules text: "new house rules that members accept by a link", each "personally"."""
    new = await _members(linde, 3)
    await linde.coordinator().post(
        "/networks/bin-linde/documents/house_rules", 201, json={"text": TEXT}
    )
    for _ in range(3):
        await ask_new_rules(linde.app.context)

    asked = [n.to_member for n in await linde.events(Notice) if n.template == "house_rules_changed"]
    assert sorted(filter(None, asked)) == sorted(new)
    [latest] = [e for e in await linde.events(Member) if e.member_id == new[0]][-1:]
    assert latest.state == "active"
    assert latest.accept_token is not None
    link = f"/v1/accept/{latest.accept_token}"
    page = await linde.http.get(link)
    assert 'name="version" value="2"' in page.text
    await linde.http.post(link, data={"version": "2"})

    [done] = [e for e in await linde.events(Member) if e.member_id == new[0]][-1:]
    assert (done.house_rules_version, done.accept_token) == (2, None)
    assert await linde.database["rule_asks"].count_documents({}) == 0


async def _members(registry: Registry, count: int) -> list[str]:
    found: list[str] = []
    for number in range(1, count + 1):
        new = member_input(number, accepted_on_paper=paper(registry))
        added: Any = await registry.coordinator().post("/networks/bin-linde/members", 201, json=new)
        found.append(added["member_id"])
    return found


async def test_that_all_was_sent_stands_on_the_timeline(linde: Registry) -> None:
    """Rules text: "everything that happened to a bulletin is on its timeline"."""
    wanted = await waits(linde)
    path = f"{BULLETINS}/{wanted.bulletin_id}"
    await linde.coordinator().post(f"{path}/release")
    for revision in (1, 2):
        closed = MessageClosed(
            zone_id="demo",
            event_id=f"closed-{revision}",
            message_id=wanted.bulletin_id,
            message_type=MessageType.BULLETIN,
            release="bin-linde",
            revision=revision,
            sends=1,
            states={SendState.ACCEPTED: 1},
            events=1,
            digest="0" * 64,
            closed_at=linde.time.now,
        )
        await linde.cluster.append(
            encode(closed, ce_id=closed.event_id, source="dispatcher", time=linde.time.now)
        )

    async def read() -> bool:
        rows = linde.database["positions"].find({"_id": {"$regex": r"^registry\.sends\|"}})
        return sum([row["next"] async for row in rows]) == 2

    await linde.consume(read)

    shown = await linde.police().get(path)
    assert [step["what"] for step in shown["timeline"]] == ["proposed", "released", "sent"]
    await check_on_record(linde, wanted.bulletin_id, shown)


async def test_the_timeline_says_once_when_the_audit_log_has_everything(linde: Registry) -> None:
    """The registry reads `bin.replays`; an agreement is worth a line."""
    wanted = await waits(linde)
    path = f"{BULLETINS}/{wanted.bulletin_id}"
    await linde.coordinator().post(f"{path}/release")
    for number, (answer, release) in enumerate(
        (
            ("resend", "bin-linde"),
            ("agreed", None),
            ("agreed", "bin-linde"),
            ("agreed", "bin-linde"),
        )
    ):
        replay = Replay.model_validate(
            {
                "zone_id": "demo",
                "event_id": f"answer-{number}",
                "message_id": wanted.bulletin_id,
                "release": release,
                "revision": number,
                "answer": answer,
                "events_seen": 1,
                "digest_seen": "0" * 64,
                "answered_at": linde.time.now,
            }
        )
        event_id, now = replay.event_id, linde.time.now
        await linde.cluster.append(encode(replay, ce_id=event_id, source="audit", time=now))
        await linde.catch_up("registry.replays")

    shown = await linde.police().get(path)
    assert [step["what"] for step in shown["timeline"]] == ["proposed", "released", "recorded"]
    await check_on_record(linde, wanted.bulletin_id, shown)


async def test_every_action_on_a_key_is_on_record(linde: Registry) -> None:
    """On `bin.access`, as is every action on a bulletin."""
    await linde.police().call("DELETE", "/zones/demo/keys/key-1", 200)

    found = [(e.action, e.reader) for e in await linde.events(Access) if e.kind == "key"]

    assert found == [
        ("key.enrol", "admin-1"),
        ("key.confirm", "police-2-demo"),
        ("key.revoke", "police-1"),
    ]
