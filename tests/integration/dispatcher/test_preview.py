"""`POST /v1/preview`, over HTTP with signed tokens, on a copy in a real database."""

import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import AnyHttpUrl

from services.dispatcher.api import preview
from services.dispatcher.flows.preview_message import PreviewMessage
from shared.access import Authenticator
from shared.clock import Clock
from shared.contracts import Alert, BulletinProposed
from shared.http import install
from shared.mongo import connect, database
from shared.settings import MongoSettings, OidcSettings
from tests.support.dispatcher import PlanningHalf, member
from tests.support.memory_kafka import MemoryCluster, MemoryLog
from tests.support.police import NOW, Police

ISSUER = OKPKey.generate_key("Ed25519", parameters={"kid": "issuer", "use": "sig"})
POLICE = Police()


def token(role: str = "police", zone: str = "demo") -> str:
    claims = {
        "iss": "https://issuer.example",
        "aud": "buurtbode",
        "sub": "sub-1",
        "exp": int(time.time()) + 60,
        "roles": [role],
        "zone": zone,
    }
    return jwt.encode({"alg": "Ed25519", "kid": "issuer"}, claims, ISSUER, algorithms=["Ed25519"])


def issuer_answers(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"keys": [ISSUER.as_dict(private=False)]})


async def nothing_missing() -> dict[str, str]:
    return {}


@pytest.fixture
async def http(mongo_database: MongoSettings, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    log = MemoryLog(MemoryCluster())
    async with connect(mongo_database, "test") as client:
        half = PlanningHalf(log, client, database(client, mongo_database.database), tmp_path)
        await half.prepare()
        half.start_copying()
        await half.publish(
            POLICE.zone(),
            POLICE.network("n1"),
            POLICE.network("n2", languages=("fr",)),
            POLICE.network("n3", state="suspended"),
            member("a", "n1", phone="+32450000001"),
            member("b", "n2", phone="+32450000001", language="fr"),
            member("c", "n2", language="de"),
            member("d", "n2", phone=None),
            member("e", "n1", cold_mail=False),
            POLICE.network("f1", warm_fallback="email"),
            member("f", "f1"),
            member("g", "f1", phone=None),
            member("h", "f1", phone=None, email=None),
        )
        await half.copied()
        app = FastAPI()
        install(app, nothing_missing)
        app.include_router(preview.router)
        app.state.preview = PreviewMessage(
            half.copy, half.addressed, half.hands.clock, 3, Decimal("0.05")
        )
        settings = OidcSettings(
            issuer="https://issuer.example",
            audience="buurtbode",
            jwks_url=AnyHttpUrl("https://issuer.example/jwks"),
        )
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(issuer_answers)) as issuer,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://dispatcher"
            ) as http,
        ):
            app.state.authenticator = Authenticator(settings, Clock(), issuer)
            yield http
        await half.stop()


async def post(
    http: httpx.AsyncClient, event: Alert | BulletinProposed, **claims: str
) -> httpx.Response:
    return await http.post(
        "/v1/preview",
        content=event.to_json(),
        headers={
            "Authorization": f"Bearer {token(**claims)}",
            "Content-Type": "application/json",
        },
    )


def alert(**changes: Any) -> Alert:
    return POLICE.alert(**{"network_ids": ("n1", "n2", "n3"), **changes})


async def test_alert_is_shown_as_it_will_look_reach_and_cost(http: httpx.AsyncClient) -> None:
    shown = (await post(http, alert(text={"nl": "België", "fr": "я" * 80}))).json()
    dutch, french = shown["texts"]
    assert dutch["body"].startswith("Belgie\nBel 101")
    assert (dutch["encoding"], dutch["segments"], dutch["too_long"]) == ("gsm7", 1, False)
    assert (french["encoding"], french["segments"]) == ("ucs2", 3)
    assert (shown["people"], shown["unreachable"]) == (4, 1)
    assert [one["network_id"] for one in shown["left_out"]] == ["n3"]
    first, second = shown["networks"]
    assert first["languages"] == [
        {
            "language": "nl",
            "people": 2,
            "unreachable": 0,
            "by_mail": 0,
            "segments": 1,
            "cost": "0.10",
        }
    ]
    assert {one["language"]: one["unreachable"] for one in second["languages"]} == {
        "fr": 0,
        "nl": 1,
    }
    assert (second["people"], second["unreachable"], second["cost"]) == (3, 1, "0.30")
    # who is in both networks gets one SMS, in the language of the first member record
    assert shown["cost"] == "0.25"
    assert shown["approval_needed"] is False


async def test_who_gets_an_alert_by_email_is_not_among_those_who_cannot_be_reached(
    http: httpx.AsyncClient,
) -> None:
    """Only in a network whose plan says so, and only with an address."""
    shown = (await post(http, alert(network_ids=("n2", "f1")))).json()
    second, fourth = shown["networks"]
    assert (second["unreachable"], second["by_mail"]) == (1, 0)
    assert (fourth["people"], fourth["unreachable"], fourth["by_mail"]) == (3, 2, 1)
    share = next(one for one in fourth["languages"] if one["language"] == "nl")
    assert (share["people"], share["unreachable"], share["by_mail"]) == (1, 2, 1)
    assert (shown["unreachable"], shown["by_mail"]) == (3, 1)


async def test_bulletin_is_shown_with_prefix_and_closing_line(http: httpx.AsyncClient) -> None:
    bulletin = BulletinProposed.model_validate(
        {
            "bulletin_id": POLICE.alert().alert_id,
            "zone_id": "demo",
            "network_ids": ("n1", "n2"),
            "kind": "prevention",
            "status": "exercise",
            "subject": {"nl": "Sloten"},
            "body": {"nl": "Sluit af."},
            "issued_by": "officer-1",
            "issued_at": NOW,
        }
    )
    shown = (await post(http, bulletin)).json()
    assert shown["texts"][0]["subject"] == "OEFENING: Sloten"
    assert shown["texts"][0]["body"].endswith("Kom niet zelf tussen.")
    assert shown["people"] == 4
    assert Decimal(shown["cost"]) == 0


async def test_too_many_networks_are_said_to_need_another_officer(
    http: httpx.AsyncClient,
) -> None:
    many = tuple(f"n{number}" for number in range(1, 13))
    answer = await post(http, alert(network_ids=many))
    assert answer.status_code == 422
    assert answer.json()["field"] == "network_ids.3"
    assert answer.json()["reason"] == "unknown_network"


async def test_other_zones_and_other_roles_find_nothing(http: httpx.AsyncClient) -> None:
    assert (await post(http, alert(), zone="other")).status_code == 404
    assert (await post(http, alert(), role="coordinator")).status_code == 404
    assert (await http.post("/v1/preview", content=alert().to_json())).status_code == 401


async def test_bad_field_is_named(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/v1/preview",
        json={"alert_id": "x"},
        headers={"Authorization": f"Bearer {token()}"},
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_expired_alert_can_still_be_looked_at(http: httpx.AsyncClient) -> None:
    old = alert(issued_at=NOW - timedelta(days=3))
    assert (await post(http, old)).status_code == 200
