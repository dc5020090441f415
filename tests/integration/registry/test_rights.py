"""Every route for every role: what one may not see answers 404, and nothing else tells it apart."""

from dataclasses import dataclass

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from services.registry.flows.judge_proposals import GROUP
from shared.contracts import Access
from tests.integration.registry.harness import (
    As,
    Json,
    Registry,
    add_network,
    add_zone,
    coordinator_input,
    member_input,
    paper,
    proposal,
)

ADMIN = {"admin", "zone-admin"}
POLICE = {"police"}
COORDINATOR = {"coordinator", "deputy"}
OWN_COORDINATOR = {"coordinator"}
MUNICIPALITY = {"municipality"}
ELSEWHERE = {"other-admin", "other-police"}
"""Whose lists hold their own zone only, and who create in their own zone only."""

PUBLIC = {
    "/v1/accept/{token}",
    "/v1/unsubscribe/{token}",
    "/v1/zones/{zone_id}/privacy",
    "/livez",
    "/readyz",
    "/metrics",
}

Z, N = "/v1/zones/{zone_id}", "/v1/networks/{network_id}"
C, M, B = (
    f"{N}/coordinators/{{coordinator_id}}",
    f"{N}/members/{{member_id}}",
    f"{N}/bulletins/{{bulletin_id}}",
)

L = "/v1/dead-letters/{letter_id}"

ALLOWED: dict[tuple[str, str], set[str]] = {
    ("GET", "/v1/zones"): ADMIN | POLICE | ELSEWHERE | {"zoneless-police"},
    ("POST", "/v1/zones"): ADMIN | {"other-admin"},
    ("GET", f"{Z}/officers"): ADMIN | POLICE,
    ("POST", f"{Z}/officers"): ADMIN,
    ("GET", f"{Z}/keys"): ADMIN | POLICE,
    ("PUT", f"{Z}/keys/{{kid}}"): ADMIN,
    ("DELETE", f"{Z}/keys/{{kid}}"): ADMIN | POLICE,
    ("POST", f"{Z}/keys/{{kid}}/confirm"): POLICE,
    ("GET", f"{Z}/bulletins"): POLICE,
    ("GET", f"{Z}/feedback-due"): POLICE,
    ("POST", f"{Z}/feedback-due/{{alert_id}}/waive"): POLICE,
    ("GET", "/v1/networks"): ADMIN
    | POLICE
    | COORDINATOR
    | ELSEWHERE
    | {"zoneless-police", "other-coordinator", "unscreened", "municipality"},
    ("POST", "/v1/networks"): ADMIN | POLICE | ELSEWHERE | {"zoneless-police"},
    ("GET", N): ADMIN | POLICE | COORDINATOR,
    ("PATCH", N): ADMIN | POLICE,
    ("POST", f"{N}/activate"): ADMIN | POLICE,
    ("POST", f"{N}/suspend"): ADMIN | POLICE,
    ("POST", f"{N}/dissolve"): ADMIN | POLICE,
    ("GET", f"{N}/documents/{{kind}}"): ADMIN | POLICE | COORDINATOR,
    ("POST", f"{N}/documents/{{kind}}"): ADMIN | POLICE | COORDINATOR,
    ("GET", f"{N}/coordinators"): ADMIN | POLICE | COORDINATOR,
    ("POST", f"{N}/coordinators"): ADMIN | POLICE | OWN_COORDINATOR,
    ("POST", f"{C}/screen"): POLICE,
    ("POST", f"{C}/deputise"): ADMIN | POLICE | OWN_COORDINATOR,
    ("POST", f"{C}/remove"): ADMIN | POLICE | OWN_COORDINATOR,
    ("GET", f"{N}/members"): COORDINATOR,
    ("POST", f"{N}/members"): COORDINATOR,
    ("POST", f"{N}/members/search"): COORDINATOR,
    ("GET", M): COORDINATOR,
    ("PATCH", M): COORDINATOR,
    ("POST", f"{M}/accept"): COORDINATOR,
    ("POST", f"{M}/leave"): COORDINATOR,
    ("POST", f"{N}/members/import"): COORDINATOR,
    ("GET", f"{N}/members/export"): COORDINATOR,
    ("POST", f"{M}/reprimand"): COORDINATOR,
    ("POST", f"{M}/suspend"): COORDINATOR,
    ("POST", f"{M}/reinstate"): COORDINATOR,
    ("POST", f"{M}/exclude"): COORDINATOR,
    ("POST", f"{M}/restrict"): COORDINATOR,
    ("POST", f"{M}/erase"): COORDINATOR,
    ("GET", f"{M}/record"): COORDINATOR,
    ("GET", Z): ADMIN | POLICE,
    ("PATCH", Z): ADMIN,
    ("GET", f"{N}/bulletins"): POLICE | COORDINATOR | MUNICIPALITY,
    ("POST", f"{N}/bulletins"): COORDINATOR | MUNICIPALITY,
    # a municipality sees its own tips; this one is the police's
    ("GET", B): POLICE | COORDINATOR,
    ("POST", f"{B}/adopt"): POLICE,
    ("POST", f"{B}/decline"): POLICE,
    ("GET", f"{N}/meetings"): POLICE | COORDINATOR,
    ("POST", f"{N}/meetings"): COORDINATOR,
    ("PATCH", f"{N}/meetings/{{meeting_id}}"): COORDINATOR,
    ("POST", f"{B}/release"): COORDINATOR,
    # where the body is wrong it is the body that is refused, for whoever sees the bulletin
    ("POST", f"{B}/return"): POLICE | COORDINATOR,
    ("POST", f"{B}/withdraw"): POLICE,
    ("GET", f"{N}/steering-group"): COORDINATOR,
    ("PUT", f"{N}/steering-group"): COORDINATOR,
    ("GET", f"{N}/evaluation"): POLICE | COORDINATOR,
    ("GET", "/v1/figures"): POLICE | MUNICIPALITY | {"other-police", "zoneless-police", "federal"},
    ("POST", "/v1/republish"): {"operator"},
    ("POST", "/v1/recover"): {"operator"},
    ("GET", "/v1/dead-letters"): {"operator"},
    ("GET", L): {"operator"},
    ("POST", f"{L}/replay"): {"operator"},
    ("POST", f"{L}/drop"): {"operator"},
}

