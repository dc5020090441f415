"""How long is waited after failures in a row."""

import pytest

from shared.failures import doubled


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0.2), (1, 0.4), (5, 6.4), (6, 10), (1023, 10), (1024, 10), (1_000_000, 10)],
)
def test_each_failure_doubles_the_wait_up_to_a_most_however_many_there_are(
    failures: int, seconds: float
) -> None:
    assert doubled(0.2, failures, 10.0) == pytest.approx(seconds)
