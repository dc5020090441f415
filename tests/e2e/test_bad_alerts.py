"""Whatever stands on the topic gets a verdict that a human understands, and delays nobody."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli import demo_data
from cli.demo_people import audience
from cli.police import signed, with_header
from shared.clock import Clock
from shared.contracts.base import Status
from shared.contracts.dispatcher import Reason, VerdictKind
from shared.contracts.police import SIGNATURE_HEADER
from shared.kafka import Outgoing
from tests.e2e.local_stack import LocalStack, until

Make = Callable[[LocalStack], Outgoing]

STATION = demo_data.network_id("station")
PHONES = [str(person.phone) for person in audience() if "station" in person.networks]


def _record(stack: LocalStack, **fields: Any) -> Outgoing:
    return signed(stack.alert("never-sent", **fields), stack.key(), Clock())


def _resigned(stack: LocalStack, record: Outgoing, value: bytes) -> Outgoing:
    """Put another value in the record, properly signed: the content is what is wrong."""
    changed = replace(record, value=value)
    return with_header(changed, SIGNATURE_HEADER, stack.key().sign(value, record.topic))


def _changed(stack: LocalStack, **fields: object) -> Outgoing:
    record = _record(stack)
    value = json.dumps({**json.loads(record.value), **fields}).encode()
    return _resigned(stack, record, value)


def _wrong_signature(stack: LocalStack) -> Outgoing:
    record = _record(stack)
    return replace(record, value=record.value.replace(b"never-sent", b"never_sent"))


def _own_payload(stack: LocalStack) -> Outgoing:
    """Sign something harmless, and let the token carry it along: it must not be verified by it."""
    record = _record(stack)
    harmless = stack.key().sign(b"{}", record.topic).decode()
    head, _, signature = harmless.split(".")
    payload = base64.urlsafe_b64encode(b"{}").rstrip(b"=").decode()
    return with_header(record, SIGNATURE_HEADER, f"{head}.{payload}.{signature}".encode())


def _another_officers_name(stack: LocalStack) -> Outgoing:
    alert = stack.alert("never-sent", issued_by="officer-2")
    return signed(alert, stack.key("officer-1"), Clock())


def _without_signature(stack: LocalStack) -> Outgoing:
    record = _record(stack)
    headers = tuple(item for item in record.headers if item[0] != SIGNATURE_HEADER)
    return replace(record, headers=headers)


def _expired(stack: LocalStack) -> Outgoing:
    now = datetime.now(UTC)
    return _record(
        stack, issued_at=now - timedelta(minutes=20), expires_at=now - timedelta(minutes=1)
    )


def _other_zones_network(stack: LocalStack) -> Outgoing:
    with stack.api("registry", "admin") as admin:
        zone = f"far-{Clock().token()[:8]}"
        basis = {"warm": "a", "cold": "b"}
        admin.post("/v1/zones", {"zone_id": zone, "name": "Far", "legal_basis": basis})
        network = admin.post(
            "/v1/networks",
            {
                "zone_id": zone,
                "name": "Far away",
                "municipality": "44021",
                "kind": "residents",
                "languages": ["nl"],
                "sender_name": "BIN Far",
            },
        )
    return _record(stack, network_ids=("bin-lindeveld", network["network_id"]))


def _no_cloudevent(_stack: LocalStack) -> Outgoing:
    return Outgoing("bin.alerts", "demo", b"\x00\xff\xfe not even text", ())


CASES: dict[str, tuple[Make, Reason]] = {
    "a wrong signature": (_wrong_signature, Reason.WRONG_SIGNATURE),
    "a token with its own payload": (_own_payload, Reason.MALFORMED_SIGNATURE),
    "no signature": (_without_signature, Reason.NO_SIGNATURE),
    "another officer's name": (_another_officers_name, Reason.NOT_THE_SIGNER),
    "another zone's network": (_other_zones_network, Reason.UNKNOWN_NETWORK),
    "an unknown zone": (
        lambda stack: replace(_changed(stack, zone_id="nowhere"), key="nowhere"),
        Reason.UNKNOWN_ZONE,
    ),
    "a key that is not its zone": (
        lambda stack: replace(_record(stack), key="nowhere"),
        Reason.KEY_NOT_ZONE,
    ),
    "a past expires_at": (_expired, Reason.EXPIRED),
    "a bad field": (lambda stack: _changed(stack, event="picnic"), Reason.INVALID_FIELD),
    "a time that no clock reaches": (
        lambda stack: _changed(stack, issued_at="0001-01-01T00:00:00+14:00"),
        Reason.INVALID_FIELD,
    ),
    "an unknown field": (lambda stack: _changed(stack, urgent=True), Reason.INVALID_FIELD),
    "a clock that is ahead": (
        lambda stack: _record(stack, issued_at=datetime.now(UTC) + timedelta(minutes=5)),
        Reason.ISSUED_IN_FUTURE,
    ),
    "invalid JSON": (
        lambda stack: _resigned(stack, _record(stack), b'{"alert_id": '),
        Reason.NOT_JSON,
    ),
    "bytes that are nothing": (_no_cloudevent, Reason.NOT_A_CLOUDEVENT),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_alert_gets_its_reason_and_the_next_goes_out(
    stack: LocalStack, marker: str, case: str
) -> None:
    make, reason = CASES[case]
    bad = make(stack)
    good = stack.alert(marker, status=Status.TEST, network_ids=(STATION,))
    with stack.police() as police:
        wrong = police.publish(bad)
        right = police.publish(signed(good, stack.key(), Clock()))
        refused = police.verdict(wrong, 30)
        accepted = police.verdict(right, 30)
    expected = VerdictKind.EXPIRED if reason is Reason.EXPIRED else VerdictKind.REFUSED
    assert (refused.verdict, refused.reason) == (expected, reason)
    assert len(refused.explanation.split()) > 4
    assert "never-sent" not in refused.explanation
    assert accepted.verdict is VerdictKind.ACCEPTED
    stack.everyone_got_one(marker, PHONES)
    assert stack.sms("never-sent") == []


def test_the_same_alert_again_is_a_duplicate_and_other_bytes_are_refused(
    stack: LocalStack, marker: str
) -> None:
    alert = stack.alert(marker, status=Status.TEST, network_ids=(STATION,))
    record = signed(alert, stack.key(), Clock())
    changed = alert.model_copy(update={"text": {"nl": f"Anders {marker}"}})
    assert stack.judged(record).verdict is VerdictKind.ACCEPTED
    assert stack.judged(record).verdict is VerdictKind.DUPLICATE
    taken = stack.send(changed)
    assert (taken.verdict, taken.reason) == (VerdictKind.REFUSED, Reason.ID_TAKEN)
    stack.everyone_got_one(marker, PHONES)


def test_refusals_are_in_the_audit_log_too(stack: LocalStack) -> None:
    refused = stack.judged(_wrong_signature(stack))

    def recorded() -> bool | None:
        return refused.event_id.encode() in stack.bundle() or None

    until(recorded, 30, "the refusal in the audit log")