ESCALATED: dict[tuple[str, str], Json | None] = {
    ("GET", f"{N}/members"): None,
    ("GET", M): None,
    ("GET", f"{M}/record"): None,
    ("POST", f"{M}/accept"): {
        "signed_on": "2026-11-20",
        "witness": "Getuige Voorbeeld",
        "adult": True,
    },
    ("POST", f"{M}/restrict"): {
        "restricted": True,
        "reason": "Zij vroegen het",
        "ground": "objection",
        "asked_on": "2026-11-20",
    },
    ("POST", f"{M}/leave"): {},
    ("POST", f"{M}/erase"): {"reason": "Zij vroegen het"},
}
"""What of `COORDINATOR`'s the zone's police may do where nobody coordinates, with a valid body."""

PERSONAL: dict[str, tuple[str, str]] = {
    f"{N}/members": ("read", "member.list"),
    M: ("read", "member.read"),
    f"{M}/record": ("export", "member.record"),
    f"{N}/members/export": ("export", "member.export"),
    f"{N}/steering-group": ("read", "steering_group.read"),
    f"{N}/coordinators": ("read", "coordinator.list"),
    f"{Z}/officers": ("read", "officer.list"),
    f"{N}/meetings": ("read", "meeting.list"),
}
"""Which GET gives personal data, and how the look is recorded."""

