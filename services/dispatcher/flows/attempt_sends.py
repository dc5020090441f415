"""Attempt claimed sends: rate token and connection first, `attempting` next, the request last."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

import structlog
from prometheus_client import Counter, Gauge
from pymongo.errors import PyMongoError

from services.dispatcher.domain.pace import Pace
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.flows.claim_sends import ClaimSends, Ready
from services.dispatcher.flows.record_outcomes import RecordOutcomes, TooLate
from services.dispatcher.senders.base import (
    Accepted,
    Delivery,
    NotSent,
    Outcome,
    Sender,
    Unknown,
    attempt_id,
)
from services.dispatcher.store.ledger import Ledger
from shared.clock import Clock
from shared.failures import Retryable

ATTEMPTS = Counter("buurtbode_attempts", "Attempts by outcome", ["lane", "provider", "outcome"])
RUNNING = Gauge("buurtbode_attempts_running", "Attempts under way", ["lane", "provider"])

_BEGIN_WITHIN = 2.0
"""Seconds from writing `attempting` to the request's beginning, by a monotonic clock."""

_FRESH = 0.7
"""A check older than this is made again, so that it is never a second old at the attempt."""

_MARGIN = timedelta(seconds=5)
_DRAIN = 10.0
_LATER = timedelta(seconds=1)


