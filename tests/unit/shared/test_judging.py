"""What both judges share: reading, signature, times, networks, verdicts."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws

from shared.claims import Claim, earlier_verdict
from shared.contracts import Alert, BulletinProposed, Verdict, Zone
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import Reason, VerdictKind
from shared.judging import (
    EXPLANATIONS,
    Candidate,
    Case,
    Choice,
    Duplicate,
    Refused,
    accepted,
    check_times,
    choose_networks,
    duplicate,
    examine,
    refusal,
    zone_named,
)
from shared.kafka import Record
from shared.signatures import sign
from tests.support.police import NOW, Police, public_part

POLICE = Police()
ZONE = POLICE.zone()


def judge(record: Record, zone: Zone | None = ZONE) -> Case:
    case = Case.of(record, MessageType.ALERT, zone)
    examine(case, Alert, NOW)
    return case


def refused(record: Record, zone: Zone | None = ZONE) -> tuple[Reason, str | None]:
    with pytest.raises(Refused) as caught:
        judge(record, zone)
    return caught.value.reason, caught.value.field


def test_every_reason_is_explained() -> None:
    assert set(EXPLANATIONS) == set(Reason)


def test_signed_alert_is_read_and_its_signer_named() -> None:
    case = judge(POLICE.record(POLICE.alert()))
    assert case.signer == "key-1"
    assert case.event is not None


def test_police_system_signs_as_its_kid() -> None:
    record = POLICE.record(POLICE.alert(issued_by="system"), kid="system")
    assert judge(record).signer == "system"


def altered(**changes: Any) -> bytes:
    fields = json.loads(POLICE.alert().to_json())
    fields.update(changes)
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("record", "reason", "field"),
    [
        (POLICE.value_record(b"\xff\xfe"), Reason.NOT_JSON, None),
        (POLICE.value_record(b"[" * 100_000), Reason.NOT_JSON, None),
        (POLICE.value_record(b"[1]"), Reason.INVALID_FIELD, "Input should be an object"),
        (POLICE.value_record(altered(secret_name=1)), Reason.INVALID_FIELD, "unknown field"),
        (POLICE.value_record(altered(status="serious")), Reason.INVALID_FIELD, "status"),
        (POLICE.value_record(altered(text={})), Reason.INVALID_FIELD, "text"),
        (
            POLICE.value_record(altered(issued_at="2026-11-22T12:00:00")),
            Reason.INVALID_FIELD,
            "issued_at",
        ),
        (
            POLICE.record(POLICE.alert(), headers={"ce_type": b"be.bin.zone.v1"}),
            Reason.INVALID_FIELD,
            "version",
        ),
        (
            POLICE.record(POLICE.alert(), headers={"ce_type": b"other"}),
            Reason.WRONG_TYPE,
            "ce_type",
        ),
        (
            POLICE.record(POLICE.alert(), headers={"ce_specversion": b"0.3"}),
            Reason.NOT_A_CLOUDEVENT,
            None,
        ),
        (
            POLICE.record(POLICE.alert(), headers={"ce_id": b"\xff"}),
            Reason.NOT_A_CLOUDEVENT,
            None,
        ),
        (POLICE.record(POLICE.alert(), key=b"other"), Reason.KEY_NOT_ZONE, "zone_id"),
        (POLICE.record(POLICE.alert(), key=b"\xff"), Reason.KEY_NOT_ZONE, "zone_id"),
        (POLICE.record(POLICE.alert(), kid=None), Reason.NO_SIGNATURE, "bin-signature"),
        (
            POLICE.record(POLICE.alert(), headers={"bin-signature": b"\xff"}),
            Reason.MALFORMED_SIGNATURE,
            "bin-signature",
        ),
        (POLICE.record(POLICE.alert(), kid="key-2"), Reason.NOT_THE_SIGNER, "issued_by"),
        (
            POLICE.record(POLICE.alert(issued_by="officer-2")),
            Reason.NOT_THE_SIGNER,
            "issued_by",
        ),
    ],
)
def test_bad_record_is_refused_with_its_reason(
    record: Record, reason: Reason, field: str | None
) -> None:
    found, where = refused(record)
    assert found is reason
    assert where == field


def test_unknown_zone_is_refused() -> None:
    assert refused(POLICE.record(POLICE.alert()), zone=None) == (Reason.UNKNOWN_ZONE, "zone_id")


def test_record_of_another_zone_cannot_use_this_zones_key() -> None:
    other = Police("other")
    record = POLICE.record(POLICE.alert())
    forged = other.value_record(record.value, kid=None, key=b"demo", headers=dict(record.headers))
    assert refused(forged, zone=other.zone()) == (
        Reason.SIGNATURE_FOR_OTHER_ZONE,
        "bin-signature",
    )


def test_changed_bytes_do_not_fit_the_signature() -> None:
    record = POLICE.record(POLICE.alert())
    changed = POLICE.value_record(
        record.value.replace(b"Inbraak", b"inbraak"), kid=None, headers=dict(record.headers)
    )
    assert refused(changed)[0] is Reason.WRONG_SIGNATURE


def test_signature_for_another_topic_is_refused() -> None:
    value = POLICE.alert().to_json()
    token = sign(
        value, POLICE.keys["key-1"], kid="key-1", zone="demo", topic="bin.bulletins.proposed"
    )
    record = POLICE.value_record(value, headers={"bin-signature": token.encode()})
    assert refused(record)[0] is Reason.SIGNATURE_FOR_OTHER_TOPIC


def test_token_that_carries_its_own_payload_is_refused() -> None:
    """It would be verified against that payload, whatever the record says."""
    value = POLICE.alert().to_json()
    whole = jws.serialize_compact(
        {"alg": "Ed25519", "kid": "key-1"}, value, POLICE.keys["key-1"], algorithms=["Ed25519"]
    )
    record = POLICE.value_record(value, headers={"bin-signature": whole.encode()})
    assert refused(record)[0] is Reason.MALFORMED_SIGNATURE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"confirmed_by": None}, Reason.KEY_NOT_CONFIRMED),
        ({"revoked_at": NOW - timedelta(seconds=1)}, Reason.KEY_REVOKED),
        ({"exp": NOW}, Reason.KEY_NOT_CURRENT),
        ({"nbf": NOW + timedelta(seconds=1)}, Reason.KEY_NOT_CURRENT),
        ({"kid": "renamed"}, Reason.UNKNOWN_KEY),
    ],
)
def test_key_that_does_not_count_now_is_refused(changes: dict[str, Any], reason: Reason) -> None:
    """By the judge's clock, whatever `issued_at` says."""
    key = public_part("key-1", POLICE.keys["key-1"], "officer-1", **changes)
    issued = POLICE.alert(issued_at=NOW - timedelta(minutes=5))
    assert refused(POLICE.record(issued), POLICE.zone(keys=(key,)))[0] is reason


