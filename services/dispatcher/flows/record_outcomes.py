"""Record what became of attempts, many in one write."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from services.dispatcher.domain.ledger import Evidence, Row, learn
from services.dispatcher.domain.pace import Random, backoff
from services.dispatcher.domain.reasons import DEAD_MAILBOX, SendReason
from services.dispatcher.domain.states import Cause
from services.dispatcher.senders.base import Accepted, Failed, NotSent, Outcome, TooLate
from services.dispatcher.store.changes import Change
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.mailboxes import Mailboxes
from shared.clock import Clock
from shared.contracts.base import Channel, Lane, SendState
from shared.failures import Retryable

_PAUSES = {Lane.WARM: (1.0, 30.0), Lane.COLD: (5.0, 600.0)}
"""First and longest pause in seconds before a send that was not sent is tried again."""

_MOST = 1000
_GATHER_S = 0.01
"""What comes within this is written together: a write costs the same for one as for many."""


@dataclass(frozen=True, slots=True)
class _Done:
    row: Row
    outcome: Outcome
    at: datetime


class RecordOutcomes:
    """Gathers outcomes while a write is under way, and writes them together next."""

    def __init__(
        self, *, ledger: Ledger, mailboxes: Mailboxes, clock: Clock, random: Random
    ) -> None:
        """Wire."""
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._clock = clock
        self._random = random
        self._waiting: list[_Done] = []
        self._filled = asyncio.Event()
        self._logger = structlog.get_logger(part="outcomes")

    def add(self, row: Row, outcome: Outcome) -> None:
        """Take an attempt's outcome; the row is as it was when the attempt began."""
        self._waiting.append(_Done(row, outcome, self._clock.now()))
        self._filled.set()

    async def run(self) -> None:
        """Record until cancelled. A database that is away only delays it."""
        failures = 0
        while True:
            await self._filled.wait()
            if len(self._waiting) < _MOST // 10:
                await asyncio.sleep(_GATHER_S)
            self._filled.clear()
            try:
                await self.flush()
                failures = 0
            except (PyMongoError, Retryable) as error:
                failures += 1
                self._logger.warning("tries again", error=type(error).__name__, failures=failures)
                await asyncio.sleep(min(0.1 * 2**failures, 5.0))
                self._filled.set()

    async def flush(self) -> None:
        """Write everything that is waiting; what cannot be written waits on."""
        while self._waiting:
            batch = self._waiting[:_MOST]
            await self._record(batch)
            del self._waiting[: len(batch)]

    async def _record(self, batch: Sequence[_Done]) -> None:
        changes = [
            change for done in batch if (change := self._change(done.row, done, _evidence(done)))
        ]
        lost = {change.before.send_id for change in await self._ledger.changes.write(changes)}
        for done in batch:
            if done.row.send_id in lost:
                await self._again(done)
        dead = [done.row for done in batch if _is_dead(done)]
        await self._mailboxes.refused(dead, self._clock.now())

    async def _again(self, done: _Done) -> None:
        """Fold an outcome into what somebody else, a receipt perhaps, has made of the row."""
        evidence = _evidence(done)
        while True:
            row = await self._ledger.changes.get(done.row.send_id)
            change = None if row is None else self._change(row, done, evidence)
            if change is None or not await self._ledger.changes.write([change]):
                return
            if await self._ledger.changes.is_anothers(evidence.reference, done.row.send_id):
                # a reconciler took it for another send's; that it was accepted stays true
                evidence = replace(evidence, reference=None)

    def _change(self, row: Row, done: _Done, evidence: Evidence) -> Change | None:
        number = len(done.row.attempts)
        after = learn(row, number, evidence)
        if after is None:
            return None
        due = None
        second = False
        if evidence.state is SendState.PLANNED:
            due = done.at + self._pause(done)
            second = after.state is SendState.UNKNOWN  # the flagged attempt is still owed
        return Change(evidence.cause, row, after, done.at, due=due, second=second)

    def _pause(self, done: _Done) -> timedelta:
        if isinstance(done.outcome, TooLate):
            return timedelta(0)
        first, most = _PAUSES[done.row.lane]
        pause = backoff(len(done.row.attempts) - 1, first, most, self._random)
        asked = done.outcome.retry_after if isinstance(done.outcome, NotSent) else None
        return pause if asked is None else asked + timedelta(seconds=self._random(0.0, 1.0))


def _is_dead(done: _Done) -> bool:
    """Tell whether the provider says that there is no such mailbox."""
    refused = isinstance(done.outcome, Failed) and done.outcome.reason in DEAD_MAILBOX
    return refused and done.row.channel is Channel.EMAIL


def _evidence(done: _Done) -> Evidence:
    match done.outcome:
        case Accepted(reference):
            return Evidence(Cause.ACCEPTED, SendState.ACCEPTED, done.at, reference=reference)
        case Failed(reason):
            return Evidence(Cause.REFUSED, SendState.FAILED, done.at, reason)
        case NotSent(reason):
            return Evidence(Cause.NOT_SENT, SendState.PLANNED, done.at, reason)
        case TooLate():
            return Evidence(Cause.TOO_LATE, SendState.PLANNED, done.at, SendReason.TOO_LATE)
        case unknown:
            return Evidence(Cause.UNCERTAIN, SendState.UNKNOWN, done.at, unknown.reason)