class Lanes:
    """One provider as one lane uses it: free connections, and its pace."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        """Start with everything free."""
        self.sender = sender
        self.pace = Pace(sender.rate, clock.monotonic())
        self.free = sender.concurrency
        self.queue: deque[Ready] = deque()
        self._clock = clock

    def room(self) -> int:
        """Give how many attempts may begin now."""
        return min(self.free, self.pace.available(self._clock.monotonic()))

    def take(self, count: int) -> None:
        """Hold connections and rate tokens."""
        self.free -= count
        self.pace.take(count, self._clock.monotonic())

    def give_back(self, count: int) -> None:
        """Return both, for what did not begin."""
        self.free += count
        self.pace.give_back(count)


class AttemptSends:
    """The worker of one lane and channel. Several processes may run one each."""

    def __init__(
        self,
        *,
        claims: ClaimSends,
        ledger: Ledger,
        sender: Sender,
        test_sender: Sender,
        outcomes: RecordOutcomes,
        clock: Clock,
        interval: timedelta,
    ) -> None:
        """Wire; `interval` is how often it looks for sends of which nobody told it."""
        self._claims = claims
        self._ledger = ledger
        self._actual = Lanes(sender, clock)
        self._test = Lanes(test_sender, clock)
        self._outcomes = outcomes
        self._clock = clock
        self._interval = interval.total_seconds()
        self._woken = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._step: asyncio.Task[bool] | None = None
        self._logger = structlog.get_logger(lane=claims.lane, part=str(claims.channel))

    def wake(self) -> None:
        """Have it look for work now."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; then finish what has begun."""
        recording = asyncio.create_task(self._outcomes.run())
        try:
            await self._work(recording)
        finally:
            await self._drain()
            recording.cancel()
            await asyncio.gather(recording, return_exceptions=True)
            await self._outcomes.flush()

    async def _work(self, recording: asyncio.Task[None]) -> None:
        failures = 0
        while True:
            if recording.done():
                await recording
            self._woken.clear()
            # a step that is cut off could leave `attempting` rows without a request
            self._step = asyncio.create_task(self.step())
            try:
                busy = await asyncio.shield(self._step)
                failures = 0
            except (PyMongoError, Retryable) as error:
                failures += 1
                self._logger.warning("tries again", error=type(error).__name__, failures=failures)
                await asyncio.sleep(min(0.1 * 2**failures, 5.0))
                continue
            if not busy:
                await self._rest()

    async def _rest(self) -> None:
        """Wait for a free connection, a rate token or new work, whichever comes first."""
        waits = self._interval
        if self._actual.free and not self._actual.room():
            waits = min(waits, self._actual.pace.wait(self._clock.monotonic()))
        try:
            async with asyncio.timeout(max(waits, 0.001)):
                await self._woken.wait()
        except TimeoutError:
            return

    async def step(self) -> bool:
        """Claim and begin as much as fits now; tell whether there may be more to do at once."""
        claimed = 0
        if self._actual.room() and len(self._actual.queue) < self._wanted() / 2:
            claimed = await self._claim(self._wanted() - len(self._actual.queue))
        begun = await self._begin(self._actual)
        begun += await self._begin(self._test)
        await self._put_back_tests()
        return claimed + begun > 0

    def _wanted(self) -> int:
        """Say how many claimed sends to have in hand.

        A claim costs the same for one as for many; but what is claimed is out of the reach of other
        processes, so it is no more than will have begun within about a second.
        """
        sender = self._actual.sender
        return max(1, min(sender.concurrency, int(sender.rate)))

    async def _claim(self, most: int) -> int:
        claimed, ready = await self._claims.claim(most)
        for one in ready:
            (self._test if one.is_test else self._actual).queue.append(one)
        return claimed

    async def _put_back_tests(self) -> None:
        """Give tests back that the sandbox has no room for: they must not hold up what is real."""
        most = self._test.sender.concurrency
        if len(self._test.queue) > most:
            late = [self._test.queue.pop() for _ in range(len(self._test.queue) - most)]
            await self._claims.release([one.row for one in late], _LATER)

    async def _begin(self, lane: Lanes) -> int:
        batch = [lane.queue.popleft() for _ in range(min(lane.room(), len(lane.queue)))]
        if not batch:
            return 0
        batch = await self._checked(batch)
        lane.take(len(batch))
        began = self._clock.monotonic()
        try:
            started = await self._ledger.start(
                [one.row for one in batch], lane.sender.longest + _MARGIN
            )
        except BaseException:
            lane.give_back(len(batch))
            raise
        lane.give_back(len(batch) - len(started))
        by_id = {one.row.send_id: one for one in batch}
        for row in started:
            one = by_id[row.send_id]
            delivery = Delivery(
                attempt_id(row.send_id, len(row.attempts)),
                row,
                one.message,
                row.destination or "",
            )
            self._spawn(lane, delivery, began)
        return len(batch)

    async def _checked(self, batch: Sequence[Ready]) -> list[Ready]:
        oldest = min(one.checked for one in batch)
        if self._clock.monotonic() - oldest < _FRESH:
            return list(batch)
        return await self._claims.check([one.row for one in batch])

    def _spawn(self, lane: Lanes, delivery: Delivery, began: float) -> None:
        task = asyncio.create_task(self._attempt(lane, delivery, began))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _attempt(self, lane: Lanes, delivery: Delivery, began: float) -> None:
        labels = (str(self._claims.lane), lane.sender.name)
        RUNNING.labels(*labels).inc()
        try:
            if self._clock.monotonic() - began > _BEGIN_WITHIN:
                outcome: Outcome | TooLate = TooLate()
            else:
                outcome = await self._send(lane.sender, delivery)
        finally:
            RUNNING.labels(*labels).dec()
            lane.free += 1
            self._woken.set()
        if isinstance(outcome, NotSent) and outcome.everyone:
            lane.pace.refused(self._clock.monotonic(), outcome.retry_after)
        elif isinstance(outcome, Accepted):
            lane.pace.worked()
        ATTEMPTS.labels(*labels, type(outcome).__name__).inc()
        self._outcomes.add(delivery.row, outcome)

    async def _send(self, sender: Sender, delivery: Delivery) -> Outcome:
        try:
            return await sender.send(delivery)
        except Exception as error:  # noqa: BLE001 - one bad message must not stop the others
            self._logger.error("fault in a sender", error=type(error).__name__)  # noqa: TRY400
            return Unknown(SendReason.SENDER_FAULT)

    async def _drain(self) -> None:
        """Put back what has not begun, and wait for what has."""
        if self._step is not None:
            await asyncio.gather(self._step, return_exceptions=True)
        rows = [one.row for lane in (self._actual, self._test) for one in lane.queue]
        try:
            await self._claims.release(rows, timedelta(0))
        except (PyMongoError, Retryable):
            self._logger.warning("leaves claimed sends to their lease", count=len(rows))
        if self._running:
            await asyncio.wait(self._running, timeout=_DRAIN)
