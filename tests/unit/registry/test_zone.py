"""The rules of keys (RFC 8037): public, enrolled by one, confirmed by another, revoked for good."""

from datetime import timedelta

import pytest

from services.registry.domain import zone as rules
from services.registry.domain.failures import Conflict, Invalid, NotThere
from services.registry.domain.recovery import UNKNOWN, recover_zone
from services.registry.domain.zone import Officer, ZonePrivacy
from shared.contracts import Zone
from shared.contracts.registry import ZoneContact
from tests.unit.registry.people import NOW, key, zone


def test_enrolling_again_changes_nothing() -> None:
    first = rules.enrol(zone(), key())

    assert rules.enrol(first, first.keys[0]) is first


def test_a_key_id_is_never_given_to_another_key() -> None:
    first = rules.enrol(zone(), key())

    with pytest.raises(Conflict):
        rules.enrol(first, key())
    with pytest.raises(Conflict):
        rules.enrol(first, first.keys[0].model_copy(update={"exp": NOW + timedelta(days=999)}))


def test_a_revoked_key_does_not_come_back_by_another_name() -> None:
    first = rules.enrol(zone(), key())
    revoked = rules.revoke(first, "key-1", NOW)

    with pytest.raises(Conflict):
        rules.enrol(revoked, first.keys[0].model_copy(update={"kid": "key-2"}))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"d": "secret"}, "jwk.d"),
        ({"crv": "P-256"}, "jwk.crv"),
        ({"kty": "RSA"}, "jwk.crv"),
        ({"x": "AAAA"}, "jwk.x"),
        ({"x": "!" * 43}, "jwk.x"),
        ({"n": "1"}, "jwk"),
        ({"kid": "key-9"}, "jwk.kid"),
    ],
)
def test_only_a_public_ed25519_key_is_enrolled(change: dict[str, str], field: str) -> None:
    wrong = key()
    wrong = wrong.model_copy(update={"jwk": {**wrong.jwk, **change}})

    with pytest.raises(Invalid) as refused:
        rules.enrol(zone(), wrong)
    assert refused.value.field == field
    assert "secret" not in refused.value.detail


def test_one_key_has_one_spelling() -> None:
    """Unused bits of the last base64url digit would let one key in under two spellings."""
    good = key()
    x = good.jwk["x"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = x[:-1] + alphabet[alphabet.index(x[-1]) ^ 1]

    with pytest.raises(Invalid):
        rules.enrol(zone(), good.model_copy(update={"jwk": {**good.jwk, "x": other}}))


@pytest.mark.parametrize("subject", ["admin-1", "police-1"])
def test_neither_enroller_nor_officer_confirms(subject: str) -> None:
    enrolled = rules.enrol(zone(), key())

    with pytest.raises(Conflict):
        rules.confirm(enrolled, "key-1", subject, NOW)
    confirmed = rules.confirm(enrolled, "key-1", "police-2", NOW)
    assert confirmed.key("key-1").confirmed_by == "police-2"
    assert rules.confirm(confirmed, "key-1", "police-3", NOW) is confirmed


def test_what_is_over_is_not_confirmed() -> None:
    enrolled = rules.enrol(zone(), key())

    with pytest.raises(Conflict):
        rules.confirm(rules.revoke(enrolled, "key-1", NOW), "key-1", "police-2", NOW)
    with pytest.raises(Conflict):
        rules.confirm(enrolled, "key-1", "police-2", NOW + timedelta(days=365))
    with pytest.raises(NotThere):
        rules.confirm(enrolled, "key-9", "police-2", NOW)


def test_revoking_is_for_good() -> None:
    enrolled = rules.enrol(zone(), key())
    revoked = rules.revoke(enrolled, "key-1", NOW)

    assert revoked.version == enrolled.version + 1
    assert rules.revoke(revoked, "key-1", NOW + timedelta(days=1)) is revoked
    assert revoked.event().keys[0].revoked_at == NOW


def test_an_officer_is_one_person_with_one_id() -> None:
    other = Officer(officer_id="officer-2", subject="police-1", name="X", email=None, language="nl")
    with pytest.raises(Conflict) as refused:
        rules.appoint(zone(), other)
    assert refused.value.field == "subject"
    with pytest.raises(Conflict) as refused:
        rules.appoint(zone(), other.model_copy(update={"officer_id": "officer-1"}))
    assert refused.value.field == "officer_id"


def test_no_zone_is_called_like_the_operators_audit_log() -> None:
    rules.check_zone_id("demo")
    with pytest.raises(Invalid):
        rules.check_zone_id("operators")


PRIVACY = ZonePrivacy(
    address="Voorbeeldstraat 1, 9000 Gent",
    officer="privacy@zone.example.org",
    impact_assessment="GEB BIN 2026/1",
)


def test_a_zone_is_published_with_whom_to_turn_to_and_nothing_else_of_its_privacy_notice() -> None:
    assert zone().event().contact is None

    event = zone().changed(privacy=PRIVACY).event()

    assert event.contact == ZoneContact(
        address=PRIVACY.address, data_protection_officer=PRIVACY.officer
    )
    assert PRIVACY.impact_assessment.encode() not in event.to_json()


def test_a_zone_that_was_published_before_without_a_contact_is_still_read() -> None:
    old = zone().event().model_dump(mode="json", exclude={"contact"})

    assert Zone.model_validate(old) == zone().event()


@pytest.mark.parametrize(
    ("known", "published", "recovered"),
    [
        (None, None, None),
        (PRIVACY, None, PRIVACY),
        (None, PRIVACY, PRIVACY.model_copy(update={"impact_assessment": UNKNOWN})),
        (PRIVACY.model_copy(update={"address": "Elders 2"}), PRIVACY, PRIVACY),
    ],
)
def test_a_restored_zone_takes_back_whom_to_turn_to(
    known: ZonePrivacy | None, published: ZonePrivacy | None, recovered: ZonePrivacy | None
) -> None:
    event = zone().changed(privacy=published).event()

    assert recover_zone(zone().changed(privacy=known), event, NOW).privacy == recovered
