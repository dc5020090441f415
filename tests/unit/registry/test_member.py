"""The rules of membership: free, personal, and over at once when somebody leaves."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain import member as rules
from services.registry.domain.failures import Conflict
from services.registry.domain.member import Acceptance, MemberRecord
from services.registry.domain.reach import by_sms
from tests.unit.registry.people import NOW, member


def accept(version: int) -> Callable[[MemberRecord], MemberRecord]:
    accepted = Acceptance(how="link", version=version, at=NOW)
    return lambda found: rules.accept(found, accepted)


STEPS: dict[str, Callable[[MemberRecord], MemberRecord]] = {
    "accept 1": accept(1),
    "accept 2": accept(2),
    "leave": lambda found: rules.leave(found, "link", NOW),
    "refuse cold": rules.refuse_cold,
    "stop": rules.stop_sms,
}


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=15))
def test_any_course_of_a_membership_keeps_the_rules(steps: list[str]) -> None:
    """Rules text: "States `pending` -> `active` -> `suspended` -> `active` | `left`"."""
    current = member()
    seen = [current]
    for step in steps:
        try:
            after = STEPS[step](current)
        except Conflict:
            assert current.state == "left", "only who left is refused anything"
            continue
        if after is not current:
            seen.append(after)
        current = after
    for before, after in pairwise(seen):
        assert after.version == before.version + 1
        assert before.state != "left", "leaving is the end"
    for found in seen:
        event = found.event()
        assert (event.state == "active") <= (event.house_rules_version is not None)
        assert (event.accept_token is not None) == (event.state == "pending")
        if event.state == "left":
            assert (event.phone, event.email, event.unsubscribe_token) == (None, None, None)


def test_refusing_cold_mail_leaves_warm_messages_alone() -> None:
    """Rules text: "Cold mail can be refused without leaving"; "warm cannot"."""
    after = rules.refuse_cold(accept(1)(member())).event()

    assert (after.state, after.cold_mail, after.phone) == ("active", False, "+32450000001")


def test_older_house_rules_are_not_accepted_over_newer_ones() -> None:
    """Rules text: "accepts the current house rules personally"."""
    newer = accept(2)(member())

    assert accept(1)(newer) is newer


def test_who_left_does_not_accept() -> None:
    """Rules text: leaving "stops warm and cold at once"."""
    with pytest.raises(Conflict):
        accept(1)(rules.leave(member(), "coordinator", NOW))


def test_a_member_without_a_mobile_is_shown_as_unreachable() -> None:
    """Shown as such, never silently skipped."""
    fixed = member().model_copy(update={"phone": "+3293000000", "phone_kind": "fixed"})

    assert by_sms(member()) == "reachable"
    assert by_sms(rules.stop_sms(member())) == "stopped"
    assert by_sms(fixed) == "no_mobile"
    assert fixed.event().phone is None