def test_times_are_held_against_the_judges_clock() -> None:
    check_times(POLICE.alert(issued_at=NOW + timedelta(minutes=2)), NOW)
    with pytest.raises(Refused, match="issued_in_future"):
        check_times(POLICE.alert(issued_at=NOW + timedelta(minutes=2, seconds=1)), NOW)
    with pytest.raises(Refused) as caught:
        check_times(POLICE.alert(issued_at=NOW - timedelta(minutes=30)), NOW)
    assert caught.value.verdict is VerdictKind.EXPIRED
    week = timedelta(days=7)
    late = POLICE.alert(issued_at=NOW - timedelta(hours=5), expires_at=NOW + timedelta(hours=1))
    check_times(late, NOW, oldest=week)
    with pytest.raises(Refused, match="issued_too_long_ago"):
        check_times(late, NOW, oldest=timedelta(hours=4))


def candidates(**networks: tuple[str, bool, bool]) -> dict[str, Candidate]:
    return {name: Candidate(*fields) for name, fields in networks.items()}


def test_networks_that_cannot_take_it_are_left_out_and_named() -> None:
    known = candidates(n1=("demo", True, False), n2=("demo", False, True), n3=("demo", True, True))
    names = ("n1", "n2", "n3")
    actual = choose_networks(POLICE.alert(network_ids=names), known)
    assert actual.takes == ("n1", "n3")
    assert [(one.network_id, one.reason) for one in actual.left_out] == [
        ("n2", Reason.NETWORK_NOT_ACTIVE)
    ]
    exercise = choose_networks(POLICE.alert(network_ids=names, status="exercise"), known)
    assert exercise.takes == ("n3",)
    test = choose_networks(POLICE.alert(network_ids=names, status="test"), known)
    assert test.takes == ("n1", "n3")


