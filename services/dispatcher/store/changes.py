"""Changes of sends, each written with its event, or not at all.

Each write names the version it saw and a state that its cause may start from; whoever lost a race
finds nothing to write to, reads again, and folds what it knows into what is there now.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pymongo import UpdateMany
from pymongo.errors import BulkWriteError

from services.dispatcher.domain.ledger import Evidence, Patience, Row, learn
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.states import UNSENT, Cause, check, is_event, settled
from services.dispatcher.store.closings import Closings
from services.dispatcher.store.events import SendEvents
from services.dispatcher.store.rows import (
    WITHOUT_EVENTS,
    changing,
    silent_now,
    to_row,
)
from shared.clock import Clock
from shared.contracts.base import Lane, SendState
from shared.mongo import Database, Document, Session, only_duplicates

_STOPPED = (Lane.WARM, SendState.FAILED, SendReason.STOPPED)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one row. `due`: when a planned one may be claimed again."""

    cause: Cause
    before: Row
    after: Row
    at: datetime
    due: datetime | None = None
    asked: bool = False
    """Whether the final receipt was asked for, so that `accepted` settles an SMS."""

    check_at: datetime | None = None
    """When to look at it again, where that is not what its state asks for anyway."""

    second: bool = False
    """Whether the one flagged second attempt may be made."""


