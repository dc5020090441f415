"""Go on after a backup was restored: take back what the topics know, and attempt none of it."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.restoring import forgotten, no_second_attempt, replayed
from services.dispatcher.domain.states import Cause
from services.dispatcher.flows.check_history import OWN_TOPICS, own_events
from services.dispatcher.flows.record_access import RecordAccess
from services.dispatcher.flows.restore_sends import Kept
from services.dispatcher.flows.wait_for_copy import COPY_TOPICS, CopyGate
from services.dispatcher.store.changes import Change
from services.dispatcher.store.closings import Closings
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Messages
from services.dispatcher.store.restored import Restored
from shared.callers import Caller
from shared.clock import Clock
from shared.contracts.base import SendState
from shared.failures import Retryable
from shared.kafka import Log
from shared.mongo import Client, Document, Session, transaction

_PAGE = 500


class NotRestored(Exception):  # noqa: N818 - an answer to a request
    """There is nothing to recover."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was taken back."""

    sends: int
    """Sends whose forgotten changes the ledger has again."""

    unknown: int
    """Sends that may have been attempted since the backup: reconciled, never attempted again."""

    messages: int
    """Messages that are planned anew, with what their events say."""


class RecoverLedger:
    """Every step may be done twice, so a recovery that was interrupted is simply begun again.

    The inputs rewind by themselves: their positions came back with the backup. Their records are
    read again, get the verdicts they had, and become messages whose sends come from `bin.sends`.
    """

    def __init__(
        self,
        *,
        restored: Restored,
        ledger: Ledger,
        messages: Messages,
        closings: Closings,
        gate: CopyGate,
        record: RecordAccess,
        log: Log,
        client: Client,
        clock: Clock,
    ) -> None:
        """Wire."""
        self._restored = restored
        self._ledger = ledger
        self._messages = messages
        self._closings = closings
        self._gate = gate
        self._record = record
        self._log = log
        self._client = client
        self._clock = clock
        self._turn = asyncio.Lock()
        self._logger = structlog.get_logger(flow="recover")

    async def __call__(self, caller: Caller, reason: str) -> Recovered:
        """Recover. Raises `NotRestored`, and `Retryable` while the copy is behind."""
        async with self._turn:
            return await self._recover(caller, reason)

    async def _recover(self, caller: Caller, reason: str) -> Recovered:
        if await self._restored.doubt() is None:
            raise NotRestored("the database knows of everything that was published")
        if not await self._gate.passed(await self._log.end_offsets(COPY_TOPICS)):
            raise Retryable("the copy of zones, networks and members is still being read")
        ends = await self._log.end_offsets(OWN_TOPICS)
        async with aclosing(self._log.read(await self._restored.marks(), ends)) as pages:
            async for records in pages:
                await self._restored.keep(list(own_events(records)))
        sends = await self._replay()
        unknown = await self._doubt_the_rest()
        messages = await self._plan_anew()

        async def work(session: Session) -> None:
            await self._restored.settle_doubt(session, ends)
            await self._record(
                caller, None, "change", "ledger.recover", reason=reason, session=session
            )

        await transaction(self._client, work)
        self._logger.warning("recovered", count=sends, size=unknown)
        return Recovered(sends, unknown, messages)

    async def _replay(self) -> int:
        """Bring the sends that the ledger has to what their events say."""
        count = 0
        page: list[list[Kept]] = []
        async for kept in self._restored.by_send():
            page.append(kept)
            if len(page) == _PAGE:
                count += await self._replay_page(page)
                page = []
        count += await self._replay_page(page)
        await self._ledger.recovery.take_places()
        return count

    async def _replay_page(self, page: Sequence[Sequence[Kept]]) -> int:
        rows = await self._ledger.changes.rows([kept[0][0].send_id for kept in page])
        changed: list[tuple[Row, list[Document]]] = []
        for kept in page:
            row = rows.get(kept[0][0].send_id)
            if row is not None:
                after = replayed(row, [event for event, _ in kept])
                new = [stored for event, stored in kept if event.seq > row.seq]
                changed.append((after, new))
        await self._ledger.recovery.replay([(row, new) for row, new in changed if new])
        await self._restored.done(rows)
        return len(changed)

    async def _doubt_the_rest(self) -> int:
        """Make unknown what may have been attempted since the backup without an event."""
        count, after = 0, None
        while rows := await self._ledger.recovery.in_doubt(after, _PAGE):
            after = rows[-1].send_id
            now = self._clock.now()
            changes: list[Change] = []
            for row in rows:
                doubtful = no_second_attempt(row)
                if row.state is not SendState.UNKNOWN:
                    since = row.silent[0].at if row.silent else now
                    doubtful = forgotten(row, since, now)
                changes.append(Change(Cause.RESTORE, row, doubtful, now))
            if await self._ledger.changes.write(changes):
                raise Retryable("the ledger changed during its recovery; begin it again")
            count += len(changes)
        await self._ledger.recovery.take_places()
        return count

    async def _plan_anew(self) -> int:
        """Have those messages planned anew whose plan, or whose sends, the database forgot."""
        lacking = set(await self._restored.left())
        count = 0
        async for key, marker in self._restored.markers():
            known = await self._messages.revision(key)
            if known is None:
                count += 1  # its record is read again, and finds the marker
                continue
            await self._closings.catch_up(key, marker.closed, marker.digest, marker.closed_at)
            if key in lacking or marker.revision > known:
                await self._messages.plan_restored(key, marker.revision)
                count += 1
        return count
