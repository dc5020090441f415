"""Rate tokens, rests and pauses."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain.coverage import seconds_until
from services.dispatcher.domain.pace import Pace, backoff
from services.dispatcher.domain.reasons import SMTP, TWILIO, Fault, SendReason, smtp, twilio
from tests.unit.dispatcher.test_mail import NOW


@given(st.lists(st.floats(0, 5), max_size=50), st.integers(1, 50))
def test_never_more_than_the_rate_and_one_second_of_burst(gaps: list[float], rate: int) -> None:
    now, used = 0.0, 0
    pace = Pace(rate, now)
    for gap in gaps:
        now += gap
        count = pace.available(now)
        pace.take(count, now)
        used += count
        assert used <= rate * (now + 1) + 1e-6


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 4)), max_size=50), st.integers(1, 50))
def test_those_who_share_a_rate_never_use_more_than_it_together(
    steps: list[tuple[float, int]], rate: int
) -> None:
    """Once all know how many they are: what they had saved before, and one each, comes on top."""
    now, used = 0.0, 0
    crew = [Pace(rate, now) for _ in range(4)]
    for pace in crew:
        pace.available(now)
        pace.share(4, now)
    for gap, number in steps:
        now += gap
        pace = crew[number - 1]
        count = pace.available(now)
        pace.take(count, now)
        used += count
        assert used <= rate * (now + 1) + len(crew) + 1e-6


def test_who_is_alone_again_has_the_whole_rate_again() -> None:
    pace = Pace(10, 0.0)
    pace.share(4, 0.0)
    assert pace.available(100.0) == 2
    pace.share(1, 100.0)
    assert pace.available(101.0) == 10


def test_a_refusing_provider_rests_longer_each_time_and_as_long_as_it_asks() -> None:
    pace = Pace(10, 0.0)
    pace.refused(0.0, None)
    first = pace.wait(0.0)
    pace.refused(first, None)
    assert pace.wait(first) > first
    pace.refused(100.0, timedelta(seconds=30))
    assert pace.available(129.0) == 0
    assert pace.available(130.0) == 1


def test_after_a_rest_one_attempt_tries_the_provider_before_all_do() -> None:
    """Half open: one at a time, until it works; a failure opens the circuit again, for longer."""
    pace = Pace(10, 0.0)
    pace.refused(0.0, None)
    assert pace.available(0.2) == 1
    pace.take(1, 0.2)
    assert pace.available(5.0) == 0
    assert pace.wait(5.0) > 1  # and nobody looks again and again meanwhile
    pace.refused(5.0, None)
    assert pace.wait(5.0) > 0.2
    assert pace.available(6.0) == 1
    pace.take(1, 6.0)
    pace.give_back(1)  # it did not begin, so another one may
    assert pace.available(6.0) == 1
    pace.take(1, 6.0)
    pace.begins_anew()  # nor did this one
    assert pace.available(6.0) == 1
    pace.worked()
    assert pace.available(7.0) == 10


def test_a_provider_that_nobody_understands_is_left_alone_after_five() -> None:
    """One that works in between begins the count anew."""
    pace = Pace(10, 0.0)
    for _ in range(4):
        pace.unknown(0.0)
    pace.worked()
    for _ in range(4):
        pace.unknown(0.0)
    assert pace.available(0.0) == 10
    pace.unknown(0.0)
    assert pace.available(0.0) == 0
    assert pace.available(0.2) == 1
    pace.take(1, 0.2)
    pace.unknown(0.3)  # the one that tried it
    assert pace.available(0.4) == 0


def test_those_under_way_together_count_as_one_refusal() -> None:
    pace = Pace(10, 0.0)
    for _ in range(100):
        pace.refused(0.0, None)
    assert pace.wait(0.0) < 0.5


def test_a_pause_is_full_jitter_below_a_cap() -> None:
    assert backoff(0, 1.0, 30.0, max) == timedelta(seconds=1)
    assert backoff(3, 1.0, 30.0, max) == timedelta(seconds=8)
    assert backoff(99, 1.0, 30.0, max) == timedelta(seconds=30)
    assert backoff(3, 1.0, 30.0, min) == timedelta(0)


def test_codes_are_a_closed_table_and_an_unknown_one_is_loud() -> None:
    assert twilio(21610) == (SendReason.STOPPED, Fault.PERMANENT)
    assert twilio(20003, 401)[1] is Fault.OURS
    assert twilio(429, 429) == (SendReason.RATE_LIMITED, Fault.TEMPORARY)
    assert twilio(99999, 400) == (SendReason.UNKNOWN_CODE, Fault.PERMANENT)
    assert smtp(450)[1] is Fault.TEMPORARY
    assert smtp(550)[1] is Fault.PERMANENT
    assert smtp(550, "5.7.1 not wanted here") == (SendReason.MAIL_REFUSED, Fault.PERMANENT)
    assert smtp(550, "5.1.1 nobody") == (SendReason.INVALID_ADDRESS, Fault.PERMANENT)
    assert smtp(552, "5.2.2 full") == (SendReason.MAILBOX_BUSY, Fault.PERMANENT)
    assert smtp(550, "4.7.1 or so") == (SendReason.MAILBOX_REFUSED, Fault.PERMANENT)
    assert smtp(451, "5.1.1 odd")[1] is Fault.TEMPORARY
    assert smtp(599) == (SendReason.UNKNOWN_CODE, Fault.PERMANENT)
    assert smtp(499) == (SendReason.UNKNOWN_CODE, Fault.TEMPORARY)
    assert all(code // 100 in {4, 5} for code in SMTP)
    assert all(reason is not SendReason.UNKNOWN_CODE for reason, _ in TWILIO.values())


def test_seconds_count_everyone_who_was_owed_the_message() -> None:
    accepted = [(NOW + timedelta(seconds=n), 10) for n in (1, 2, 3)]
    assert seconds_until(0.5, 40, accepted, NOW) == 2.0
    assert seconds_until(0.75, 40, accepted, NOW) == 3.0
    assert seconds_until(1.0, 40, accepted, NOW) is None
    assert seconds_until(1.0, 0, [], NOW) is None
