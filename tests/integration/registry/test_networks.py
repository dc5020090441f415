"""Zones, keys, networks and coordinators: each change with its event."""

from datetime import timedelta

from shared import pseudonyms, signatures
from shared.contracts import Access, Member, Network, Notice, Zone
from tests.integration.registry.harness import (
    PRIVACY,
    Registry,
    add_key,
    add_zone,
    coordinator_input,
    member_input,
    paper,
)

NEW = {
    "zone_id": "demo",
    "network_id": "bin-1",
    "name": "BIN Een",
    "municipality": "44021",
    "kind": "residents",
    "languages": ["nl"],
    "sender_name": "BIN Een",
}


async def test_a_zone_and_its_keys_reach_the_compacted_topic(registry: Registry) -> None:
    await add_zone(registry)

    zones = await registry.events(Zone)

    assert [zone.version for zone in zones] == [1, 2, 3, 4]
    last = zones[-1]
    assert [(o.officer_id, o.subject) for o in last.officers] == [("officer-1", "police-1-demo")]
    [key] = last.keys
    assert (key.confirmed_by, key.enrolled_by) == ("police-2-demo", "admin-1")
    assert "Inspecteur" not in last.model_dump_json(), "officers travel as ids"
    actions = [e.action for e in await registry.events(Access) if e.kind == "key"]
    assert actions == ["key.enrol", "key.confirm"]


async def test_a_zone_id_is_taken_once(registry: Registry) -> None:
    await add_zone(registry)
    new = {"zone_id": "demo", "name": "Andere", "legal_basis": {"warm": "a", "cold": "b"}}

    problem = await registry.admin.post("/zones", 409, json=new)

    assert problem["field"] == "zone_id"
    assert len(await registry.events(Zone)) == 4


async def test_enrolling_refuses_what_is_no_public_key(registry: Registry) -> None:
    await add_zone(registry)
    key = signatures.new_key("key-2")
    base = {
        "officer_id": "officer-1",
        "nbf": registry.time.now.isoformat(),
        "exp": (registry.time.now + timedelta(days=1)).isoformat(),
    }
    public = {"kty": "OKP", "crv": "Ed25519", "x": str(key.as_dict(private=False)["x"])}
    refused = {
        "jwk.d": {**public, "d": "c2VjcmV0"},
        "jwk.crv": {**public, "crv": "X25519"},
        "jwk.x": {**public, "x": "c2hvcnQ"},
        "jwk.kid": {**public, "kid": "other"},
    }
    for field, jwk in refused.items():
        problem = await registry.admin.call(
            "PUT", "/zones/demo/keys/key-2", 422, json={**base, "jwk": jwk}
        )
        assert problem["field"] == field

    body = {**base, "jwk": public}
    await registry.admin.call("PUT", "/zones/demo/keys/key-2", 201, json=body)
    await registry.admin.call("PUT", "/zones/demo/keys/key-2", 200, json=body)
    another = {**public, "x": str(signatures.new_key("n").as_dict(private=False)["x"])}
    problem = await registry.admin.call(
        "PUT", "/zones/demo/keys/key-2", 409, json={**base, "jwk": another}
    )
    assert problem["field"] == "kid"
    same = await registry.admin.call("PUT", "/zones/demo/keys/key-3", 409, json=body)
    assert same["field"] == "jwk.x"


async def test_a_key_is_confirmed_by_another_police_user(registry: Registry) -> None:
    await add_zone(registry)
    key = signatures.new_key("key-2").as_dict(private=False)
    body = {
        "jwk": {"kty": "OKP", "crv": "Ed25519", "x": key["x"]},
        "officer_id": "officer-1",
        "nbf": registry.time.now.isoformat(),
        "exp": (registry.time.now + timedelta(days=1)).isoformat(),
    }
    # somebody who is both admin and police enrols
    both = registry.as_("both-1", "admin", "police", zone="demo")
    await both.call("PUT", "/zones/demo/keys/key-2", 201, json=body)
    confirm = "/zones/demo/keys/key-2/confirm"

    await both.post(confirm, 409)
    await registry.police(sub="police-1-demo").post(confirm, 409)
    confirmed = await registry.police(sub="police-3").post(confirm)

    assert confirmed["confirmed_by"] == "police-3"
    await registry.police(sub="police-4").post(confirm)
    assert (await registry.events(Zone))[-1].keys[-1].confirmed_by == "police-3"


