"""Proposals and their verdicts, the relay, and what an alert owes its members."""

import json
from datetime import timedelta

from shared import signatures
from shared.contracts import Access, Bulletin, DeadLetter, Member, Notice, Send, Verdict
from shared.contracts.dispatcher import Reason, VerdictKind
from shared.envelope import encode
from shared.topics import ALERTS, TOPICS, VERDICTS
from tests.integration.registry.harness import (
    Registry,
    add_network,
    add_zone,
    member_input,
    paper,
    proposal,
)

BULLETINS = "/networks/bin-linde/bulletins"


async def verdicts(registry: Registry, count: int) -> list[Verdict]:
    """Run the consumers until there are `count` verdicts of the registry."""

    async def enough() -> bool:
        return len(await registry.events(Verdict)) >= count

    await registry.consume(enough)
    found = await registry.events(Verdict)
    assert len(found) == count
    return found


async def test_an_accepted_proposal_waits_for_its_relay(linde: Registry) -> None:
    await linde.coordinator().post(
        "/networks/bin-linde/members", 201, json=member_input(1, accepted_on_paper=paper(linde))
    )
    wanted = proposal(linde)
    await linde.propose(wanted)

    [verdict] = await verdicts(linde, 1)

    assert (verdict.verdict, verdict.people, verdict.signer) == (VerdictKind.ACCEPTED, 1, "key-1")
    assert verdict.network_ids == ("bin-linde",)
    [item] = (await linde.coordinator().get(BULLETINS, params={"state": "waiting"}))["items"]
    assert item["bulletin_id"] == wanted.bulletin_id
    [waiting] = [n for n in await linde.events(Notice) if n.template == "bulletin_waiting"]
    assert waiting.to_role is not None
    assert waiting.to_role.role == "coordinator"
    shown = await linde.coordinator().get(f"{BULLETINS}/{wanted.bulletin_id}")
    assert [p["language"] for p in shown["preview"]] == ["nl", "fr"]
    assert shown["preview"][0]["text"].endswith("Kom niet zelf tussen.")
    assert [step["what"] for step in shown["timeline"]] == ["proposed"]


async def test_a_release_is_published_once(linde: Registry) -> None:
    wanted = proposal(linde)
    await linde.propose(wanted)
    await verdicts(linde, 1)
    release = f"{BULLETINS}/{wanted.bulletin_id}/release"

    await linde.police().post(release, 404)
    for _ in range(2):
        released = await linde.coordinator().post(release)
        assert released["state"] == "released"

    [bulletin] = await linde.events(Bulletin)
    assert (bulletin.bulletin_id, bulletin.network_id) == (wanted.bulletin_id, "bin-linde")
    keys = linde.app.context.keys
    assert bulletin.released_by == keys.pseudonym("demo", 2026, "subject:coordinator-1")
    assert bulletin.body == wanted.body
    acted = [e.action for e in await linde.events(Access) if e.kind == "bulletin"]
    assert acted == ["bulletin.wait", "bulletin.release"]
    await linde.coordinator().post(
        f"{BULLETINS}/{wanted.bulletin_id}/return", 409, json={"reason": "te laat"}
    )


async def test_a_return_goes_to_the_officer_with_its_reason(linde: Registry) -> None:
    wanted = proposal(linde)
    await linde.propose(wanted)
    await verdicts(linde, 1)

    await linde.coordinator().post(
        f"{BULLETINS}/{wanted.bulletin_id}/return", json={"reason": "straat klopt niet"}
    )

    page = await linde.police().get("/zones/demo/bulletins", params={"state": "returned"})
    [item] = page["items"]
    shown = await linde.police().get(f"{BULLETINS}/{item['bulletin_id']}")
    assert shown["timeline"][-1]["reason"] == "straat klopt niet"
    templates = [n.template for n in await linde.events(Notice)]
    assert templates.count("bulletin_returned") == 1
    assert "straat" not in "".join(n.model_dump_json() for n in await linde.events(Notice))


async def test_police_withdraw_what_waits(linde: Registry) -> None:
    wanted = proposal(linde)
    await linde.propose(wanted)
    await verdicts(linde, 1)

    await linde.police().post(f"{BULLETINS}/{wanted.bulletin_id}/withdraw")

    await linde.coordinator().post(f"{BULLETINS}/{wanted.bulletin_id}/release", 409)
    assert await linde.events(Bulletin) == []