IMPERSONAL = {
    # zones, networks, documents, counts: no person in them, but for token subjects of officials
    "/v1/zones",
    Z,
    f"{Z}/keys",
    f"{Z}/bulletins",
    f"{Z}/feedback-due",
    "/v1/networks",
    N,
    f"{N}/documents/{{kind}}",
    f"{N}/bulletins",
    B,
    f"{N}/evaluation",
    "/v1/figures",
    "/v1/dead-letters",
    L,
}


@dataclass
class World:
    registry: Registry
    ids: dict[str, str]
    people: dict[str, As]


def people(registry: Registry) -> dict[str, As]:
    return {
        "admin": registry.admin,
        "zone-admin": registry.as_("admin-2", "admin", zone="demo"),
        "other-admin": registry.as_("admin-3", "admin", zone="other"),
        "police": registry.police(),
        "other-police": registry.police("other"),
        "zoneless-police": registry.as_("police-9", "police"),
        "coordinator": registry.coordinator(),
        "deputy": registry.coordinator("deputy-1"),
        "unscreened": registry.coordinator("unscreened-1"),
        "other-coordinator": registry.coordinator("coordinator-2"),
        "auditor": registry.as_("auditor-1", "auditor", zone="demo"),
        "municipality": registry.as_("town-1", "municipality", municipality="44021"),
        "federal": registry.as_("federal-1", "federal"),
        "operator": registry.operator,
        # the right subject without the role, and the role without the right
        "nobody": registry.as_("coordinator-1"),
    }


@pytest.fixture
async def world(registry: Registry) -> World:
    await add_zone(registry)
    await add_zone(registry, "other")
    await add_network(registry)
    await add_network(registry, "bin-other", "other", "coordinator-2")
    police, first = registry.police(), registry.coordinator()
    base = "/networks/bin-linde"
    people_of = (await police.get(f"{base}/coordinators"))["items"]
    chief = people_of[0]["coordinator_id"]
    deputy = {
        **coordinator_input("deputy-1"),
        "since": registry.time.now.isoformat(),
        "until": "2026-12-24T00:00:00Z",
    }
    added = await first.post(f"{base}/coordinators/{chief}/deputise", 201, json=deputy)
    screen = f"{base}/coordinators/{added['coordinator_id']}/screen"
    await police.post(screen, json={"outcome": "passed"})
    waiting = {**coordinator_input("unscreened-1"), "role": "co_coordinator"}
    await first.post(f"{base}/coordinators", 201, json=waiting)
    member = await first.post(
        f"{base}/members", 201, json=member_input(1, accepted_on_paper=paper(registry))
    )
    wanted = proposal(registry)
    await registry.propose(wanted)

    async def waits() -> bool:
        return await registry.database["bulletins"].count_documents({}) == 1

    await registry.consume(waits)
    ids = {
        "zone_id": "demo",
        "network_id": "bin-linde",
        "kid": "key-1",
        "kind": "charter",
        "coordinator_id": chief,
        "member_id": member["member_id"],
        "bulletin_id": wanted.bulletin_id,
        "meeting_id": "meeting-1",
        "alert_id": wanted.bulletin_id,
        "letter_id": await _give_up(registry),
    }
    return World(registry, ids, people(registry))


def routes(registry: Registry) -> set[tuple[str, str]]:
    """Give every route that there is, documented or not."""
    return {
        (method, str(context.path))
        for context in iter_route_contexts(registry.app.http.routes)
        if isinstance(context.route, APIRoute)
        for method in context.route.methods or ()
    }


async def _give_up(registry: Registry) -> str:
    """Have a record that nobody can read, and give its dead letter's id."""
    await registry.propose(proposal(registry), value=b"\xff not json")
    await registry.catch_up(GROUP)
    letter = await registry.database["dead_letters"].find_one({})
    assert letter is not None
    return str(letter["_id"])


async def test_the_table_names_every_route(registry: Registry) -> None:
    found = {route for route in routes(registry) if route[1] not in PUBLIC}

    assert found == set(ALLOWED)