async def test_a_revoked_key_stays_listed_and_is_not_confirmed(registry: Registry) -> None:
    await add_zone(registry)
    await add_key(registry, kid="key-2", officer=None)

    for _ in range(2):
        revoked = await registry.police().call("DELETE", "/zones/demo/keys/key-2", 200)
        assert revoked["revoked_at"] is not None
    await registry.police(sub="police-7").post("/zones/demo/keys/key-2/confirm", 409)

    listed = (await registry.admin.get("/zones/demo/keys"))["items"]
    assert [key["kid"] for key in listed] == ["key-1", "key-2"]
    assert (await registry.events(Zone))[-1].keys[-1].revoked_at is not None


async def test_activation_names_everything_that_is_missing(registry: Registry) -> None:
    zone = {"zone_id": "demo", "name": "Demo", "legal_basis": {"warm": "a", "cold": "b"}}
    await registry.admin.post("/zones", 201, json=zone)
    await registry.admin.post("/networks", 201, json=NEW)

    problem = await registry.police().post("/networks/bin-1/activate", 409)

    assert problem["missing"] == [
        "officer",
        "coordinator",
        "charter",
        "house_rules",
        "communication_plan",
        "pseudonym_keys",
    ]
    assert "buurtbode pseudonyms rotate --zone demo" in problem["detail"]
    pseudonyms.rotate(registry.ring, ["demo"], 2026)
    problem = await registry.police().post("/networks/bin-1/activate", 409)
    assert "pseudonym_keys" not in problem["missing"]
    assert [network.state for network in await registry.events(Network)] == ["draft"]
    # no condition of the circular's, but nobody should overlook it
    shown = await registry.police().raw("GET", "/networks/bin-1")
    assert shown.json()["warnings"] == ["zone_privacy"]
    tag = {"If-Match": (await registry.admin.raw("GET", "/zones/demo")).headers["ETag"]}
    change = {"privacy": PRIVACY}
    await registry.admin.call("PATCH", "/zones/demo", 200, json=change, headers=tag)
    assert (await registry.police().get("/networks/bin-1"))["warnings"] == []


async def test_a_network_goes_through_its_states(linde: Registry) -> None:
    police = linde.police()
    base = "/networks/bin-linde"

    await police.post(f"{base}/suspend", json={"reason": "geen coördinator bereikbaar"})
    await police.post(f"{base}/activate")
    await police.post(f"{base}/dissolve", json={"reason": "opgeheven"})
    await police.post(f"{base}/dissolve", json={"reason": "nog eens"})
    problem = await police.post(f"{base}/activate", 409)

    assert problem["type"].endswith("network-dissolved")
    states = [network.state for network in await linde.events(Network)]
    assert states[-4:] == ["active", "suspended", "active", "dissolved"]
    dissolved = [n for n in await linde.events(Notice) if n.template == "network_dissolved"]
    assert sorted(n.to_role.role for n in dissolved if n.to_role) == ["coordinator", "officer"]
    await linde.coordinator().post(f"{base}/members", 409, json=member_input(1))


async def test_the_event_has_what_the_other_services_need(linde: Registry) -> None:
    network = (await linde.events(Network))[-1]

    assert network.exercises
    assert network.documents == {"charter": 1, "house_rules": 1, "communication_plan": 1}
    assert [(c.role, c.subject, c.active) for c in network.contacts] == [
        ("officer", "police-1-demo", True),
        ("coordinator", "coordinator-1", True),
    ]
    assert network.reply_to == "coordinator-1@bin.example"


async def test_an_edit_of_an_older_network_is_refused(linde: Registry) -> None:
    police = linde.police()
    tag = (await police.raw("GET", "/networks/bin-linde")).headers["etag"]
    change = {"name": "BIN Lindelaan"}

    first = await police.raw("PATCH", "/networks/bin-linde", json=change, headers={"If-Match": tag})
    second = await police.raw(
        "PATCH", "/networks/bin-linde", json={"name": "X"}, headers={"If-Match": tag}
    )
    officer = await police.raw(
        "PATCH",
        "/networks/bin-linde",
        json={"officer_id": None},
        headers={"If-Match": first.headers["etag"]},
    )

    assert (first.status_code, second.status_code, officer.status_code) == (200, 412, 409)
    assert (await linde.events(Network))[-1].name == "BIN Lindelaan"


