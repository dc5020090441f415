"""Who hears of what waits, and when; and what becomes of a municipality's tip."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain import bulletin as rules
from services.registry.domain.bulletin import BulletinRecord, Edit, RelayTimes, Step
from services.registry.domain.failures import Conflict, Invalid
from services.registry.domain.network import NetworkRecord
from services.registry.domain.policy import RELAY_TIMES
from services.registry.domain.rights import may_relay
from shared.callers import Caller, Role
from tests.unit.registry.people import NOW, bulletin, coordinator, network

DEPUTY = coordinator("c-2", "deputy-1").model_copy(
    update={
        "role": "deputy",
        "stands_in_for": "c-1",
        "since": NOW,
        "until": NOW + timedelta(days=30),
    }
)
POLICE = Caller("police-1", frozenset({Role.POLICE}), "demo", None)


def active(*coordinators: object) -> NetworkRecord:
    return network().model_copy(update={"state": "active", "coordinators": coordinators})


def waiting() -> BulletinRecord:
    return bulletin().model_copy(update={"chase_at": NOW + RELAY_TIMES.remind_after})


def chased(of: NetworkRecord, hours: list[int]) -> list[tuple[str, int]]:
    """Look at these hours, and give each step with the hour at which it was taken."""
    current, found = waiting(), list[tuple[str, int]]()
    for hour in hours:
        current, what = rules.chase(current, of, RELAY_TIMES, NOW + timedelta(hours=hour))
        if what is not None:
            found.append((what, hour))
    return found


def test_what_waits_goes_from_coordinator_to_deputy_to_officer() -> None:
    """Rules text: "reminders after a configurable time, escalation to deputy and officer"."""
    found = chased(active(coordinator(), DEPUTY), list(range(100)))

    assert found == [("reminded", 24), ("passed_to_deputy", 48), ("escalated", 72)]


def test_without_a_deputy_the_officer_is_next() -> None:
    """Rules text: "its relays go to a deputy, else to the officer"."""
    assert chased(active(coordinator()), list(range(100))) == [("reminded", 24), ("escalated", 48)]


def test_what_nobody_could_relay_goes_to_the_officer_at_its_next_turn() -> None:
    assert chased(active(), [24, 48, 72]) == [("escalated", 24)]


@given(st.lists(st.integers(0, 400), max_size=12))
def test_however_late_one_looks_each_step_is_taken_once_and_the_last_is_the_officer(
    hours: list[int],
) -> None:
    found = chased(active(coordinator(), DEPUTY), [*sorted(hours), 401, 402])

    steps = [what for what, _ in found]
    assert len(steps) == len(set(steps))
    assert steps[-1] == "escalated"


def test_once_escalated_the_officer_may_relay_too() -> None:
    """Whatever waits too long is the officer's concern."""
    of = active(coordinator())

    assert not may_relay(POLICE, of, waiting(), NOW)
    assert may_relay(POLICE, of, rules.escalate(waiting(), NOW), NOW)


@pytest.mark.parametrize("hours", [(0, 1, 2), (2, 1, 3), (1, 3, 2), (1, 1, 2)])
def test_times_that_are_not_each_later_are_refused(hours: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="remind_after"):
        RelayTimes(*(timedelta(hours=hour) for hour in hours))


def tip() -> BulletinRecord:
    step = Step(what="suggested", at=NOW, by="town-1")
    return bulletin().model_copy(
        update={"state": "suggested", "origin": "municipality", "timeline": (step,)}
    )


def adopted(edit: Edit, now: datetime = NOW) -> BulletinRecord:
    return rules.adopt(tip(), "officer-1", edit, by="police-1", now=now, times=RELAY_TIMES)


def test_an_adopted_tip_waits_as_prevention_with_the_officers_words() -> None:
    """Rules text: "adopts (edits, then it waits for the coordinator as `prevention`)"."""
    done = adopted(Edit(body={"nl": "Beter zo.", "fr": "Mieux ainsi."}))

    assert (done.state, done.kind, done.issued_by) == ("waiting", "prevention", "officer-1")
    assert done.body["nl"] == "Beter zo."
    assert done.subject == tip().subject
    assert done.waits_since == NOW
    assert [step.what for step in done.timeline] == ["suggested", "adopted"]


def test_a_tip_is_nobodys_to_relay_before_it_is_adopted() -> None:
    """Only the police write about crime."""
    with pytest.raises(Conflict):
        rules.release(tip(), active(coordinator()), "coordinator-1", NOW)


def test_a_declined_tip_stays_declined_with_its_reason() -> None:
    """Rules text: "or declines with a reason"."""
    done = rules.decline(tip(), "police-1", "geen lokale aanleiding", NOW)

    assert (done.state, done.timeline[-1].reason) == ("declined", "geen lokale aanleiding")
    assert rules.decline(done, "police-1", "iets anders", NOW) is done
    with pytest.raises(Conflict):
        rules.adopt(done, "officer-1", Edit(), by="police-1", now=NOW, times=RELAY_TIMES)


def test_an_edit_that_loses_a_language_or_ends_in_the_past_is_refused() -> None:
    for edit, field in (
        (Edit(body={"nl": "Alleen Nederlands."}), "body"),
        (Edit(expires_at=NOW), "expires_at"),
    ):
        with pytest.raises(Invalid) as refused:
            adopted(edit)
        assert refused.value.field == field
    with pytest.raises(Conflict):
        adopted(Edit(), NOW + timedelta(days=15))


def test_what_is_open_ends_with_its_network_and_what_ended_stays() -> None:
    """Rules text: "Dissolving informs the zone, stops every message"."""
    for found in (tip(), waiting()):
        done = rules.withdraw_with_network(found, NOW)
        assert (done.state, done.chase_at) == ("withdrawn", None)
    released = rules.release(waiting(), active(coordinator()), "coordinator-1", NOW)
    assert rules.withdraw_with_network(released, NOW) is released
