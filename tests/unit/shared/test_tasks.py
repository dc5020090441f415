"""How tasks end, on a clock that jumps from one turn to the next."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from shared.tasks import beside, end, to_the_end
from tests.support.jumping import jumping_loop


def run(work: Coroutine[Any, Any, None]) -> None:
    with jumping_loop() as loop:
        loop.run_until_complete(asyncio.wait_for(work, 60))


def test_a_task_that_lost_its_cancellation_is_ended_all_the_same() -> None:
    """As a database's driver loses it: the answer comes together with the cancellation."""
    lost = 0

    async def waits(answer: asyncio.Future[None]) -> None:
        nonlocal lost
        while True:
            try:
                await answer
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    async def story() -> None:
        answer = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(waits(answer))
        await asyncio.sleep(0)
        answer.set_result(None)
        await end([task])
        assert task.cancelled()

    run(story())
    assert lost == 1


def test_a_task_that_fails_ends_the_others_and_the_block() -> None:
    ended: list[str] = []

    async def works() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def fails() -> None:
        await asyncio.sleep(1)
        raise ValueError

    async def story() -> None:
        async with beside([works, fails]):
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("block")

    with pytest.raises(ExceptionGroup) as raised:
        run(story())
    assert raised.group_contains(ValueError)
    assert sorted(ended) == ["block", "task"]


def test_what_must_not_be_cut_off_ends_however_often_its_task_is_cancelled() -> None:
    done: list[bool] = []

    async def drain() -> None:
        await asyncio.sleep(10)
        done.append(True)

    async def works() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await to_the_end(drain())

    async def story() -> None:
        async with beside([works]):
            await asyncio.sleep(0)

    run(story())
    assert done == [True]