async def test_each_route_answers_404_to_whoever_has_no_right(world: World) -> None:
    before = await _state(world.registry)
    for (method, path), allowed in ALLOWED.items():
        url = path.removeprefix("/v1").format(**world.ids)
        for name, person in world.people.items():
            if name in allowed:
                continue
            answer = await person.raw(method, url, json={})
            assert answer.status_code == 404, (method, path, name, answer.text)
            assert answer.json()["detail"] == "There is nothing here that you may see."
    assert await _state(world.registry) == before


async def test_each_route_asks_for_a_token(world: World) -> None:
    for method, path in ALLOWED:
        for headers in ({}, {"Authorization": "Bearer nonsense"}):
            answer = await world.registry.http.request(
                method, path.format(**world.ids), headers=headers, json={}
            )
            assert answer.status_code == 401, (method, path, answer.text)


@pytest.mark.parametrize("name", ["police", "admin", "coordinator", "deputy", "operator"])
async def test_each_route_opens_to_whoever_has_the_right(world: World, name: str) -> None:
    opened = [route for route, allowed in ALLOWED.items() if name in allowed]
    opened.sort(key=lambda route: route[1].endswith(("leave", "remove", "dissolve", "withdraw")))
    for method, path in opened:
        url = path.removeprefix("/v1").format(**world.ids)
        answer = await world.people[name].raw(method, url, json={})
        assert answer.status_code not in {401, 404, 405, 500}, (method, path, answer.text)


async def test_each_look_at_personal_data_is_recorded_with_who_whose_and_why(world: World) -> None:
    """'Every read or change of personal data is an event' (who, what, whose, why)."""
    registry = world.registry
    gets = {path for method, path in ALLOWED if method == "GET"}
    assert gets == PERSONAL.keys() | IMPERSONAL
    for path in sorted(gets):
        names = ALLOWED["GET", path] & {"coordinator", "police", "operator"}
        for name in sorted(names):
            seen = len(await registry.events(Access))
            query = {"year": "2026"} if path.endswith(("/evaluation", "/figures")) else {}
            url = path.removeprefix("/v1").format(**world.ids)
            await world.people[name].raw("GET", url, params=query)
            looks = (await registry.events(Access))[seen:]
            expected = [PERSONAL[path]] if path in PERSONAL else []
            assert [(look.kind, look.action) for look in looks] == expected, path
            for look in looks:
                assert (look.reader, look.reason) == (f"{name}-1", f"as {name}")
                whose = [world.ids["member_id"]] if "member" in look.action else []
                assert list(look.member_ids) == whose
                assert (look.recipient is not None) == bool(whose)


async def test_what_is_done_to_a_coordinator_names_them_by_their_pseudonym(world: World) -> None:
    keys, zone = world.registry.app.context.keys, "demo"
    looks_in_zone = [e for e in await world.registry.events(Access) if e.zone_id == zone]
    looks = [look for look in looks_in_zone if look.network_id == "bin-linde"]
    done = [look for look in looks if look.action.startswith("coordinator.")]
    officer = keys.pseudonym(zone, 2026, "officer@demo.example")
    appointed = [look for look in looks_in_zone if look.action == "officer.appoint"]
    assert [look.recipient for look in appointed] == [officer]
    people = {
        address: keys.pseudonym(zone, 2026, f"{address}@bin.example")
        for address in ("coordinator-1", "deputy-1", "unscreened-1")
    }
    assert {look.recipient for look in done if look.kind == "change"} == set(people.values())


