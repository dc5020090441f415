"""Attempt claimed sends: rate token and connection first, `attempting` next, the request last."""

import asyncio
import math
from collections import Counter as Counted
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from prometheus_client import Counter, Gauge
from pymongo.errors import PyMongoError

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.pace import Bucket, Pace
from services.dispatcher.domain.permission import begin_by, may_begin
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.flows.claim_sends import ClaimSends, Ready
from services.dispatcher.flows.record_outcomes import RecordOutcomes
from services.dispatcher.senders.base import (
    Delivery,
    NotSent,
    Outcome,
    Sender,
    TooLate,
    Unknown,
    attempt_id,
)
from services.dispatcher.store.ledger import Ledger
from shared.clock import Clock
from shared.contracts.base import SendState
from shared.failures import Retryable
from shared.tasks import end, to_the_end

ATTEMPTS = Counter("buurtbode_attempts", "Attempts by outcome", ["lane", "provider", "outcome"])
RUNNING = Gauge("buurtbode_attempts_running", "Attempts under way", ["lane", "provider"])

_FRESH = 0.7
"""A check older than this is made again before `attempting` is written."""

_STILL_FRESH = 0.9
"""A check older than this after that write is made again too: a slow database must cost time, not
every attempt. The rest of the second is for the request to begin in."""

_GATHER_S = 0.005
"""What comes free within this begins together: `attempting` costs a write, for one as for many."""

_MARGIN = timedelta(seconds=5)
_DRAIN = 10.0
_LATER = timedelta(seconds=1)
_MOMENT_S = 0.5


