"""The signature rule, case by case: what does not hold is refused, with its reason."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from shared.contracts.dispatcher import Reason
from shared.contracts.registry import LegalBasis, PublisherKey, Zone
from shared.signatures import SignatureRefused, check_issuer, new_key, sign, verify

NOW = datetime(2026, 3, 14, 20, 15, tzinfo=UTC)
VALUE = b'{"alert_id":"1"}'
KEY = new_key("k1")
OTHER = new_key("k1")


def enrolled(key: OKPKey = KEY, **changes: object) -> PublisherKey:
    jwk = {name: str(value) for name, value in key.as_dict(private=False).items()}
    fields: dict[str, object] = {
        "kid": "k1",
        "jwk": jwk,
        "officer_id": "officer-1",
        "nbf": NOW - timedelta(days=1),
        "exp": NOW + timedelta(days=1),
        "enrolled_by": "admin",
        "confirmed_by": "officer-2",
    }
    return PublisherKey.model_validate(fields | changes)


def zone(*keys: PublisherKey) -> Zone:
    return Zone(
        zone_id="demo",
        version=1,
        name="Demo",
        legal_basis=LegalBasis(warm="a", cold="b"),
        keys=keys,
    )


def token(value: bytes = VALUE, key: OKPKey = KEY, **changes: str) -> str:
    fields = {"kid": "k1", "zone": "demo", "topic": "bin.alerts"} | changes
    return sign(value, key, kid=fields["kid"], zone=fields["zone"], topic=fields["topic"])


def check(signature: str, *keys: PublisherKey, value: bytes = VALUE) -> PublisherKey:
    place = zone(*(keys or (enrolled(),)))
    return verify(value, signature, place, topic="bin.alerts", now=NOW, field="bin-signature")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_header(**fields: object) -> str:
    header = b64(json.dumps(fields).encode())
    return f"{header}..{token().rpartition('.')[2]}"


def with_own_payload() -> str:
    """A valid compact JWS over its own middle segment, next to which our value is ignored."""
    header, _, rest = token().partition(".")
    return f"{header}.{b64(VALUE)}{rest}"


@dataclass(frozen=True)
class Case:
    name: str
    reason: Reason
    signature: Callable[[], str] = token
    key: PublisherKey = enrolled()  # noqa: RUF009 - frozen
    value: bytes = VALUE


HEADER: dict[str, object] = {"alg": "Ed25519", "kid": "k1", "zone": "demo", "topic": "bin.alerts"}
CASES = [
    Case("no token at all", Reason.MALFORMED_SIGNATURE, lambda: ""),
    Case("own payload", Reason.MALFORMED_SIGNATURE, with_own_payload),
    Case("two parts", Reason.MALFORMED_SIGNATURE, lambda: "a.b"),
    Case("header is no base64", Reason.MALFORMED_SIGNATURE, lambda: "\xff\xfe..x"),
    Case("header is no object", Reason.MALFORMED_SIGNATURE, lambda: b64(b"[]") + "..x"),
    Case("very long", Reason.MALFORMED_SIGNATURE, lambda: token() + "A" * 3000),
    Case("alg none", Reason.MALFORMED_SIGNATURE, lambda: with_header(**(HEADER | {"alg": "none"}))),
    Case("alg HS256", Reason.MALFORMED_SIGNATURE, lambda: with_header(**HEADER | {"alg": "HS256"})),
    Case("more in the header", Reason.MALFORMED_SIGNATURE, lambda: with_header(**HEADER, crit=[])),
    Case("kid is a number", Reason.MALFORMED_SIGNATURE, lambda: with_header(**HEADER | {"kid": 1})),
    Case("another zone", Reason.SIGNATURE_FOR_OTHER_ZONE, lambda: token(zone="other")),
    Case("another topic", Reason.SIGNATURE_FOR_OTHER_TOPIC, lambda: token(topic="bin.x")),
    Case("unknown kid", Reason.UNKNOWN_KEY, lambda: token(kid="k2")),
    Case("another key, same kid", Reason.WRONG_SIGNATURE, lambda: token(key=OTHER)),
    Case("other bytes", Reason.WRONG_SIGNATURE, value=VALUE + b" "),
    Case("not confirmed", Reason.KEY_NOT_CONFIRMED, key=enrolled(confirmed_by=None)),
    Case("revoked", Reason.KEY_REVOKED, key=enrolled(revoked_at=NOW)),
    Case("not yet", Reason.KEY_NOT_CURRENT, key=enrolled(nbf=NOW + timedelta(seconds=1))),
    Case("no more", Reason.KEY_NOT_CURRENT, key=enrolled(exp=NOW)),
]


def test_a_current_confirmed_key_of_the_zone_signs() -> None:
    assert check(token()).officer_id == "officer-1"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_does_not_hold_is_refused_with_its_reason(case: Case) -> None:
    with pytest.raises(SignatureRefused) as refused:
        check(case.signature(), case.key, value=case.value)
    assert refused.value.reason == case.reason


@given(st.binary(min_size=1, max_size=40), st.integers(min_value=0), st.integers(1, 255))
def test_no_changed_byte_goes_unseen(value: bytes, where: int, change: int) -> None:
    changed = bytearray(value)
    changed[where % len(value)] ^= change
    with pytest.raises(SignatureRefused):
        check(token(value), value=bytes(changed))
    assert check(token(value), value=value).kid == "k1"


@given(st.text(max_size=200))
def test_no_text_in_the_header_breaks_the_check(text: str) -> None:
    with pytest.raises(SignatureRefused):
        check(text)


def test_a_message_is_issued_by_its_signer() -> None:
    check_issuer(enrolled(), "officer-1")
    check_issuer(enrolled(officer_id=None), "k1")
    for key, issued_by in [(enrolled(), "officer-2"), (enrolled(officer_id=None), "officer-1")]:
        with pytest.raises(SignatureRefused) as refused:
            check_issuer(key, issued_by)
        assert refused.value.reason == Reason.NOT_THE_SIGNER
