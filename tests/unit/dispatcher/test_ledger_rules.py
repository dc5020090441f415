"""What evidence does to a send: the transition table, and the folding of reports."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain import states
from services.dispatcher.domain.ledger import AttemptRow, Evidence, Row, event_id, learn
from services.dispatcher.domain.message import MessageKey
from services.dispatcher.domain.permission import may_begin
from services.dispatcher.domain.states import TRANSITIONS, Cause, IllegalTransition, check
from shared.contracts.base import Channel, Lane, MessageType, SendState

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def row(*attempts: AttemptRow, state: SendState = SendState.ATTEMPTING) -> Row:
    return Row(
        send_id="5f1d3c0e-8b57-4d0c-9a43-2f6c1f8f7c12",
        key=MessageKey("demo", MessageType.ALERT, "a"),
        lane=Lane.WARM,
        channel=Channel.SMS,
        destination="+32450000001",
        member_ids=("m",),
        network_ids=("n",),
        language="nl",
        recipient="0" * 64,
        recipient_year=2026,
        sender_name="BIN",
        reply_to=None,
        unsubscribe_token=None,
        segments=1,
        template="alert",
        expires_at=NOW + timedelta(minutes=30),
        state=state,
        attempts=attempts,
    )


def attempt(number: int = 1, state: SendState = SendState.ATTEMPTING) -> AttemptRow:
    return AttemptRow(number, NOW, state, flagged=number > 1)


def told(cause: Cause, state: SendState) -> Evidence:
    return Evidence(cause, state, NOW, reference="SM1")


OUTCOMES = [
    told(Cause.ACCEPTED, SendState.ACCEPTED),
    told(Cause.UNCERTAIN, SendState.UNKNOWN),
    told(Cause.RECEIPT, SendState.ACCEPTED),
    told(Cause.RECEIPT, SendState.UNDELIVERED),
    told(Cause.RECEIPT, SendState.DELIVERED),
]


@given(st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=8))
def test_reports_in_any_order_and_number_end_in_the_best_of_them(reports: list[Evidence]) -> None:
    """An answer, its time-out and receipts, overtaking each other or doubled."""
    current = row(attempt())
    for report in reports:
        current = learn(current, 1, report) or current
    order = (
        SendState.UNKNOWN, SendState.ACCEPTED, SendState.UNDELIVERED, SendState.DELIVERED,
    )  # fmt: skip
    assert current.state is max((report.state for report in reports), key=order.index)
    assert learn(current, 1, reports[-1]) is None


EVERYTHING = [
    *OUTCOMES,
    told(Cause.REFUSED, SendState.FAILED),
    told(Cause.NOT_SENT, SendState.PLANNED),
    told(Cause.TOO_LATE, SendState.PLANNED),
    told(Cause.LEASE_OVER, SendState.UNKNOWN),
]


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2]), st.sampled_from(EVERYTHING)), min_size=1, max_size=10
    )
)
def test_a_second_attempt_shows_the_best_of_both_and_only_legal_changes(
    reports: list[tuple[int, Evidence]],
) -> None:
    current = row(attempt(1, SendState.UNKNOWN), attempt(2))
    seen = [current.state]
    for number, report in reports:
        current = learn(current, number, report) or current
        seen.append(current.state)
    shown = {one.state for one in current.attempts}
    if SendState.DELIVERED in shown:
        assert current.state is SendState.DELIVERED
    elif SendState.ACCEPTED in shown:
        assert current.state is SendState.ACCEPTED
    elif SendState.ATTEMPTING in shown:
        assert current.state in {SendState.ATTEMPTING, SendState.UNDELIVERED}
    for before, after in pairwise(seen):
        legal = any(after in moves.get(before, ()) for moves in TRANSITIONS.values())
        assert before is after or legal


def test_no_order_of_reports_whatever_leads_to_a_change_that_the_table_lacks() -> None:
    """Every state that one or two attempts can get into, and every report in each of them."""
    todo = [row(attempt()), row(attempt(1, SendState.UNKNOWN), attempt(2))]
    seen: set[tuple[SendState, ...]] = set()
    while todo:
        current = todo.pop()
        shape = (current.state, *(one.state for one in current.attempts))
        if shape in seen:
            continue
        seen.add(shape)
        for number in (1, 2):
            todo += [after for one in EVERYTHING if (after := learn(current, number, one))]
    assert len(seen) > 40


def test_a_second_attempt_that_was_not_sent_leaves_the_send_unknown() -> None:
    current = row(attempt(1, SendState.UNKNOWN), attempt(2))
    after = learn(current, 2, told(Cause.NOT_SENT, SendState.PLANNED))
    assert after is not None
    assert after.state is SendState.UNKNOWN


def test_a_second_attempt_that_was_refused_leaves_the_first_open() -> None:
    current = row(attempt(1, SendState.UNKNOWN), attempt(2))
    after = learn(current, 2, told(Cause.REFUSED, SendState.FAILED))
    assert after is not None
    assert after.state is SendState.UNKNOWN


def test_what_was_provably_not_sent_goes_back_and_hears_no_more_reports() -> None:
    after = learn(row(attempt()), 1, told(Cause.NOT_SENT, SendState.PLANNED))
    assert after is not None
    assert after.state is SendState.PLANNED
    assert learn(after, 1, told(Cause.RECEIPT, SendState.DELIVERED)) is None


@pytest.mark.parametrize("final", sorted(states.FINAL - {SendState.UNDELIVERED}))
def test_nothing_leaves_a_final_state(final: SendState) -> None:
    """But `undelivered`, which a late or overtaken report may still improve."""
    assert all(final not in moves for moves in TRANSITIONS.values())


def test_only_what_was_attempting_becomes_unknown() -> None:
    """Outside `recover`, which doubts what was planned or claimed as well."""
    origins = {
        before
        for cause, moves in TRANSITIONS.items()
        if cause is not Cause.RESTORE
        for before, afters in moves.items()
        if SendState.UNKNOWN in afters
    }
    assert origins == {SendState.ATTEMPTING}


def test_every_state_can_be_reached_and_an_illegal_change_is_refused() -> None:
    reached = {after for moves in TRANSITIONS.values() for s in moves.values() for after in s}
    assert reached == set(SendState)
    with pytest.raises(IllegalTransition):
        check(Cause.CLAIM, SendState.ACCEPTED, SendState.CLAIMED)
    with pytest.raises(IllegalTransition):
        check(Cause.START, SendState.PLANNED, SendState.ATTEMPTING)


@pytest.mark.parametrize(
    ("state", "channel", "asked", "over", "expected"),
    [
        (SendState.ACCEPTED, Channel.EMAIL, False, False, True),
        (SendState.ACCEPTED, Channel.SMS, False, True, False),
        (SendState.ACCEPTED, Channel.SMS, True, True, True),
        (SendState.UNKNOWN, Channel.SMS, False, False, False),
        (SendState.UNKNOWN, Channel.SMS, False, True, True),
        (SendState.PLANNED, Channel.SMS, False, True, False),
        (SendState.EXPIRED, Channel.SMS, False, True, True),
    ],
)
def test_what_counts_as_settled(
    state: SendState, channel: Channel, *, asked: bool, over: bool, expected: bool
) -> None:
    assert states.settled(state, channel, asked=asked, over=over) is expected


def test_an_events_id_derives_from_send_and_number() -> None:
    assert event_id("s", 1) == event_id("s", 1)
    assert len({event_id("s", 1), event_id("s", 2), event_id("t", 1)}) == 3


def test_evidence_about_an_attempt_that_there_was_not_is_nothing() -> None:
    assert learn(replace(row(attempt())), 2, OUTCOMES[0]) is None


@pytest.mark.parametrize(
    ("left", "since_check", "since_written", "begins"),
    [
        (0.001, 1.0, 2.0, True),
        (0.0, 0.0, 0.0, False),
        (60.0, 1.001, 0.5, False),
        (60.0, 0.5, 2.001, False),
    ],
)
def test_a_request_begins_before_expiry_on_a_fresh_check_and_a_fresh_write_only(
    left: float, since_check: float, since_written: float, *, begins: bool
) -> None:
    now = row().expires_at - timedelta(seconds=left)
    fresh = may_begin(row().expires_at, now, since_check=since_check, since_written=since_written)
    assert fresh is begins