def test_none_left_is_refused_but_not_for_an_all_clear() -> None:
    known = candidates(n1=("demo", False, True))
    with pytest.raises(Refused) as caught:
        choose_networks(POLICE.alert(), known)
    assert caught.value.reason is Reason.NO_NETWORK_LEFT
    assert caught.value.left_out[0].network_id == "n1"
    assert choose_networks(POLICE.alert(), known, none_left=True).takes == ()


@pytest.mark.parametrize("known", [{}, candidates(n2=("other", True, True))])
def test_network_of_another_zone_looks_like_an_unknown_one(known: dict[str, Candidate]) -> None:
    both = {**candidates(n1=("demo", True, True)), **known}
    with pytest.raises(Refused) as caught:
        choose_networks(POLICE.alert(network_ids=("n1", "n2")), both)
    assert (caught.value.reason, caught.value.field) == (Reason.UNKNOWN_NETWORK, "network_ids.1")


def test_verdict_tells_where_its_original_stands() -> None:
    record = POLICE.record(POLICE.alert(), offset=41)
    case = judge(record)
    verdict = accepted(case, Choice(("n1",)), NOW, people=3)
    assert (verdict.original.topic, verdict.original.offset) == ("bin.alerts", 41)
    assert verdict.key() == "demo"
    assert verdict.people == 3
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_repeated_verdict_is_the_same_event_and_another_outcome_another() -> None:
    record = POLICE.record(POLICE.alert())
    case = judge(record)
    first = refusal(case, Refused(Reason.KEY_NOT_CONFIRMED), NOW)
    again = refusal(case, Refused(Reason.KEY_NOT_CONFIRMED), NOW + timedelta(hours=1))
    later = accepted(case, Choice(("n1",)), NOW + timedelta(hours=1))
    assert first.event_id == again.event_id != later.event_id


def test_key_that_names_no_known_zone_gives_a_verdict_under_a_dash() -> None:
    case = Case.of(POLICE.value_record(b"{", key=b"nowhere"), MessageType.ALERT, None)
    verdict = refusal(case, Refused(Reason.NOT_JSON), NOW)
    assert verdict.key() == "-"
    assert verdict.zone_id is None


def claim_of(record: Record) -> Claim:
    case = judge(record)
    verdict = accepted(case, Choice(("n1",)), NOW)
    return Claim(record.topic, record.partition, record.offset, case.sha256, verdict)


