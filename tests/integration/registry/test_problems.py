"""Problem documents have a field, a reason and a next step, in the caller's language."""

from typing import Any

import pytest

from tests.integration.registry.harness import Registry, add_zone, member_input

LIST = "/networks/bin-linde/members"


async def refused(linde: Registry, language: str | None, body: dict[str, Any]) -> dict[str, Any]:
    headers = {} if language is None else {"Accept-Language": language}
    answer = await linde.coordinator().raw("POST", LIST, json=body, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == (language or "en")[:2]
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("language", "reason", "step"),
    [
        (None, "This is not a personal phone number.", "Write it as"),
        ("nl-BE", "Dit is geen persoonlijk telefoonnummer.", "Schrijf "),
        ("fr", "Ce n'est pas un numéro personnel.", "Écrivez "),
    ],
)
async def test_a_refusal_is_told_in_the_language_of_the_caller(
    linde: Registry, language: str | None, reason: str, step: str
) -> None:
    problem = await refused(linde, language, member_input(1, phone="101"))

    assert problem["type"].endswith("/no-phone-number")
    assert (problem["status"], problem["field"]) == (422, "phone")
    assert problem["detail"].startswith(reason)
    assert problem["next_step"].startswith(step)


async def test_a_malformed_request_names_each_field_in_words(linde: Registry) -> None:
    new = member_input(1, adult=False, unknown=1)
    del new["language"]

    problem = await refused(linde, "nl", new)

    assert problem["errors"] == [
        {"field": "language", "code": "missing", "reason": "language ontbreekt"},
        {
            "field": "adult",
            "code": "literal_error",
            "reason": "adult is geen van de toegelaten waarden",
        },
        {"field": "unknown", "code": "extra_forbidden", "reason": "unknown is niet bekend"},
    ]
    assert problem["detail"].startswith("language ontbreekt.")


@pytest.mark.parametrize("language", ["en", "nl"])
async def test_a_malformed_request_is_not_quoted(linde: Registry, language: str) -> None:
    """Neither values nor names that are none of ours: they may be about somebody."""
    marks = ("+32450000009", "Jan Peeters", "lid§x")
    new = member_input(1, email="lid§x@y§z.example", phone=["Jan Peeters"])
    new |= {"+32450000009": 1, "Jan Peeters": {"+32450000009": "Jan Peeters"}}

    problem = await refused(linde, language, new)

    assert {"phone", "?"} <= {error["field"] for error in problem["errors"]}
    assert not [mark for mark in (*marks, "§") if mark in str(problem)]


async def test_what_a_network_lacks_is_named_in_words(registry: Registry) -> None:
    await add_zone(registry)
    new = {
        "zone_id": "demo",
        "network_id": "bin-nieuw",
        "name": "BIN Nieuw",
        "municipality": "44021",
        "kind": "residents",
        "languages": ["fr"],
        "sender_name": "BIN",
    }
    await registry.admin.post("/networks", 201, json=new)

    problem = await registry.admin.post(
        "/networks/bin-nieuw/activate", 409, headers={"Accept-Language": "fr"}
    )

    for word in ("un officier mandaté", "un coordinateur contrôlé", "une charte"):
        assert word in problem["detail"]
    assert "{missing}" not in str(problem)


async def test_what_is_not_there_says_so_in_french(linde: Registry) -> None:
    answer = await linde.coordinator().raw(
        "GET", "/networks/nowhere", headers={"Accept-Language": "fr"}
    )
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("Il n'y a rien ici")
