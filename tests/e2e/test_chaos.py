"""The audit service killed, cut from the broker, and frozen while messages flow.

`python -m benchmarks audit_chaos` is the long form, with the database and the broker killed too.
"""

import random

import pytest

from tests.e2e.local_stack import LocalStack
from tests.support.chaos import weather


@pytest.mark.timeout(300)
def test_whatever_happens_to_it_the_log_equals_the_sandbox_one_to_one(
    stack: LocalStack, marker: str, numbers: list[str]
) -> None:
    account = weather(
        stack,
        marker,
        numbers,
        alerts=4,
        blows=["kill audit", "cut audit", "freeze audit"],
        chance=random.Random(7),  # noqa: S311 - the same moments in every run
        patience=150,
    )
    assert account.sms == 4 * len(numbers)
    assert account.twice == 0
