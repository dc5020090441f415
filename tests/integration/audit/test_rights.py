"""Who may see what: everything else answers 404, and every route asks who is calling."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from prometheus_client import REGISTRY

from services.audit.app import api
from shared.access import Role, Roles
from shared.clock import Clock
from shared.contracts.dispatcher import VerdictKind
from shared.kafka import Outgoing
from shared.pseudonyms import rotate
from tests.integration.audit.test_whole_path import publish_alert, verdict_on
from tests.integration.audit.world import MESSAGE, World, send

QUERY = {"destination": "+32450000001", "reason": "asked by the member"}
TEXTS = [f"/v1/messages/{MESSAGE}", f"/v1/messages/{MESSAGE}/page", "/v1/zones/demo/bundle?from=1"]
"""What shows a message's text; the bundle where a download of it goes on."""

AUDITOR = [
    *[("GET", path) for path in TEXTS],
    ("GET", "/v1/messages"),
    ("GET", "/v1/sends"),
    ("GET", "/v1/sends/send-1"),
    ("GET", "/v1/stats"),
    ("GET", "/v1/access"),
    ("GET", "/v1/exports/sends"),
    ("GET", "/v1/exports/access"),
    ("GET", "/v1/exports/stats"),
    ("GET", "/v1/zones/demo/processing/2026"),
    ("GET", "/v1/zones/demo/checkpoint"),
    ("GET", "/v1/zones/demo/entries/0/proof"),
    ("GET", "/v1/zones/demo/consistency?from=1"),
    ("GET", "/v1/zones/demo/bundle"),
    ("POST", "/v1/subjects/lookup"),
    ("POST", "/v1/subjects/record"),
    ("POST", "/v1/subjects/page"),
]
ALLOWED = {
    Role.AUDITOR: set(AUDITOR),
    Role.FEDERAL: {("GET", "/v1/stats"), ("GET", "/v1/exports/stats")},
    Role.OPERATOR: {
        ("GET", "/v1/zones/demo/checkpoint"),
        ("GET", "/v1/zones/demo/consistency?from=1"),
    },
}


async def ask(http: httpx.AsyncClient, method: str, path: str) -> int:
    answer = await http.request(method, path, json=QUERY if method == "POST" else None)
    return answer.status_code


async def texts(http: httpx.AsyncClient, params: dict[str, str]) -> list[int | str]:
    """Ask for what the police wrote on every way there is to it: `text`, or the refusal."""
    found: list[int | str] = []
    for path in TEXTS:
        answer = await http.get(str(httpx.URL(path).copy_merge_params(params)))
        found.append("text" if "Let op: inbraken" in answer.text else answer.status_code)
    return found


async def test_a_token_for_a_zone_called_as_the_operators_log_opens_nothing(world: World) -> None:
    async with world.running() as app:
        await world.publish(send(1), verdict_on(0, 0, VerdictKind.REFUSED, zone=None))
        await world.signed(1, "operators")
        async with world.http(app, Role.AUDITOR, Role.OPERATOR, zone="operators") as http:
            for method, path in AUDITOR:
                if "/zones/" not in path or "processing" in path:
                    assert await ask(http, method, path.replace("demo", "operators")) == 404, path
            for path in ("bundle", "entries/0/proof"):
                assert await ask(http, "GET", f"/v1/zones/operators/{path}") == 404


async def test_what_cannot_be_put_on_record_is_not_shown(world: World) -> None:
    async with world.running() as app:
        await world.publish(send(1, zone="keyless"))
        await world.signed(1, "keyless")
        # the reader stands in the record by a pseudonym, and the zone has no key to make one
        async with world.http(app, Role.AUDITOR, zone="keyless") as http:
            assert await ask(http, "GET", "/v1/sends") == 200  # names nobody
            for method, path in (
                ("GET", "/v1/access"),
                ("GET", "/v1/sends/send-1"),
                ("POST", "/v1/subjects/lookup"),
                ("POST", "/v1/subjects/page"),
            ):
                body = QUERY if method == "POST" else None
                answer = await http.request(method, path, json=body)
                assert answer.status_code == 503, path
                assert answer.json()["type"].endswith("no-pseudonym-key")
                # trying again is no remedy, and an operator is told which command is
                assert "buurtbode pseudonyms rotate --zone keyless" in answer.json()["detail"]
                assert "Retry-After" not in answer.headers


async def test_keys_of_the_next_year_are_counted_and_those_of_this_year_named(
    world: World,
) -> None:
    """A service that serves is not unready for what has a month's time."""
    year = datetime.now(UTC).year
    ring = world.settings.pseudonym_keys

    async def missing(moment: datetime) -> dict[str, str]:
        world.clock = Clock(now=lambda: moment)
        app = await world.build()
        waiting = await app.ready()
        return {part: why for part, why in waiting.items() if part.startswith("pseudonyms")}

    def counted() -> float | None:
        return REGISTRY.get_sample_value("buurtbode_audit_missing_pseudonym_keys")

    assert await missing(datetime(year, 12, 31, 23, 59, tzinfo=UTC)) == {}
    assert await missing(datetime(year + 1, 11, 30, 23, 59, tzinfo=UTC)) == {}
    assert counted() == 0
    assert await missing(datetime(year + 1, 12, 1, tzinfo=UTC)) == {}
    assert counted() == 2
    named = await missing(datetime(year + 2, 1, 1, tzinfo=UTC))
    assert counted() == 2
    assert set(named) == {"pseudonyms of demo", "pseudonyms of other"}
    assert named["pseudonyms of demo"] == (
        f"there is no key for {year + 2}; run `buurtbode pseudonyms rotate --zone demo`"
    )
    rotate(ring, ["demo"], year + 2)
    assert set(await missing(datetime(year + 2, 1, 1, tzinfo=UTC))) == {"pseudonyms of other"}


