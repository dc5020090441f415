"""How one lane shares a provider: connections, the account's tokens, and each sender's own."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

from services.dispatcher.flows.attempt_sends import Lanes
from services.dispatcher.flows.claim_sends import Ready
from services.dispatcher.senders.base import Delivery, Known, NotSent, Outcome, Unknown
from shared.clock import Clock
from tests.unit.dispatcher.test_events import MESSAGE
from tests.unit.dispatcher.test_ledger_rules import row


@dataclass
class Limited:
    """A provider by its limits only."""

    concurrency: int = 8
    rate: float = 100.0
    rate_each: float | None = 2.0
    name: str = "limited"
    longest: timedelta = timedelta(seconds=1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return

    async def send(self, delivery: Delivery) -> Outcome:
        raise NotImplementedError(delivery.attempt_id)

    async def find(self, delivery: Delivery, since: object) -> list[Known]:
        raise NotImplementedError(delivery.attempt_id, since)

    async def fetch(self, reference: str) -> Known | None:
        raise NotImplementedError(reference)

    async def forget(self, reference: str) -> None:
        raise NotImplementedError(reference)


def ready(*senders: str) -> list[Ready]:
    return [
        Ready(replace(row(), send_id=f"{name}-{n}", sender_name=name), MESSAGE, 0.0)
        for n, name in enumerate(senders)
    ]


def lane_of(
    queue: list[Ready], rate_each: float | None = 2.0, now: list[float] | None = None
) -> Lanes:
    at = now or [100.0]
    lane = Lanes(Limited(rate_each=rate_each), Clock(monotonic=lambda: at[0]))
    lane.queue.extend(queue)
    return lane


def test_a_slow_number_holds_up_nobody_else_and_each_waits_for_its_own_turn() -> None:
    lane = lane_of(ready(*["long code"] * 6, "name", "name"))
    assert [one.row.sender_name for one in lane.take()] == ["long code"] * 2 + ["name"] * 2
    assert lane.free == 4
    assert lane.take() == []
    assert 0 < lane.wait() <= 0.5
    back = lane.take_slow()
    assert [pause.total_seconds() for _, pause in back] == [1.0, 1.5, 2.0]
    assert len(lane.queue) == 1  # the next in turn stays


def test_what_did_not_begin_gives_back_its_connection_and_its_tokens() -> None:
    lane = lane_of(ready("long code", "long code", "long code"))
    taken = lane.take()
    assert len(taken) == 2
    lane.give_back(taken)
    lane.queue.extendleft(reversed(taken))
    assert lane.free == 8
    assert len(lane.take()) == 2


def test_without_a_limit_of_its_own_a_sender_takes_all_connections() -> None:
    lane = lane_of(ready(*["name"] * 20), rate_each=None)
    assert len(lane.take()) == 8
    assert lane.take_slow() == []


def test_a_refusing_and_a_mute_provider_are_tried_by_one_attempt() -> None:
    """The breaker, as the worker feeds it."""
    now = [100.0]
    for outcomes in ([NotSent("rate_limited", everyone=True)], [Unknown("timed_out")] * 5):
        lane = lane_of(ready(*["name"] * 20), rate_each=None, now=now)
        for outcome in outcomes:
            lane.note(outcome)
        assert lane.take() == []
        now[0] += 1.0
        assert len(lane.take()) == 1
        assert lane.take() == []