def test_same_record_repeats_same_bytes_double_and_other_bytes_are_refused() -> None:
    alert = POLICE.alert()
    record = POLICE.record(alert, offset=1)
    claims = {("demo", alert.alert_id): claim_of(record)}
    assert earlier_verdict(judge(record), claims, "demo", alert.alert_id) is not None
    copied = judge(POLICE.record(alert, offset=2))
    with pytest.raises(Duplicate):
        earlier_verdict(copied, claims, "demo", alert.alert_id)
    other = POLICE.alert(alert_id=alert.alert_id, text={"nl": "Iets anders."})
    with pytest.raises(Refused) as caught:
        earlier_verdict(judge(POLICE.record(other, offset=3)), claims, "demo", alert.alert_id)
    assert (caught.value.reason, caught.value.field) == (Reason.ID_TAKEN, "alert_id")
    assert earlier_verdict(copied, {}, "demo", alert.alert_id) is None


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_specversion", "ce_id", "ce_type", "bin-signature", "bin-approval"])
        | st.text(max_size=8),
        st.binary(max_size=80) | st.sampled_from([b"1.0", Alert.TYPE.encode(), b"e30..e30"]),
    ),
    max_size=8,
)


@given(
    value=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["alert_id", "zone_id", "text", "x"]), inner)
        ),
        max_leaves=10,
    ).map(lambda tree: json.dumps(tree).encode()),
    headers=HEADERS,
    key=st.none() | st.binary(max_size=40),
)
def test_whatever_a_record_holds_it_gets_a_verdict(
    value: bytes, headers: list[tuple[str, bytes]], key: bytes | None
) -> None:
    record = Record("bin.alerts", 0, 0, key, value, tuple(headers))
    case = Case.of(record, MessageType.ALERT, ZONE if zone_named(record) == "demo" else None)
    with pytest.raises(Refused) as caught:
        examine(case, Alert, NOW)
    verdict = refusal(case, caught.value, NOW)
    assert verdict.explanation
    assert Verdict.from_json(verdict.to_json()) == verdict


MOMENTS = st.datetimes(
    timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))
).map(datetime.isoformat) | st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59Z",
        "1969-12-31T23:59:59Z",
        "-1",
        "1e300",
        10**400,
        -(10**30),
    ]
)
ANYTHING = MOMENTS | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["nl", "fr", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def told(value: bytes, *, alert: bool) -> Verdict | None:
    """Give the refusal of signed bytes, or None where there is nothing to refuse."""
    of = Alert if alert else BulletinProposed
    record = POLICE.value_record(value, topic=of.TOPIC.name, ce_type=of.TYPE)
    case = Case.of(record, MessageType.ALERT if alert else MessageType.BULLETIN, ZONE)
    try:
        signed = examine(case, Alert, NOW) if alert else examine(case, BulletinProposed, NOW)
        check_times(signed.event, NOW, oldest=timedelta(days=7))
    except Refused as refused:
        return refusal(case, refused, NOW)
    return None


@given(data=st.data(), alert=st.booleans())
def test_whatever_a_field_holds_it_gets_a_verdict(data: st.DataObject, *, alert: bool) -> None:
    """Times at the ends of the calendar among it: adding a life or an offset to one overflows."""
    fields = json.loads((POLICE.alert() if alert else POLICE.proposal()).to_json())
    names = st.sampled_from([*fields, "expires_at", "approved_by", "references"])
    fields |= data.draw(st.dictionaries(names, ANYTHING, min_size=1, max_size=3))
    fields |= data.draw(st.dictionaries(st.sampled_from(["issued_at", "expires_at"]), MOMENTS))
    verdict = told(json.dumps(fields).encode(), alert=alert)
    assert verdict is None or Verdict.from_json(verdict.to_json()) == verdict


@given(token=st.text(alphabet="abcXYZ019-_.=%{}", max_size=120) | st.text(max_size=60))
def test_whatever_a_signature_holds_it_is_a_refusal(token: str) -> None:
    record = POLICE.record(
        POLICE.alert(), headers={"bin-signature": token.encode("utf-8", "surrogatepass")}
    )
    with pytest.raises(Refused):
        judge(record)


def test_duplicate_says_so() -> None:
    verdict = duplicate(judge(POLICE.record(POLICE.alert())), NOW)
    assert verdict.verdict is VerdictKind.DUPLICATE
    assert verdict.reason is None
