"""Two officers, approvals and lengths: what an alert is held against beyond its signature."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain.judging import (
    MOST_NETWORKS,
    Addressed,
    check_approval,
    check_length,
    needs_two,
)
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import Reason
from shared.judging import Case, Refused
from tests.support.police import NOW, Police, public_part

POLICE = Police()


def names(first: int, count: int) -> tuple[str, ...]:
    return tuple(f"n{number}" for number in range(first, first + count))


def test_ten_networks_need_one_officer_and_eleven_two() -> None:
    assert not needs_two(POLICE.alert(network_ids=names(0, 10)), [], NOW)
    assert needs_two(POLICE.alert(network_ids=names(0, 11)), [], NOW)


def test_recent_alerts_count_and_older_ones_do_not() -> None:
    alert = POLICE.alert(network_ids=names(0, 6))
    recent = Addressed(NOW - timedelta(minutes=29, seconds=59), names(5, 6))
    older = Addressed(NOW - timedelta(minutes=30), names(5, 6))
    assert needs_two(alert, [recent], NOW)
    assert not needs_two(alert, [older], NOW)


def test_the_same_network_counts_once() -> None:
    recent = [Addressed(NOW, names(0, 10))] * 5
    assert not needs_two(POLICE.alert(network_ids=names(3, 4)), recent, NOW)


def test_all_clear_is_exempt() -> None:
    ends = POLICE.alert(
        kind="all_clear", references=POLICE.alert().alert_id, network_ids=names(0, 40)
    )
    assert not needs_two(ends, [Addressed(NOW, names(0, 40))], NOW)


@given(
    st.lists(st.sets(st.integers(0, 20), min_size=1), max_size=5),
    st.sets(st.integers(0, 20), min_size=1),
)
def test_the_limit_is_on_distinct_networks(earlier: list[set[int]], now: set[int]) -> None:
    recent = [Addressed(NOW, tuple(f"n{i}" for i in one)) for one in earlier]
    alert = POLICE.alert(network_ids=tuple(f"n{i}" for i in now))
    assert needs_two(alert, recent, NOW) == (len(now.union(*earlier)) > MOST_NETWORKS)


def check(approver: str | None, kid: str = "key-1", **changes: Any) -> Case:
    alert = POLICE.alert(**changes)
    zone = POLICE.zone(
        keys=(
            *POLICE.zone().keys,
            public_part("spare", POLICE.keys["key-2"], "officer-1"),
        )
    )
    record = POLICE.record(alert, kid=kid, approver=approver)
    case = Case.of(record, MessageType.ALERT, zone)
    signer = next(key for key in zone.keys if key.kid == kid)
    check_approval(case, alert, signer, NOW)
    return case


def test_approval_by_another_officers_own_key_holds() -> None:
    assert check("key-2", approved_by="officer-2").approver == "key-2"


def test_no_approval_asked_for_is_none_given() -> None:
    assert check(None).approver is None


@pytest.mark.parametrize(
    ("approver", "changes", "reason"),
    [
        (None, {"approved_by": "officer-2"}, Reason.APPROVAL_INVALID),
        ("key-2", {}, Reason.APPROVAL_INVALID),
        ("key-2", {"approved_by": "officer-3"}, Reason.APPROVAL_INVALID),
        ("system", {"approved_by": "system"}, Reason.APPROVAL_INVALID),
        ("key-1", {"approved_by": "officer-1"}, Reason.APPROVER_IS_ISSUER),
    ],
)
def test_approval_that_does_not_hold_is_refused(
    approver: str | None, changes: dict[str, Any], reason: Reason
) -> None:
    with pytest.raises(Refused) as caught:
        check(approver, **changes)
    assert caught.value.reason is reason


def test_second_key_of_the_same_officer_is_no_second_officer() -> None:
    police = Police()
    police.keys["spare"] = police.keys["key-2"]
    alert = police.alert(approved_by="officer-1")
    zone = police.zone(
        keys=(
            public_part("key-1", police.keys["key-1"], "officer-1"),
            public_part("spare", police.keys["spare"], "officer-1"),
        )
    )
    case = Case.of(police.record(alert, approver="spare"), MessageType.ALERT, zone)
    with pytest.raises(Refused, match="approver_is_issuer"):
        check_approval(case, alert, zone.keys[0], NOW)


def test_text_over_the_cap_is_refused_and_its_language_named() -> None:
    check_length(POLICE.alert(text={"nl": "a" * 390}), 3)
    with pytest.raises(Refused) as caught:
        check_length(POLICE.alert(text={"nl": "kort", "fr": "я" * 200}), 3)
    assert (caught.value.reason, caught.value.field) == (Reason.TOO_LONG, "text.fr")


def test_closing_line_is_part_of_the_count() -> None:
    """459 characters are 3 segments by themselves; with the closing line they are not."""
    with pytest.raises(Refused):
        check_length(POLICE.alert(text={"nl": "a" * 459}), 3)