async def test_what_nobody_relays_expires_on_record(linde: Registry) -> None:
    wanted = proposal(linde)
    await linde.propose(wanted)
    await verdicts(linde, 1)
    linde.time.advance(days=14)
    await linde.coordinator().post(f"{BULLETINS}/{wanted.bulletin_id}/release", 409)

    async def expired() -> bool:
        return await linde.database["bulletins"].count_documents({"state": "expired"}) == 1

    await linde.consume(expired)

    templates = [n.template for n in await linde.events(Notice)]
    assert templates.count("bulletin_expired") == 1


async def test_without_a_coordinator_the_relay_goes_to_the_officer(linde: Registry) -> None:
    base = "/networks/bin-linde/coordinators"
    [person] = (await linde.police().get(base))["items"]
    await linde.police().post(
        f"{base}/{person['coordinator_id']}/remove", json={"reason": "verhuisd"}
    )
    wanted = proposal(linde)
    await linde.propose(wanted)
    await verdicts(linde, 1)

    await linde.police().post(f"{BULLETINS}/{wanted.bulletin_id}/release")

    assert len(await linde.events(Bulletin)) == 1
    templates = [n.template for n in await linde.events(Notice)]
    assert templates.count("bulletin_escalated") == 1


async def test_each_bad_proposal_gets_its_verdict_and_the_next_is_judged(
    linde: Registry,
) -> None:
    await add_zone(linde, "other")
    await add_network(linde, "bin-other", "other", "coordinator-2")
    now = linde.time.now
    good = proposal(linde)
    await linde.propose(proposal(linde), value=b"\xff not json")
    await linde.propose(proposal(linde), value=b'{"bulletin_id": 4}')
    await linde.propose(proposal(linde), headers={"bin-signature": b"a..b"})
    await linde.propose(proposal(linde), headers={"bin-signature": b"a.b.c"})
    await linde.propose(proposal(linde), key="other")
    await linde.propose(proposal(linde, "bin-other"))
    await linde.propose(proposal(linde, issued_at=now - timedelta(days=8)))
    await linde.propose(proposal(linde, issued_at=now + timedelta(minutes=3)))
    await linde.propose(
        proposal(linde, issued_at=now - timedelta(hours=2), expires_at=now - timedelta(hours=1))
    )
    await linde.propose(proposal(linde, issued_by="officer-9"))
    await linde.propose(good)

    found = await verdicts(linde, 11)

    by_reason = {verdict.reason: verdict for verdict in found}
    assert set(by_reason) == {
        Reason.NOT_JSON,
        Reason.INVALID_FIELD,
        Reason.MALFORMED_SIGNATURE,
        Reason.KEY_NOT_ZONE,
        Reason.UNKNOWN_NETWORK,
        Reason.ISSUED_TOO_LONG_AGO,
        Reason.ISSUED_IN_FUTURE,
        Reason.EXPIRED,
        Reason.NOT_THE_SIGNER,
        None,
    }
    assert by_reason[Reason.EXPIRED].verdict is VerdictKind.EXPIRED
    accepted = by_reason[None]
    assert accepted.verdict is VerdictKind.ACCEPTED
    assert accepted.message_id == good.bulletin_id
    assert len({v.event_id for v in found}) == 11
    assert await linde.database["bulletins"].count_documents({}) == 1
    letters = linde.cluster.on(TOPICS["bin.bulletins.proposed.dlq"].name)
    reasons = {DeadLetter.from_json(letter.value).reason for letter in letters}
    assert reasons == {Reason.NOT_JSON, Reason.INVALID_FIELD}


async def test_a_revoked_key_signs_nothing_any_more(linde: Registry) -> None:
    await linde.police().call("DELETE", "/zones/demo/keys/key-1", 200)
    await linde.propose(proposal(linde))

    [verdict] = await verdicts(linde, 1)

    assert verdict.reason is Reason.KEY_REVOKED