async def test_police_see_members_only_while_nobody_coordinates_and_say_why(world: World) -> None:
    """'Not the member list unless escalation requires it (each look is recorded)'."""
    registry, police = world.registry, world.people["police"]
    own = [
        route
        for route, allowed in ALLOWED.items()
        # a bulletin goes to the officer then: test_relay
        if allowed == COORDINATOR and "bulletin" not in route[1]
    ]
    why = {"Escalation-Reason": "data_right"}
    for method, path in own:
        url = path.removeprefix("/v1").format(**world.ids)
        answer = await police.raw(method, url, json={}, headers=why)
        assert answer.status_code == 404, (method, path)

    for person in (await police.get("/networks/bin-linde/coordinators"))["items"]:
        remove = f"/networks/bin-linde/coordinators/{person['coordinator_id']}/remove"
        await police.post(remove, json={"reason": "Verhuisd"})
    seen = len(await registry.events(Access))
    for method, path in own:
        url = path.removeprefix("/v1").format(**world.ids)
        opens = (method, path) in ESCALATED
        for name, person in world.people.items():
            expected = 422 if name == "police" and opens else 404
            answer = await person.raw(method, url, json={})
            assert answer.status_code == expected, (method, path, name)
    for (method, path), body in ESCALATED.items():
        url = path.removeprefix("/v1").format(**world.ids)
        await police.call(method, url, 422, json=body, headers={"Escalation-Reason": "curious"})
        await police.call(method, url, 200, json=body, headers=why)

    looks = (await registry.events(Access))[seen:]
    assert [look.action for look in looks] == [
        "member.list",
        "member.read",
        "member.record",
        "member.read",  # who is active accepts nothing anew, but is shown
        "member.restrict",
        "member.leave",
        "member.erase",
    ]
    for look in looks:
        assert (look.reader, look.member_ids) == ("police-1", (world.ids["member_id"],))
        assert (look.reason or "").startswith("escalation data_right")


async def test_a_list_holds_only_ones_own(world: World) -> None:
    seen: dict[str, list[str]] = {}
    for name in (
        "admin",
        "other-admin",
        "zoneless-police",
        "police",
        "other-police",
        "coordinator",
        "unscreened",
        "other-coordinator",
        "municipality",
    ):
        page = await world.people[name].get("/networks")
        seen[name] = [item["network_id"] for item in page["items"]]

    assert seen == {
        "other-admin": ["bin-other"],
        "zoneless-police": [],
        "admin": ["bin-linde", "bin-other"],
        "police": ["bin-linde"],
        "other-police": ["bin-other"],
        "coordinator": ["bin-linde"],
        "unscreened": [],
        "other-coordinator": ["bin-other"],
        "municipality": ["bin-linde", "bin-other"],
    }
    for name, zones in (("police", ["demo"]), ("zoneless-police", []), ("other-admin", ["other"])):
        page = await world.people[name].get("/zones")
        assert [zone["zone_id"] for zone in page["items"]] == zones


async def test_an_admin_of_a_zone_creates_no_other(world: World) -> None:
    new = {"zone_id": "third", "name": "Derde", "legal_basis": {"warm": "a", "cold": "b"}}

    await world.people["other-admin"].post("/zones", 404, json=new)

    await world.people["admin"].post("/zones", 201, json=new)


async def test_police_create_networks_in_their_own_zone_only(world: World) -> None:
    new = {
        "zone_id": "other",
        "name": "BIN Nieuw",
        "municipality": "44021",
        "kind": "residents",
        "languages": ["nl"],
        "sender_name": "BIN",
    }
    await world.people["police"].post("/networks", 404, json=new)
    mine = {**new, "zone_id": "demo"}
    problem = await world.people["police"].post("/networks", 422, json={**mine, "network_id": "x"})
    assert problem["field"] == "network_id"
    created = await world.people["police"].post("/networks", 201, json=mine)
    assert created["state"] == "draft"


async def test_a_deputy_sees_nothing_once_the_period_is_over(world: World) -> None:
    deputy = world.people["deputy"]
    await deputy.get("/networks/bin-linde/members")

    world.registry.time.advance(days=34)

    await deputy.get("/networks/bin-linde/members", 404)


async def _state(registry: Registry) -> dict[str, int]:
    names = ("zones", "networks", "members", "bulletins", "documents", "outbox")
    return {name: await registry.database[name].count_documents({}) for name in names}
