"""From events to entries: nothing personal in the entry, everything needed beside it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.audit.domain.closing import digest
from services.audit.domain.destinations import normalise
from services.audit.domain.drafting import draft_of, key_drafts
from services.audit.domain.entries import FIELDS, EntryType, log_of, private_hash, seal, zone_of
from shared.contracts import EVENT_BY_TYPE, Event, Member, Send, Zone

EXAMPLES = Path(__file__).parents[2] / "contract" / "examples"
NOW = datetime(2026, 3, 14, 20, 15, tzinfo=UTC)


def example(name: str) -> Event:
    shown: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text())
    return EVENT_BY_TYPE[shown["headers"]["ce_type"]].from_json(shown["value"].encode())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("be.bin.send.v1", EntryType.SEND),
        ("be.bin.verdict.v1", EntryType.VERDICT),
        ("be.bin.bulletin.v1", EntryType.BULLETIN),
        ("be.bin.notice.v1", EntryType.NOTICE),
        ("be.bin.message.planned.v1", EntryType.PLANNED),
        ("be.bin.message.closed.v1", EntryType.CLOSED),
        ("be.bin.access.v1", EntryType.ACCESS),
    ],
)
def test_every_logged_event_becomes_an_entry(name: str, kind: EntryType) -> None:
    draft = draft_of(example(name))
    assert draft is not None
    assert draft.type is kind
    sealed = seal(draft, 7, "demo", bytes(32))
    entry = orjson.loads(sealed.body)
    assert set(entry) == FIELDS
    assert (entry["index"], entry["zone_id"], entry["type"]) == (7, "demo", kind.value)
    assert sealed.part is not None
    assert entry["private"] == private_hash(bytes(32), sealed.part)


def test_what_is_personal_stands_in_the_private_part_only() -> None:
    send = example("be.bin.send.v1")
    assert isinstance(send, Send)
    draft = draft_of(send)
    assert draft is not None
    sealed = seal(draft, 0, "demo", bytes(32))
    assert sealed.part is not None
    for personal in (send.recipient, *send.member_ids, send.provider_reference):
        assert personal is not None
        assert personal.encode() not in sealed.body
        assert personal.encode() in sealed.part
    assert (draft.members, draft.recipient) == (send.member_ids, send.recipient)


def test_a_members_record_is_never_logged() -> None:
    assert draft_of(example("be.bin.member.v1")) is None
    assert isinstance(example("be.bin.member.v1"), Member)


def zone(version: int, *keys: dict[str, Any]) -> Zone:
    whole = [
        {
            "jwk": {"kty": "OKP"},
            "officer_id": "officer-1",
            "nbf": NOW,
            "exp": NOW + timedelta(days=1),
            "enrolled_by": "admin-1",
            **key,
        }
        for key in keys
    ]
    basis = {"warm": "a", "cold": "b"}
    return Zone.model_validate(
        {
            "zone_id": "demo",
            "version": version,
            "name": "Demo",
            "legal_basis": basis,
            "keys": whole,
        }
    )


def test_keys_enrolled_confirmed_and_revoked_are_told_apart() -> None:
    confirmed = {"kid": "a", "confirmed_by": "officer-2", "confirmed_at": NOW}
    first = zone(1, {"kid": "a"})
    second = zone(2, confirmed, {"kid": "b"})
    third = zone(3, {**confirmed, "revoked_at": NOW}, {"kid": "b"})

    def told(before: Zone | None, after: Zone) -> list[str]:
        return [draft.event_id for draft in key_drafts(before, after, NOW)]

    assert told(None, first) == ["key.a.enrolled"]
    assert told(first, second) == ["key.a.confirmed", "key.b.enrolled"]
    assert told(second, third) == ["key.a.revoked"]
    assert told(None, third) == [
        "key.a.enrolled",
        "key.a.confirmed",
        "key.a.revoked",
        "key.b.enrolled",
    ]
    assert told(third, third) == []


def test_the_digest_is_over_sorted_ids_with_line_feeds() -> None:
    # by sha256sum, over the four bytes a, LF, b, LF
    expected = "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2"
    assert digest(["b", "a"]) == digest(["a", "b"]) == expected


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("0450 00 00 01", "+32450000001"),
        (" +32 450 00 00 01 ", "+32450000001"),
        ("0032450000001", "+32450000001"),
        ("Jan@Example.BE", "jan@example.be"),
        ("@example.be", None),
        ("jan@", None),
        ("j an@example.be", None),
        ("not a number", None),
        ("12", None),
    ],
)
def test_destinations_are_normalised_as_at_planning(given: str, normal: str | None) -> None:
    assert normalise(given) == normal


def test_the_operators_log() -> None:
    assert (log_of(None), log_of("-"), log_of("demo")) == ("operators", "operators", "demo")
    assert (zone_of("operators"), zone_of("demo")) == ("-", "demo")
