"""The OpenAPI document against the running service, with the tokens of two tenants.

Short and seeded by default. The long form, with requests of its own each time:
`BUURTBODE_TEST_REQUESTS=100 pytest tests/integration/registry/test_openapi.py`.
"""

import asyncio
import os
import threading
from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis import checks as all_checks
from schemathesis.specs.openapi import checks as openapi_checks

from shared.service import http_server
from shared.settings import MongoSettings
from tests.integration.registry.harness import (
    Registry,
    add_network,
    add_zone,
    close_registry,
    make_registry,
    proposal,
)
from tests.integration.registry.history import check, read_history
from tests.integration.registry.operations import Tenant, Who

REQUESTS = int(os.environ.get("BUURTBODE_TEST_REQUESTS", "0"))
_GENERAL: Any = all_checks  # their types are incomplete
_OPENAPI: Any = openapi_checks
CHECKS: list[Any] = [
    _GENERAL.not_a_server_error,
    _OPENAPI.status_code_conformance,
    _OPENAPI.content_type_conformance,
    _OPENAPI.response_schema_conformance,
    _OPENAPI.response_headers_conformance,
]
PROBES = {"/livez", "/readyz", "/metrics"}
ENDS = ("leave", "exclude", "erase", "remove", "dissolve", "suspend", "keys/{kid}")
"""What would end the little that a tenant has: asked for last, so that the others find it."""


OPEN = {"/v1/accept/{token}", "/v1/unsubscribe/{token}", "/v1/zones/{zone_id}/privacy"}
"""What shows something to whoever has the link, and to everybody."""

MODES = [GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
ALL_CHECKS: list[HealthCheck] = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@dataclass
class Side:
    """A tenant: real ids for every path, and the tokens of everybody in it."""

    tenant: Tenant
    ids: dict[str, str]
    tokens: dict[str, str]


@dataclass
class Running:
    """The service on a port of its own, in a thread of its own."""

    url: str
    loop: asyncio.AbstractEventLoop
    registry: Registry
    sides: tuple[Side, Side]

    def run(self, work: Any) -> Any:
        """Run something in the service's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


@pytest.fixture
def running(mongo_database: MongoSettings, tmp_path: Path) -> Generator[Running]:
    """Give the service with both tenants in it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        starting = asyncio.run_coroutine_threadsafe(_start(mongo_database, tmp_path, loop), loop)
        service, server, serving = starting.result(60)
        yield service
        server.should_exit = True
        service.run(_end(service.registry, serving))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(
    mongo: MongoSettings, folder: Path, loop: asyncio.AbstractEventLoop
) -> tuple[Running, uvicorn.Server, asyncio.Task[None]]:
    registry = await make_registry(mongo, folder)
    sides = (
        await _side(registry, "kornoelje", "44021"),
        await _side(registry, "sleedoorn", "11002"),
    )
    server = http_server(registry.app.http, "127.0.0.1", 0)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            await serving
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return Running(f"http://127.0.0.1:{port}", loop, registry, sides), server, serving


async def _end(registry: Registry, serving: asyncio.Task[None]) -> None:
    await serving
    await close_registry(registry)


async def _side(registry: Registry, mark: str, nis: str) -> Side:
    """Make a zone and a network with one of everything, and the tokens of its people."""
    tenant = Tenant(mark, nis, 10_000 if mark == "kornoelje" else 20_000)
    await add_zone(registry, tenant.zone)
    await add_network(registry, tenant.network, tenant.zone, f"coordinator-{mark}")
    police, coordinator = tenant.as_(registry, "police"), tenant.as_(registry, "coordinator")
    path = f"/networks/{tenant.network}"
    etag = {"If-Match": (await police.raw("GET", path)).headers["ETag"]}
    change = {"municipality": nis, "name": f"BIN {mark}"}
    await police.call("PATCH", path, 200, json=change, headers=etag)
    signed = {"signed_on": "2026-11-01", "witness": f"Getuige {mark}"}
    new = tenant.newcomer(accepted_on_paper=signed)
    member = await coordinator.post(f"{path}/members", 201, json=new)
    await registry.propose(
        proposal(
            registry,
            tenant.network,
            zone_id=tenant.zone,
            subject={"nl": f"Voorstel {mark}"},
            body={"nl": f"Tekst {mark}"},
        )
    )
    await registry.catch_up()
    [waiting] = (await coordinator.get(f"{path}/bulletins"))["items"]
    starts = registry.time.now + timedelta(days=2)
    meeting = await coordinator.post(
        f"{path}/meetings",
        201,
        json={
            "subject": {"nl": mark},
            "body": {"nl": mark},
            "place": mark,
            "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=1)).isoformat(),
        },
    )
    [person] = (await police.get(f"{path}/coordinators"))["items"]
    row = await registry.database["members"].find_one({"_id": member["member_id"]})
    assert row is not None
    whos: tuple[Who, ...] = ("coordinator", "police", "admin", "municipality")
    return Side(
        tenant,
        {
            "zone_id": tenant.zone,
            "network_id": tenant.network,
            "member_id": member["member_id"],
            "bulletin_id": waiting["bulletin_id"],
            "meeting_id": meeting["meeting_id"],
            "coordinator_id": person["coordinator_id"],
            "kid": "key-1",
            "alert_id": waiting["bulletin_id"],
            "token": row["unsubscribe_token"],
            "kind": "house_rules",
        },
        {who: tenant.as_(registry, who).headers["Authorization"] for who in whos},
    )


def test_no_request_breaks_the_service_or_its_document_or_shows_anothers_data(
    running: Running,
) -> None:
    """Rules text: "tokens of two tenants: no 5xx, no schema breach, no leak"."""
    openapi: Any = schemathesis.openapi  # its types are incomplete
    schema = openapi.from_url(f"{running.url}/openapi.json")
    found: list[Any] = [result.ok() for result in schema.get_all_operations()]
    found = [operation for operation in found if operation.path not in PROBES]
    found.sort(key=_ends)
    assert len(found) > 60
    opened: set[str] = set()
    for operation in found:
        _drive(running, operation, opened)

    assert len(opened) > len(found) / 3, "hardly anything was asked for as it should be"
    check(running.run(read_history(running.registry)), running.registry)


def _ends(operation: Any) -> bool:
    return operation.path.endswith(ENDS)


def _drive(running: Running, operation: Any, opened: set[str]) -> None:
    """Send valid and invalid requests about both tenants to one operation, as all their people."""
    named = [parameter.name for parameter in operation.path_parameters]

    @settings(
        max_examples=REQUESTS or 3,
        derandomize=not REQUESTS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(ALL_CHECKS),
    )
    @given(data=st.data(), turned=st.booleans(), mode=st.sampled_from(MODES))
    def send(data: Any, turned: bool, mode: GenerationMode) -> None:  # noqa: FBT001
        own, other = reversed(running.sides) if turned else running.sides
        ids = {name: own.ids[name] for name in named if name in own.ids}
        case = data.draw(operation.as_strategy(generation_mode=mode, path_parameters=ids))
        others = {f"other {who}": other.tokens[who] for who in ("coordinator", "police")}
        for who, token in {**own.tokens, **others}.items():
            response = case.call_and_validate(headers={"Authorization": token}, checks=CHECKS)
            reader, hidden = (other, own) if who in others else (own, other)
            if operation.path not in OPEN:
                assert hidden.tenant.mark not in response.text, (operation.label, who)
                assert who not in others or not ids or response.status_code >= 400, reader
            if response.status_code < 400:
                opened.add(operation.label)

    send()