async def test_a_coordinator_acts_only_once_screened(linde: Registry) -> None:
    base = "/networks/bin-linde/coordinators"
    newcomer = {**coordinator_input("coordinator-5"), "role": "co_coordinator"}
    added = await linde.coordinator().post(base, 201, json=newcomer)
    await linde.coordinator("coordinator-5").get("/networks/bin-linde", 404)
    screen = f"{base}/{added['coordinator_id']}/screen"

    await linde.police().post(screen, json={"outcome": "failed"})
    await linde.coordinator("coordinator-5").get("/networks/bin-linde", 404)
    await linde.police().post(screen, json={"outcome": "passed"})

    await linde.coordinator("coordinator-5").get("/networks/bin-linde")
    assert (await linde.events(Network))[-1].contacts[-1].active


async def test_removing_the_last_coordinator_is_told_to_the_officer(linde: Registry) -> None:
    base = "/networks/bin-linde/coordinators"
    [person] = (await linde.police().get(base))["items"]

    removed = await linde.police().post(
        f"{base}/{person['coordinator_id']}/remove", json={"reason": "verhuisd"}
    )

    assert removed["appeal_until"] == "2026-12-11T09:00:00Z"
    templates = [n.template for n in await linde.events(Notice)]
    assert templates.count("network_without_coordinator") == 1
    await linde.coordinator().get("/networks/bin-linde", 404)
    assert [c.role for c in (await linde.events(Network))[-1].contacts] == ["officer"]


async def test_a_deputys_period_is_published_when_it_begins_and_ends(linde: Registry) -> None:
    base = "/networks/bin-linde/coordinators"
    [person] = (await linde.police().get(base))["items"]
    deputy = {
        **coordinator_input("deputy-1"),
        "since": (linde.time.now + timedelta(days=1)).isoformat(),
        "until": (linde.time.now + timedelta(days=2)).isoformat(),
    }
    path = f"{base}/{person['coordinator_id']}/deputise"
    added = await linde.coordinator().post(path, 201, json=deputy)
    await linde.police().post(
        f"{base}/{added['coordinator_id']}/screen", json={"outcome": "passed"}
    )
    count = len(await linde.events(Network))
    active: list[bool] = []
    for _ in range(3):

        async def published(seen: int = count) -> bool:
            return len(await linde.events(Network)) > seen

        contacts = (await linde.events(Network))[-1].contacts
        active.append(any(one.active for one in contacts if one.role == "deputy"))
        if len(active) == 3:
            break
        linde.time.advance(days=1)
        await linde.consume(published)
        count += 1

    assert active == [False, True, False]


async def test_the_first_house_rules_reach_whoever_was_pending(registry: Registry) -> None:
    await add_zone(registry)
    await registry.admin.post("/networks", 201, json={**NEW, "officer_id": "officer-1"})
    police = registry.police()
    added = await police.post(
        "/networks/bin-1/coordinators", 201, json=coordinator_input("coordinator-1")
    )
    await police.post(
        f"/networks/bin-1/coordinators/{added['coordinator_id']}/screen",
        json={"outcome": "passed"},
    )
    coordinator = registry.coordinator()
    new = await coordinator.post("/networks/bin-1/members", 201, json=member_input(1))
    problem = await coordinator.post(
        "/networks/bin-1/members",
        409,
        json=member_input(2, accepted_on_paper=paper(registry)),
    )
    assert problem["type"].endswith("no-house-rules")
    assert await registry.events(Notice) == []

    rules = {"text": {"nl": "Regels."}}
    await coordinator.post("/networks/bin-1/documents/house_rules", 201, json=rules)
    await coordinator.post("/networks/bin-1/documents/house_rules", 201, json=rules)

    notices = await registry.events(Notice)
    assert [(n.template, n.to_member) for n in notices] == [
        ("accept_house_rules", new["member_id"])
    ]
    assert len(await registry.events(Member)) == 1


async def test_documents_keep_their_versions(linde: Registry) -> None:
    base = "/networks/bin-linde/documents"
    plan = {
        "text": {"nl": "Plan."},
        "plan": {"exercises": False, "quiet_hours": {"start": "22:00", "end": "07:00"}},
    }

    second = await linde.police().post(f"{base}/communication_plan", 201, json=plan)
    wrong = await linde.police().post(f"{base}/charter", 422, json=plan)

    assert (second["version"], wrong["field"]) == (2, "plan")
    first = await linde.police().get(f"{base}/communication_plan", params={"version": 1})
    assert first["plan"]["exercises"] is True
    network = (await linde.events(Network))[-1]
    assert network.documents["communication_plan"] == 2
    assert not network.exercises
    assert network.quiet_hours is not None
    assert network.quiet_hours.start.hour == 22
    await linde.police().get(f"{base}/communication_plan", 404, params={"version": 3})
