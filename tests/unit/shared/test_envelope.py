"""Decoding: bad input is rejected by a code and a field, and never quoted."""

import json

import pytest

from shared.contracts import Alert
from shared.contracts.dispatcher import Reason
from shared.envelope import decode, decode_any, parse
from shared.failures import Rejected
from shared.kafka import Record

SECRET = "Mevrouw Peeters"
ALERT: dict[str, object] = {
    "alert_id": "6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90",
    "zone_id": "demo",
    "network_ids": ["bin-1"],
    "kind": "alert",
    "status": "actual",
    "event": "burglary",
    "text": {"nl": "Inbraak."},
    "issued_by": "officer-1",
    "issued_at": "2026-03-14T20:15:00Z",
}
CE = {"ce_specversion": b"1.0", "ce_id": b"1", "ce_type": b"be.bin.alert.v1"}


def record(value: bytes, headers: dict[str, bytes] | None = None) -> Record:
    return Record("bin.alerts", 0, 0, b"demo", value, tuple((headers or CE).items()))


WRONG_FIELDS: list[tuple[dict[str, object], str]] = [
    ({"text": {}}, "text"),
    ({"text": {"nl": ""}}, "text.nl"),
    ({"text": {SECRET: "x"}}, "text"),
    ({"text": {"nl": SECRET + "\x00"}}, "text.nl"),
    ({"text": {"nl": "x" * 1201}}, "text.nl"),
    ({"alert_id": SECRET}, "alert_id"),
    ({"zone_id": "Demo"}, "zone_id"),
    ({"network_ids": []}, "network_ids"),
    ({"network_ids": ["a", "a"]}, "network_ids"),
    ({"issued_at": "2026-03-14T20:15:00"}, "issued_at"),
    ({"expires_at": "2026-03-14T20:15:00Z"}, "expires_at"),
    ({"expires_at": "2026-03-15T06:15:01Z"}, "expires_at"),
    ({"kind": "update"}, "references"),
    ({"references": "6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90"}, "references"),
    ({"event": SECRET}, "event"),
    ({SECRET: 1}, "unknown field"),
]


@pytest.mark.parametrize(("change", "field"), WRONG_FIELDS)
def test_the_wrong_field_is_named_and_its_value_is_not(
    change: dict[str, object], field: str
) -> None:
    with pytest.raises(Rejected) as rejected:
        parse(Alert, json.dumps(ALERT | change).encode())
    assert rejected.value.reason == Reason.INVALID_FIELD
    assert rejected.value.field == field
    assert SECRET not in str(rejected.value)


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (b"\xff\xfe", CE, Reason.NOT_JSON),
        (b"{", CE, Reason.NOT_JSON),
        (b"", CE, Reason.NOT_JSON),
        (b"{}", {}, Reason.NOT_A_CLOUDEVENT),
        (b"{}", CE | {"ce_specversion": b"0.3"}, Reason.NOT_A_CLOUDEVENT),
        (b"{}", CE | {"ce_id": b"\xff"}, Reason.NOT_A_CLOUDEVENT),
        (b"{}", CE | {"ce_type": b"be.bin.unheard-of.v1"}, Reason.WRONG_TYPE),
        (b"{}", CE | {"ce_type": b"be.bin.alert.v1"}, Reason.INVALID_FIELD),
    ],
)
def test_what_is_no_event_is_rejected_with_its_reason(
    value: bytes, headers: dict[str, bytes], reason: Reason
) -> None:
    with pytest.raises(Rejected) as rejected:
        decode_any(Record("bin.alerts", 0, 0, b"demo", value, tuple(headers.items())))
    assert rejected.value.reason == reason


def test_times_are_read_into_utc() -> None:
    value = json.dumps(ALERT | {"issued_at": "2026-03-14T21:15:00+01:00"}).encode()
    assert decode(record(value), Alert).event.issued_at.isoformat() == "2026-03-14T20:15:00+00:00"