async def test_an_id_belongs_to_one_message(linde: Registry) -> None:
    first = proposal(linde)
    other = first.model_copy(update={"subject": {"nl": "Iets anders", "fr": "Autre chose"}})
    await linde.propose(first)
    await linde.propose(first)
    await linde.propose(other)

    found = await verdicts(linde, 3)

    assert [(v.verdict, v.reason) for v in found] == [
        (VerdictKind.ACCEPTED, None),
        (VerdictKind.DUPLICATE, None),
        (VerdictKind.REFUSED, Reason.ID_TAKEN),
    ]
    assert await linde.database["bulletins"].count_documents({}) == 1


async def test_a_record_read_again_repeats_its_verdict(linde: Registry) -> None:
    await linde.propose(proposal(linde))
    [first] = await verdicts(linde, 1)
    await linde.database["positions"].delete_many({"_id": {"$regex": "^registry.proposals"}})

    async def told_again() -> bool:
        await linde.publish()
        return len(linde.cluster.on(VERDICTS.name)) >= 2

    await linde.consume(told_again)

    assert await verdicts(linde, 1) == [first]
    assert await linde.database["bulletins"].count_documents({}) == 1


async def test_a_network_that_cannot_take_it_is_left_out_and_named(linde: Registry) -> None:
    await add_network(linde, "bin-2", coordinator="coordinator-3")
    await linde.police().post("/networks/bin-2/suspend", json={"reason": "pauze"})
    await linde.propose(proposal(linde, "bin-linde", "bin-2"))
    await linde.propose(proposal(linde, "bin-2"))

    some, none = await verdicts(linde, 2)

    assert some.verdict is VerdictKind.ACCEPTED
    assert [(n.network_id, n.reason) for n in some.left_out] == [
        ("bin-2", Reason.NETWORK_NOT_ACTIVE)
    ]
    assert (none.verdict, none.reason) == (VerdictKind.REFUSED, Reason.NO_NETWORK_LEFT)


async def test_a_coordinator_writes_only_organisation(linde: Registry) -> None:
    text = {"subject": {"nl": "Vergadering"}, "body": {"nl": "Dinsdag om 20 uur."}}
    refused = await linde.coordinator().post(BULLETINS, 422, json={**text, "kind": "prevention"})
    assert refused["field"] == "kind"

    written = await linde.coordinator().post(BULLETINS, 201, json=text)

    assert (written["state"], written["origin"]) == ("released", "coordinator")
    [bulletin] = await linde.events(Bulletin)
    assert bulletin.kind == "organisation"
    page = await linde.police().get("/zones/demo/bulletins")
    assert [item["bulletin_id"] for item in page["items"]] == [written["bulletin_id"]]


def alert_verdict(registry: Registry, alert_id: str, **more: object) -> Verdict:
    return Verdict.model_validate(
        {
            "event_id": f"verdict-{alert_id}",
            "ce_id": "ce-1",
            "original": {"topic": ALERTS.name, "partition": 0, "offset": 1, "sha256": "0" * 64},
            "zone_id": "demo",
            "message_type": "alert",
            "message_id": alert_id,
            "kind": "alert",
            "status": "actual",
            "network_ids": ["bin-linde", "bin-2"],
            "verdict": "accepted",
            "explanation": "Accepted for 2 networks.",
            "judged_at": registry.time.now,
            **more,
        }
    )


async def test_an_alert_owes_feedback_to_each_network(linde: Registry) -> None:
    await add_network(linde, "bin-2", coordinator="coordinator-3")
    alert, tried, update = (linde.app.context.clock.new_id() for _ in range(3))
    for verdict in (
        alert_verdict(linde, alert),
        alert_verdict(linde, tried, status="test"),
        alert_verdict(linde, update, kind="update", references=alert),
    ):
        await linde.cluster.append(
            encode(verdict, ce_id=verdict.event_id, source="dispatcher", time=linde.time.now)
        )
    feedback = proposal(linde, "bin-linde", "bin-2", kind="feedback", references=alert)
    await linde.propose(feedback)

    async def judged() -> bool:
        alerts = await linde.database["alerts"].count_documents({})
        return alerts == 1 and await linde.database["bulletins"].count_documents({}) == 2

    await linde.consume(judged)
    trial = proposal(linde, kind="feedback", references=alert, status="test")
    await linde.propose(trial)
    await verdicts(linde, 5)  # with those of the alerts
    await linde.coordinator().post(f"{BULLETINS}/{trial.bulletin_id}/release")  # to no member
    due = (await linde.police().get("/zones/demo/feedback-due"))["items"]
    assert [(d["alert_id"], sorted(d["network_ids"])) for d in due] == [
        (alert, ["bin-2", "bin-linde"])
    ]

    await linde.coordinator().post(f"{BULLETINS}/{feedback.bulletin_id}/release")
    [due] = (await linde.police().get("/zones/demo/feedback-due"))["items"]
    assert due["network_ids"] == ["bin-2"]
    await linde.coordinator("coordinator-3").post(
        f"/networks/bin-2/bulletins/{feedback.bulletin_id}/release"
    )
    assert (await linde.police().get("/zones/demo/feedback-due"))["items"] == []


