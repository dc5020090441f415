"""How long connections stand unused, and how a job keeps its time, on a clock that jumps."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from shared.failures import Retryable
from shared.service import Job, http_server
from tests.support.jumping import jumping_loop


def turns(interval: timedelta, seconds: float, *, fails: bool = False) -> list[float]:
    """Run a job for so long, and give when it had its turns."""
    found: list[float] = []

    async def once() -> bool:
        found.append(round(asyncio.get_running_loop().time(), 2))
        if fails:
            raise Retryable("away")
        return False

    with jumping_loop() as loop:
        loop.run_until_complete(_for(seconds, Job("job", once, interval).run))
    return found


async def _for(seconds: float, run: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await run()


@pytest.mark.parametrize(
    ("interval", "fails", "seconds", "expected"),
    [
        (timedelta(hours=1), False, 10_000, [0, 3600, 7200]),
        (timedelta(hours=1), True, 10_000, [0, 3600, 7200]),
        (timedelta(seconds=10), False, 35, [0, 10, 20, 30]),
        (timedelta(seconds=10), True, 100, [0, 20, 50, 80]),
        (timedelta(seconds=1), True, 100, [0, 2, 6, 14, 30, 60, 90]),
    ],
)
def test_a_job_has_its_turn_each_interval_and_backs_off_to_30_s_at_most(
    interval: timedelta, seconds: float, expected: list[float], *, fails: bool
) -> None:
    assert turns(interval, seconds, fails=fails) == pytest.approx(expected, abs=0.05)


def test_an_outage_of_days_does_not_end_a_job() -> None:
    """2 to the power of the failures would be no float any more."""
    assert len(turns(timedelta(seconds=1), 2 * 24 * 3600, fails=True)) > 2000


_LOAD_BALANCER_S = 60


def test_who_asks_closes_an_unused_connection_before_a_service_does() -> None:
    """Else a request may go out on one that is just being closed, and nobody answers it."""
    ours = http_server(FastAPI(), "127.0.0.1", 0).config.timeout_keep_alive
    assert ours > _LOAD_BALANCER_S > (httpx.Limits().keepalive_expiry or 0)