class Changes:
    """Changes rows of the ledger, and reads them for that."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        closings: Closings,
        events: SendEvents,
        patience: Patience,
    ) -> None:
        """Bind."""
        self._sends = database["sends"]
        self._closings = closings
        self._clock = clock
        self._events = events
        self._patience = patience

    async def write(
        self, changes: Sequence[Change], session: Session | None = None
    ) -> list[Change]:
        """Write changes, each with its event, in one round trip; give those that lost a race.

        A lost change was not written: read the row again and decide anew. So does one whose
        provider id another send bound first (`is_anothers`).
        """
        if not changes:
            return []
        writes = [await self._update(change) for change in changes]
        matched = await self._bulk(writes, session)
        self._events.written(c.before.send_id for c in changes if _next_seq(c) > c.before.seq)
        # what settles without an event of its own would otherwise not be noticed
        quiet = {str(c.before.key) for c in changes if c.after.state is c.before.state}
        if quiet:
            await self._closings.reopen(quiet, self._clock.now(), session)
        lost = [] if matched == len(writes) else await self._lost(changes, session)
        if session is None:
            gone = {change.before.send_id for change in lost}
            await self._events.count(
                [c.after for c in changes if _is_told(c) and c.before.send_id not in gone]
            )
        return lost

    async def _bulk(self, writes: Sequence[UpdateMany], session: Session | None) -> int | None:
        """Give how many met their row; None where a provider id was bound already."""
        try:
            result = await self._sends.bulk_write(writes, ordered=False, session=session)
        except BulkWriteError as error:
            only_duplicates(error)
            return None
        return result.matched_count

    async def _lost(self, changes: Sequence[Change], session: Session | None) -> list[Change]:
        versions = {
            item["_id"]: (item["v"], item["seq"], item["state"])
            async for item in self._sends.find(
                {"_id": {"$in": [change.before.send_id for change in changes]}},
                {"v": 1, "seq": 1, "state": 1},
                session=session,
            )
        }
        return [
            change
            for change in changes
            if versions.get(change.before.send_id)
            != (change.before.version + 1, _next_seq(change), str(change.after.state))
        ]

    async def _update(self, change: Change) -> UpdateMany:
        before, after = change.before, change.after
        moved = after.state is not before.state
        if moved:
            check(change.cause, before.state, after.state)
        update: Document = {"$set": changing(after), "$unset": {}}
        values = update["$set"]
        values["v"] = before.version + 1
        values["seq"] = _next_seq(change)
        if moved and is_event(after.state):
            event = await self._events.document(after, change.at, values["seq"])
            update["$push"] = {"events": event}
            values |= {"pending": True, "silent": []}
        elif moved:
            values["silent"].append(silent_now(after.state, change.at, len(after.attempts)))
        values |= self.duties(change, after)
        if after.destination is None and _references(after) - _references(before):
            values["forget"] = change.at  # the person was erased during the attempt
        if after.state not in {SendState.CLAIMED, SendState.ATTEMPTING}:
            update["$unset"] |= {"fence": "", "held": "", "lease": ""}
        if after.state in UNSENT:  # whoever waits behind it is next
            update["$unset"] |= {"base": "", "behind": "", "freed": ""}
        update["$unset"] |= {name: "" for name in ("check_at", "second") if name not in values}
        where = {"_id": before.send_id, "v": before.version, "state": str(before.state)}
        # it meets one row at most; but an `UpdateOne` is a retryable write, which costs the server
        # a second one, into the session's record; and here a change that was made already is told
        # from one that was lost
        return UpdateMany(where, update)

    def duties(self, change: Change, after: Row) -> Document:
        """Say what still has to be done with a row in its new state."""
        over = change.at >= after.expires_at
        done = settled(after.state, after.channel, asked=change.asked, over=over)
        duties: Document = {"settled": done}
        check_at = change.check_at
        if check_at is None and not change.second:
            check_at = self._check_at(change, after, done=done)
        if check_at is not None:
            duties["check_at"] = check_at
        if change.second:
            duties["second"] = True
        if (after.lane, after.state, after.reason) == _STOPPED:
            duties["fall_back"] = True
        if after.state is SendState.PLANNED:
            duties["due"] = change.due or change.at
        return duties

    def _check_at(self, change: Change, after: Row, *, done: bool) -> datetime | None:
        if after.state is SendState.UNKNOWN and not done:
            return change.at + self._patience.reconcile
        if after.state is SendState.ACCEPTED and not done:
            return after.expires_at + self._patience.receipt
        return None

    async def committed(self, changes: Sequence[Change]) -> None:
        """Count changes of a transaction, and have their events published, now that they hold."""
        await self._events.count([change.after for change in changes if _is_told(change)])
        self._events.on_event()

    async def learn(self, send_id: str, number: int, evidence: Evidence) -> Row | None:
        """Fold evidence into a send, whatever else happens to it meanwhile.

        Gives the row as it is afterwards; None where there is no such send or attempt.
        """
        while True:
            row = await self.get(send_id)
            if row is None or not 1 <= number <= len(row.attempts):
                return None
            after = learn(row, number, evidence)
            if after is None:
                return row
            if not await self.write([Change(evidence.cause, row, after, evidence.at)]):
                return after
            if await self.is_anothers(evidence.reference, send_id):
                if evidence.found:
                    return row
                # it was told of this attempt all the same
                evidence = replace(evidence, reference=None)

    async def learn_all(self, reports: Sequence[tuple[str, int, Evidence]]) -> list[bool]:
        """Fold many reports, in order per send; tell of each whether there is such an attempt."""
        rows = await self.rows({send_id for send_id, _, _ in reports})
        known = [_has(rows.get(send_id), number) for send_id, number, _ in reports]
        left = [report for report, is_known in zip(reports, known, strict=True) if is_known]
        while left:
            changes: dict[str, Change] = {}
            later: list[tuple[str, int, Evidence]] = []
            for report in left:
                send_id, number, evidence = report
                if send_id in changes:
                    later.append(report)
                elif after := learn(rows[send_id], number, evidence):
                    changes[send_id] = Change(evidence.cause, rows[send_id], after, evidence.at)
            lost = {change.before.send_id for change in await self.write(list(changes.values()))}
            again = [
                await self._as_its_own(report)
                for report in left
                if report[0] in lost and report not in later
            ]
            left = again + later
            if left:
                rows |= await self.rows({send_id for send_id, _, _ in left})
        return known

    async def _as_its_own(self, report: tuple[str, int, Evidence]) -> tuple[str, int, Evidence]:
        send_id, number, evidence = report
        if await self.is_anothers(evidence.reference, send_id):
            evidence = replace(evidence, reference=None)
        return send_id, number, evidence

    async def is_anothers(self, reference: str | None, send_id: str) -> bool:
        """Tell whether a provider id is bound to another send: it can be bound to one only."""
        query = {"references": reference, "_id": {"$ne": send_id}}
        return reference is not None and await self._sends.find_one(query, {"_id": 1}) is not None

    async def rows(self, ids: Collection[str]) -> dict[str, Row]:
        """Give the rows that there are of these sends."""
        found = self._sends.find({"_id": {"$in": list(ids)}}, WITHOUT_EVENTS)
        return {item["_id"]: to_row(item) async for item in found}

    async def get(self, send_id: str) -> Row | None:
        """Give one row."""
        found = await self._sends.find_one({"_id": send_id}, WITHOUT_EVENTS)
        return None if found is None else to_row(found)


def ended(cause: Cause, row: Row, state: SendState, reason: str | None, at: datetime) -> Change:
    """Give the change that ends a send without an attempt."""
    return Change(cause, row, replace(row, state=state, reason=reason, fence=None), at)


def back(cause: Cause, row: Row, at: datetime, due: datetime | None = None) -> Change:
    """Give the change that puts a claimed send back."""
    after = replace(row, state=SendState.PLANNED, reason=None, fence=None)
    return Change(cause, row, after, at, due=due)


def _has(row: Row | None, number: int) -> bool:
    return row is not None and 1 <= number <= len(row.attempts)


def _references(row: Row) -> set[str | None]:
    return {attempt.reference for attempt in row.attempts} - {None}


def _is_told(change: Change) -> bool:
    """Tell whether the metrics count a change: every event, and what was provably not sent."""
    if change.after.state is change.before.state:
        return False
    not_sent = change.after.state is SendState.PLANNED and change.after.reason is not None
    return not_sent or is_event(change.after.state)


def _next_seq(change: Change) -> int:
    moved = change.after.state is not change.before.state
    return change.before.seq + (1 if moved and is_event(change.after.state) else 0)