async def test_an_operator_of_no_single_zone_is_told_to_name_the_log(world: World) -> None:
    app = await world.build()
    async with world.http(app, Role.OPERATOR, zone=None) as http:
        refused = await http.get("/v1/access")
        assert (refused.status_code, refused.json()["field"]) == (422, "zone_id")
        assert "`operators`" in refused.json()["detail"]
        assert (await http.get("/v1/access?zone_id=operators")).status_code == 200
    for role, zone in ((Role.OPERATOR, "demo"), (Role.AUDITOR, None)):
        async with world.http(app, role, zone=zone) as http:
            assert (await http.get("/v1/access")).status_code == 404


async def test_every_role_sees_exactly_what_it_may(world: World) -> None:
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(3)])
        await publish_alert(world)
        await world.signed(3 + 2)  # the verdict and what the police wrote
        for role in Role:
            async with world.http(app, role) as http:
                for method, path in AUDITOR:
                    allowed = (method, path) in ALLOWED.get(role, set())
                    found = await ask(http, method, path)
                    assert found == (200 if allowed else 404), (role, method, path)
        for zone in ("other", None):
            async with world.http(app, Role.AUDITOR, zone=zone) as http:
                for method, path in AUDITOR:
                    if "/zones/" in path or path in TEXTS or zone is None:
                        assert await ask(http, method, path) == 404, (zone, method, path)
                assert (await http.get("/v1/sends?zone_id=demo")).status_code == 404
                assert (await http.get("/v1/sends/send-1")).status_code == 404
                assert await texts(http, {"zone_id": "demo"}) == [404] * len(TEXTS)
        async with world.http(app, Role.FEDERAL, zone=None) as http:
            assert await texts(http, {}) == [404] * len(TEXTS)
            assert await texts(http, {"zone_id": "demo"}) == [404] * len(TEXTS)
            shown = (await http.get("/v1/stats?zone_id=demo&from=2026-01-01")).json()
            assert [item["count"] for item in shown["items"]] == [3]
        async with world.http(app, Role.AUDITOR) as http:
            # a path that gives nothing away would be no test of who may not ask for it
            assert await texts(http, {}) == ["text"] * len(TEXTS)
            http.headers["Authorization"] = "Bearer nonsense"
            assert await ask(http, "GET", "/v1/sends") == 401
            del http.headers["Authorization"]
            assert await ask(http, "GET", f"/v1/messages/{MESSAGE}") == 401


async def test_the_operators_log_is_for_operators_of_no_single_zone(world: World) -> None:
    asked = [
        ("GET", "/v1/access?zone_id=operators"),
        ("GET", "/v1/zones/operators/checkpoint"),
        ("GET", "/v1/zones/operators/entries/0/proof"),
        ("GET", "/v1/zones/operators/consistency?from=1"),
        ("GET", "/v1/zones/operators/bundle"),
    ]
    recovery = {"zone_id": "operators", "reason": "restored from a backup"}
    async with world.running() as app:
        await world.publish_raw(Outgoing("bin.sends", "demo", b"no json", ()))
        await world.signed(1, "operators")
        for zone, allowed in (("demo", False), (None, True)):
            async with world.http(app, Role.OPERATOR, zone=zone) as http:
                for method, path in asked:
                    found = await ask(http, method, path)
                    assert found == (200 if allowed else 404), (zone, path)
                found = (await http.post("/v1/recover", json=recovery)).status_code
                assert found == (409 if allowed else 404), zone


def routes() -> list[APIRoute]:
    return [route for route in every(api().routes) if isinstance(route, APIRoute)]


def every(found: Sequence[object]) -> Iterator[object]:
    for route in found:
        yield route
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from every(inner.routes)


def calls(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls(inner)


def test_there_are_routes_to_check() -> None:
    assert len(routes()) == 24


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.path)
def test_no_route_is_without_authorisation(route: APIRoute) -> None:
    assert any(isinstance(call, Roles) for call in calls(route.dependant))


def test_docs_explain_every_parameter_and_what_a_shown_entry_is() -> None:
    document = api().openapi()
    unexplained = [
        (path, parameter["name"])
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert unexplained == []
    schemas: dict[str, Any] = document["components"]["schemas"]
    for view, field in (
        ("EntryView", "time"),
        ("InclusionView", "checkpoint"),
        ("MessageView", "timeline"),
        ("SubjectQuery", "reason"),
        ("LogView", "overdue"),
        ("Page_EntryView_", "next"),
    ):
        assert schemas[view]["properties"][field]["description"], (view, field)
