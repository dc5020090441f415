"""Every event type has an example that is replayed, the signed ones with their signatures."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from shared.contracts import EVENTS, Event
from shared.contracts.police import APPROVAL_HEADER, SIGNATURE_HEADER, Alert, BulletinProposed
from shared.contracts.registry import LegalBasis, PublisherKey, Zone
from shared.envelope import decode_any
from shared.failures import Rejected
from shared.kafka import Record
from shared.signatures import sign, verify
from shared.topics import TOPICS

EXAMPLES = Path(__file__).parent / "examples"
NOW = datetime(2026, 3, 14, 20, 15, 5, tzinfo=UTC)


def load(event: type[Event]) -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{event.TYPE}.json").read_text())


def record(example: dict[str, Any], value: bytes | None = None) -> Record:
    headers = {name: str(value).encode() for name, value in example["headers"].items()}
    return Record(
        topic=example["topic"],
        partition=0,
        offset=0,
        key=example["key"].encode(),
        value=example["value"].encode() if value is None else value,
        headers=tuple(headers.items()),
    )


def key(kid: str) -> OKPKey:
    return OKPKey.import_key(json.loads((EXAMPLES / "keys" / f"{kid}.jwk.json").read_text()))


def zone() -> Zone:
    keys = tuple(
        PublisherKey(
            kid=f"demo-{officer}",
            jwk={
                name: str(value)
                for name, value in key(f"demo-{officer}").as_dict(private=False).items()
            },
            officer_id=officer,
            nbf=datetime(2026, 1, 1, tzinfo=UTC),
            exp=datetime(2027, 1, 1, tzinfo=UTC),
            enrolled_by="admin-1",
            confirmed_by="somebody-else",
        )
        for officer in ("officer-1", "officer-2")
    )
    return Zone(
        zone_id="demo",
        version=1,
        name="Demo",
        legal_basis=LegalBasis(warm="a", cold="b"),
        keys=keys,
    )


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_an_example_is_read_and_written_again_without_a_loss(event: type[Event]) -> None:
    example = load(event)
    decoded = decode_any(record(example))
    assert type(decoded.event) is event
    assert decoded.event.key() == example["key"]
    assert json.loads(decoded.event.to_json()) == json.loads(example["value"])
    assert example["topic"] in TOPICS


def test_there_is_no_example_of_an_event_that_does_not_exist() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == {event.TYPE for event in EVENTS}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_unknown_fields_are_refused_from_outsiders_and_ignored_between_services(
    event: type[Event],
) -> None:
    example = load(event)
    value = json.dumps(json.loads(example["value"]) | {"from_a_newer_version": 1}).encode()
    if event in (Alert, BulletinProposed):
        with pytest.raises(Rejected) as refused:
            decode_any(record(example, value=value))
        assert "from_a_newer_version" not in str(refused.value)
    else:
        assert decode_any(record(example, value=value)).event == event.from_json(
            example["value"].encode()
        )


@pytest.mark.parametrize(
    ("event", "header", "kid"),
    [
        (Alert, SIGNATURE_HEADER, "demo-officer-1"),
        (Alert, APPROVAL_HEADER, "demo-officer-2"),
        (BulletinProposed, SIGNATURE_HEADER, "demo-officer-1"),
    ],
)
def test_a_client_that_signs_the_example_gets_the_same_signature(
    event: type[Event], header: str, kid: str
) -> None:
    example = load(event)
    value, topic = example["value"].encode(), example["topic"]
    signature = example["headers"][header]
    assert sign(value, key(kid), kid=kid, zone="demo", topic=topic) == signature
    signer = verify(value, signature, zone(), topic=topic, now=NOW, field=header)
    assert signer.kid == kid