class Lanes:
    """One provider as one lane uses it: free connections, and its pace."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        """Start with everything free."""
        self.sender = sender
        self.pace = Pace(sender.rate, clock.monotonic())
        self.free = sender.concurrency
        self.queue: deque[Ready] = deque()
        self._buckets: dict[str, Bucket] = {}
        """Of each number or name that sends, where the provider limits each."""

        self._clock = clock
        self._among = 1

    def share(self, among: int) -> None:
        """Take part of the provider's rates from now on, since so many processes use them."""
        self._among = among
        now = self._clock.monotonic()
        for bucket in (self.pace, *self._buckets.values()):
            bucket.share(among, now)

    def room(self) -> int:
        """Give how many attempts may begin now."""
        return min(self.free, self.pace.available(self._clock.monotonic()))

    def take(self) -> list[Ready]:
        """Take from the queue what may begin now, with its connections and rate tokens."""
        now = self._clock.monotonic()
        room, taken, blocked = self.room(), list[Ready](), list[Ready]()
        while self.queue and len(taken) < room:
            one = self.queue.popleft()
            bucket = self._bucket(one, now)
            if bucket is not None and not bucket.available(now):
                blocked.append(one)
                continue
            if bucket is not None:
                bucket.take(1, now)
            taken.append(one)
        self.queue.extendleft(reversed(blocked))
        self.free -= len(taken)
        self.pace.take(len(taken), now)
        return taken

    def give_back(self, left: Sequence[Ready]) -> None:
        """Return what was held for those that did not begin."""
        now = self._clock.monotonic()
        self.free += len(left)
        self.pace.give_back(len(left))
        for one in left:
            bucket = self._bucket(one, now)
            if bucket is not None:
                bucket.give_back(1)

    def take_slow(self) -> list[tuple[Row, timedelta]]:
        """Take from the queue those whose number or name has to wait longer than a moment.

        Each comes with how long: when its turn comes at that sender's own rate. They would fill
        the queue, and others wait with them.
        """
        if self.sender.rate_each is None:
            return []
        now = self._clock.monotonic()
        turns: Counted[str] = Counted()
        slow: list[tuple[Row, timedelta]] = []
        for _ in range(len(self.queue)):
            one = self.queue.popleft()
            bucket = self._bucket(one, now)
            turns[one.row.sender_name] += 1
            wait = 0.0 if bucket is None else bucket.wait(now, turns[one.row.sender_name])
            if wait > _MOMENT_S:
                slow.append((one.row, timedelta(seconds=wait)))
            else:
                self.queue.append(one)
        return slow

    def wait(self) -> float:
        """Give the seconds until something may begin, were there a connection."""
        now = self._clock.monotonic()
        waits = [
            0.0 if (b := self._bucket(one, now)) is None else b.wait(now) for one in self.queue
        ]
        return max(self.pace.wait(now), min(waits, default=0.0))

    def _bucket(self, one: Ready, now: float) -> Bucket | None:
        rate = self.sender.rate_each
        if rate is None:
            return None
        bucket = self._buckets.get(one.row.sender_name)
        if bucket is None:
            bucket = self._buckets[one.row.sender_name] = Bucket(rate, now)
            bucket.share(self._among, now)
        return bucket

    def note(self, outcome: Outcome) -> None:
        """Learn from an outcome how the provider does."""
        match outcome:
            case NotSent(_, retry_after, everyone=True):
                self.pace.refused(self._clock.monotonic(), retry_after)
            case Unknown():
                self.pace.unknown(self._clock.monotonic())
            case TooLate():
                self.pace.begins_anew()
            case _:
                self.pace.worked()


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
        self._claiming: asyncio.Task[None] | None = None
        self._writing: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        self._dropped: dict[str, str] = {}
        """Sends that an error kept from beginning, each with its fence."""

        self._look = True
        """Whether there may be something to claim, as far as anybody has told."""

        self._looked = -math.inf
        self._logger = structlog.get_logger(lane=claims.lane, part=str(claims.channel))

    def wake(self) -> None:
        """Have it look for work now."""
        self._look = True
        self._woken.set()

    def share(self, among: int) -> None:
        """Take part of the providers' rates from now on, since so many processes use them."""
        for lane in (self._actual, self._test):
            lane.share(among)

    async def run(self) -> None:
        """Work until cancelled; then finish what has begun."""
        recording = asyncio.create_task(self._outcomes.run())
        try:
            await self._work(recording)
        finally:
            await to_the_end(self._finish(recording))

    async def _finish(self, recording: asyncio.Task[None]) -> None:
        await self._drain()
        await end([recording])
        await self._outcomes.flush()

    async def _work(self, recording: asyncio.Task[None]) -> None:
        failures = 0
        while True:
            if recording.done():
                await recording
            self._woken.clear()
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
            if self._running and self._actual.free < self._actual.sender.concurrency // 8:
                await asyncio.sleep(_GATHER_S)

    async def _rest(self) -> None:
        """Wait for a free connection, a rate token or new work, whichever comes first."""
        waits = self._interval
        if self._actual.free and self._actual.queue:
            waits = min(waits, self._actual.wait())
        try:
            async with asyncio.timeout(max(waits, 0.001)):
                await self._woken.wait()
        except TimeoutError:
            return

    async def step(self) -> bool:
        """Begin what fits now, and see that the next are being claimed.

        Neither waits for the other, nor one batch for the one before: each costs two writes to
        the disk, and the connections would be idle meanwhile. Tells whether anything was begun.
        """
        self._raise_fault()
        await self._take_back()
        if self._should_claim():
            self._look = False
            self._looked = self._clock.monotonic()
            self._claiming = self._in_background(
                self._claim(self._wanted() - len(self._actual.queue))
            )
        begun = self._begin(self._actual) + self._begin(self._test)
        await self._put_back()
        return begun > 0

    async def _take_back(self) -> None:
        """Have at once what an error took out of hand: its lease would keep it for a minute.

        No request was begun for any of these, whatever became of the write before it.
        """
        unsure, dropped = set(self._claims.unsure), dict(self._dropped)
        if not unsure and not dropped:
            return
        held = [
            row
            for row in await self._ledger.claims.held_under(unsure | set(dropped.values()))
            if row.fence in unsure or row.send_id in dropped
        ]
        written = [row for row in held if row.state is SendState.ATTEMPTING]
        claimed = [row for row in held if row.state is not SendState.ATTEMPTING]
        await self._claims.release([(row, timedelta(0)) for row in claimed])
        for row in written:
            self._outcomes.add(row, TooLate())
        self._claims.unsure -= unsure
        for send_id in dropped:
            del self._dropped[send_id]
        self._look = True

    def _should_claim(self) -> bool:
        if self._claiming is not None or len(self._actual.queue) >= self._wanted() / 2:
            return False
        return self._look or self._clock.monotonic() - self._looked >= self._interval

    def _in_background(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._written)
        return task

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing.discard(task)
        if task is self._claiming:
            self._claiming = None
        if not task.cancelled() and task.exception() is not None:
            self._fault = task.exception()
        self._woken.set()

    def _raise_fault(self) -> None:
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    def _wanted(self) -> int:
        """Say how many claimed sends to have in hand.

        A claim costs the same for one as for many; but what is claimed is out of the reach of other
        processes, so it is no more than will have begun within about a second.
        """
        sender = self._actual.sender
        return max(1, min(2 * sender.concurrency, int(sender.rate)))

    async def _claim(self, most: int) -> None:
        claimed, ready = await self._claims.claim(most)
        for one in ready:
            (self._test if one.is_test else self._actual).queue.append(one)
        self._look = self._look or claimed > 0

    async def _put_back(self) -> None:
        """Give back what cannot begin soon, so that it is not in the way of others.

        Tests that the sandbox has no room for, and sends of a number or name with a long turn.
        """
        most = self._test.sender.concurrency
        back = [(self._test.queue.pop().row, _LATER) for _ in range(len(self._test.queue) - most)]
        if len(self._actual.queue) >= self._wanted() / 2:
            back += self._actual.take_slow()
        await self._claims.release(back)

    def _begin(self, lane: Lanes) -> int:
        batch = lane.take()
        if batch:
            self._in_background(self._start(lane, batch))
        return len(batch)

    async def _start(self, lane: Lanes, batch: Sequence[Ready]) -> None:
        """Write `attempting` for sends whose connections and tokens are held, and let them go."""
        left = {one.row.send_id: one for one in batch}
        try:
            batch = await self._checked(batch)
            began = self._clock.monotonic()
            started = await self._ledger.claims.start(
                [one.row for one in batch], lane.sender.longest + _MARGIN
            )
            going = await self._still_allowed(batch, started)
            for one in going:
                del left[one.row.send_id]
        except BaseException:
            self._dropped |= {one.row.send_id: one.row.fence or "" for one in left.values()}
            raise
        finally:
            lane.give_back(list(left.values()))
        for row in started:
            if row.send_id in left:  # the next claim finds out why, and records it
                self._outcomes.add(row, TooLate())
        for one in going:
            self._spawn(lane, one, began)

    async def _still_allowed(
        self, batch: Sequence[Ready], started: Sequence[Row]
    ) -> Sequence[Ready]:
        """Give, as they are now, those whose check holds; it is made again after a slow write."""
        checked = {one.row.send_id: one for one in batch}
        if not started:
            return []
        if self._clock.monotonic() - min(one.checked for one in batch) < _STILL_FRESH:
            return [replace(checked[row.send_id], row=row) for row in started]
        return await self._claims.look_again(started)

    async def _checked(self, batch: Sequence[Ready]) -> list[Ready]:
        oldest = min(one.checked for one in batch)
        if self._clock.monotonic() - oldest < _FRESH:
            return list(batch)
        return await self._claims.check([one.row for one in batch])

    def _spawn(self, lane: Lanes, one: Ready, began: float) -> None:
        task = asyncio.create_task(self._attempt(lane, one, began))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _attempt(self, lane: Lanes, one: Ready, began: float) -> None:
        row = one.row
        delivery = Delivery(
            attempt_id(row.send_id, len(row.attempts)),
            row,
            one.message,
            row.destination or "",
            begin_by=begin_by(checked=one.checked, written=began),
        )
        labels = (str(self._claims.lane), lane.sender.name)
        RUNNING.labels(*labels).inc()
        try:
            at = self._clock.monotonic()
            if may_begin(
                row.expires_at,
                self._clock.now(),
                since_check=at - one.checked,
                since_written=at - began,
            ):
                outcome: Outcome = await self._send(lane.sender, delivery)
            else:
                outcome = TooLate()
        finally:
            RUNNING.labels(*labels).dec()
            lane.free += 1
            self._woken.set()
        lane.note(outcome)
        ATTEMPTS.labels(*labels, type(outcome).__name__).inc()
        self._outcomes.add(row, outcome)

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
        # a write that is cut off could leave `attempting` rows without a request
        await asyncio.gather(*self._writing, return_exceptions=True)
        rows = [
            (one.row, timedelta(0)) for lane in (self._actual, self._test) for one in lane.queue
        ]
        try:
            await self._claims.release(rows)
            await self._take_back()
        except (PyMongoError, Retryable):
            self._logger.warning("leaves claimed sends to their lease", count=len(rows))
        if self._running:
            await asyncio.wait(self._running, timeout=_DRAIN)
