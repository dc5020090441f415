"""Quiet hours by the clock on the wall in Brussels, over midnight and through summer time."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.dispatcher.domain.quiet import quiet_until
from shared.contracts.registry import QuietHours

TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(lambda n: BEGINNING + timedelta(minutes=n))


def hours(start: str, end: str) -> QuietHours:
    return QuietHours(start=time.fromisoformat(start), end=time.fromisoformat(end))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22T21:30:00+00:00", "2026-11-23T06:00:00+00:00"),  # 22:30 in winter
        ("2026-07-01T20:30:00+00:00", "2026-07-02T05:00:00+00:00"),  # 22:30 in summer
        ("2026-11-22T20:59:59+00:00", None),
        ("2026-11-22T06:00:00+00:00", None),  # the end is outside
        ("2026-03-28T22:00:00+00:00", "2026-03-29T05:00:00+00:00"),  # the night of 23 hours
        ("2026-10-24T21:00:00+00:00", "2026-10-25T06:00:00+00:00"),  # the night of 25 hours
    ],
)
def test_a_night_ends_at_its_time_on_the_wall(now: str, until: str | None) -> None:
    found = quiet_until(hours("22:00", "07:00"), datetime.fromisoformat(now))
    assert found == (None if until is None else datetime.fromisoformat(until))


@given(now=MOMENTS, start=TIMES, end=TIMES)
@example(now=datetime(2026, 10, 25, 1, 10, tzinfo=UTC), start=time(1), end=time(2, 30))
@example(now=datetime(2026, 3, 29, 0, 59, tzinfo=UTC), start=time(1), end=time(2, 30))
def test_the_end_comes_within_a_day_and_what_is_put_off_is_not_put_off_for_ever(
    now: datetime, start: time, end: time
) -> None:
    quiet = QuietHours(start=start, end=end)
    found = quiet_until(quiet, now)
    if found is None:
        return
    assert now < found <= now + timedelta(hours=25)
    again = quiet_until(quiet, found)  # only where the end is a time that this day does not have
    assert again is None or again <= now + timedelta(hours=50)