async def test_feedback_before_the_verdict_is_read_counts_too(linde: Registry) -> None:
    alert = linde.app.context.clock.new_id()
    feedback = proposal(linde, kind="feedback", references=alert)
    await linde.propose(feedback)
    await verdicts(linde, 1)
    await linde.coordinator().post(f"{BULLETINS}/{feedback.bulletin_id}/release")
    late = alert_verdict(linde, alert, network_ids=["bin-linde"])
    await linde.cluster.append(
        encode(late, ce_id=late.event_id, source="dispatcher", time=linde.time.now)
    )

    async def noted() -> bool:
        return await linde.database["alerts"].count_documents({"accepted_at": {"$ne": None}}) == 1

    await linde.consume(noted)

    assert (await linde.police().get("/zones/demo/feedback-due"))["items"] == []


async def test_a_stop_makes_the_member_unreachable_and_is_told(linde: Registry) -> None:
    new = await linde.coordinator().post(
        "/networks/bin-linde/members", 201, json=member_input(1, accepted_on_paper=paper(linde))
    )
    ring = linde.app.context.keys

    def stopped(seq: int, number: str) -> Send:
        return Send.model_validate(
            {
                "zone_id": "demo",
                "event_id": f"send-1-{seq}",
                "send_id": "send-1",
                "seq": seq,
                "message_id": linde.app.context.clock.new_id(),
                "message_type": "alert",
                "network_ids": ["bin-linde"],
                "member_ids": [new["member_id"]],
                "recipient": ring.pseudonym("demo", 2026, number),
                "recipient_year": 2026,
                "lane": "warm",
                "channel": "sms",
                "state": "failed",
                "reason": "stopped",
                "attempt": 1,
                "language": "nl",
                "template": "alert",
                "basis": {"legal": "x"},
                "time": linde.time.now,
            }
        )

    for seq, number in enumerate(["+32450999999", "+32450000001", "+32450000001"], 1):
        send = stopped(seq, number)
        await linde.cluster.append(
            encode(send, ce_id=send.event_id, source="dispatcher", time=linde.time.now)
        )

    async def read() -> bool:
        rows = linde.database["positions"].find({"_id": {"$regex": r"^registry\.sends\|"}})
        return sum([row["next"] async for row in rows]) == 3

    await linde.consume(read)

    assert [e.sms_stopped for e in await linde.events(Member)] == [False, True]
    notices = [n for n in await linde.events(Notice) if n.template == "member_unreachable"]
    assert len(notices) == 1
    assert notices[0].about["member_id"] == new["member_id"]
    listed = await linde.coordinator().get("/networks/bin-linde/members")
    assert listed["items"][0]["sms"] == "stopped"


async def test_a_key_of_a_police_system_signs_with_its_kid(linde: Registry) -> None:
    kid, key = "system-1", signatures.new_key("system-1")
    body = {
        "jwk": {"kty": "OKP", "crv": "Ed25519", "x": key.as_dict(private=False)["x"]},
        "nbf": linde.time.now.isoformat(),
        "exp": (linde.time.now + timedelta(days=9)).isoformat(),
    }
    await linde.admin.call("PUT", f"/zones/demo/keys/{kid}", 201, json=json.loads(json.dumps(body)))
    linde.zone_keys["demo"] = (kid, key)
    await linde.propose(proposal(linde, issued_by=kid))
    await linde.police(sub="police-8").post(f"/zones/demo/keys/{kid}/confirm")

    [verdict] = await verdicts(linde, 1)

    assert (verdict.verdict, verdict.signer) == (VerdictKind.ACCEPTED, kid)
