"""Claims: who may attempt which sends, for the length of a lease."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.dispatcher.domain.ledger import AttemptRow, Row, Silent
from services.dispatcher.domain.states import Cause, origins
from services.dispatcher.store.rows import WITHOUT_EVENTS, silent_now, to_row
from shared.clock import Clock
from shared.contracts.base import Channel, Lane, SendState
from shared.mongo import Database, Document

_HELD_NOW: Document = {"$currentDate": {"held": True}}
_LEASE_END: Document = {"$add": ["$held", "$lease"]}
"""A lease is on the database's clock. (A pipeline update could store its end, at three times the
cost of these operators.)"""

_TRIES = 5
_TICK = timedelta(milliseconds=1)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Place:
    """How far the sends of a lane and channel that are due have been read."""

    after: list[tuple[str, Any]] | None = None
    looked_back: float = -math.inf


class SendClaims:
    """Takes sends that are due under a fence, and notes that their attempts begin."""

    def __init__(self, database: Database, clock: Clock, look_back: timedelta) -> None:
        """Bind."""
        self._sends = database["sends"]
        self._clock = clock
        self._look_back = look_back
        self._places: dict[tuple[Lane, Channel], _Place] = {}

    async def take(
        self, lane: Lane, channel: Channel, most: int, lease: timedelta, fence: str
    ) -> list[Row]:
        """Take up to `most` sends that are due, under a fence, for the length of a lease.

        A fence is used for one claim only. Second attempts come first: they have waited longest.
        Those stay `unknown` meanwhile.
        """
        seconds = await self._claim_second(lane, channel, most, lease, fence)
        claimed: list[Row] = []
        if len(seconds) >= most:
            return seconds
        for _ in range(_TRIES):
            rows = await self._due(lane, channel, most - len(seconds), self._clock.now())
            claimed = await self._claim_these(rows, lease, fence)
            if claimed or not rows:  # else others were quicker: on to the next
                break
        return seconds + claimed

    async def _claim_these(self, rows: Sequence[Row], lease: timedelta, fence: str) -> list[Row]:
        if not rows:
            return []
        now = self._clock.now()
        count = 0
        for attempts, group in _by_attempts(rows).items():
            claimed = {
                "$set": {"state": "claimed", "fence": fence, "lease": _ms(lease)},
                "$inc": {"v": 1},
                "$push": {"silent": silent_now("claimed", now, attempts)},
                **_HELD_NOW,
            }
            # who changed since it was read is left to the next claim: so what was read is true
            written = await self._sends.update_many(
                {
                    "_id": {"$in": [row.send_id for row in group]},
                    "state": "planned",
                    "v": {"$lte": max(row.version for row in group)},
                },
                claimed,
            )
            count += written.modified_count
        if count == len(rows) and len({row.version for row in rows}) == 1:
            return [_claimed(row, fence, now) for row in rows]
        ids = [row.send_id for row in rows]
        return await self._held(ids, fence, SendState.CLAIMED)

    async def _due(self, lane: Lane, channel: Channel, most: int, now: datetime) -> list[Row]:
        """Read what is due, longest due first, on from where the last reading ended."""
        place = self._places.setdefault((lane, channel), _Place())
        lowest: list[Any] = [("lane", str(lane)), ("channel", str(channel))]
        beginning: list[tuple[str, Any]] = [("due", _LONG_AGO), ("_id", "")]
        at = self._clock.monotonic()
        if at - place.looked_back >= self._look_back.total_seconds():
            place.after, place.looked_back = None, at
        found = self._sends.find(
            {"state": "planned", "sendable": True, "due": {"$lte": now}}, WITHOUT_EVENTS
        )
        found = found.hint("in_turn").limit(most)
        upper: list[Any] = [*lowest, ("due", now + _TICK), ("_id", "")]
        found = found.min(lowest + (place.after or beginning)).max(upper)
        documents = await found.to_list()
        if documents:
            last = documents[-1]
            place.after = [("due", last["due"]), ("_id", last["_id"] + "\0")]
        return [to_row(document) for document in documents]

    async def _claim_second(
        self, lane: Lane, channel: Channel, most: int, lease: timedelta, fence: str
    ) -> list[Row]:
        query: Document = {
            "second": True,
            "state": "unknown",
            "lane": str(lane),
            "channel": str(channel),
            "fence": None,
        }
        ids = [i["_id"] async for i in self._sends.find(query, {"_id": 1}).limit(most)]
        if not ids:
            return []
        held = {"$set": {"fence": fence, "lease": _ms(lease)}, "$inc": {"v": 1}, **_HELD_NOW}
        await self._sends.update_many({**query, "_id": {"$in": ids}}, held)
        return await self._held(ids, fence, SendState.UNKNOWN)

    async def _held(self, ids: Sequence[str], fence: str, state: SendState) -> list[Row]:
        found = self._sends.find(
            {"_id": {"$in": list(ids)}, "fence": fence, "state": str(state)}, WITHOUT_EVENTS
        )
        return [to_row(item) async for item in found]

    async def held_under(self, fences: Collection[str]) -> list[Row]:
        """List what is held under fences, whatever became of the writes that took it."""
        found = self._sends.find(
            {"held": {"$exists": True}, "fence": {"$in": list(fences)}}, WITHOUT_EVENTS
        )
        return [to_row(item) async for item in found.hint("leased")]

    async def start(self, rows: Sequence[Row], longest: timedelta) -> list[Row]:
        """Write `attempting` for claimed rows, and give those that are still this process's.

        From here an attempt may have happened. The lease is renewed for `longest`, the longest
        that one can take.
        """
        by_claim: dict[tuple[str, SendState, int], list[Row]] = defaultdict(list)
        for row in rows:
            by_claim[row.fence or "", row.state, len(row.attempts)].append(row)
        started: list[Row] = []
        for (fence, state, attempts), group in by_claim.items():
            started += await self._start(group, fence, state, attempts + 1, longest)
        return started

    async def _start(
        self, rows: Sequence[Row], fence: str, state: SendState, number: int, longest: timedelta
    ) -> list[Row]:
        now = self._clock.now()
        ids = [row.send_id for row in rows]
        attempt = {
            "number": number,
            "at": now,
            "state": "attempting",
            "reason": None,
            "reference": None,
            "flagged": state is SendState.UNKNOWN,
        }
        written = await self._sends.update_many(
            {
                "_id": {"$in": ids},
                "fence": fence,
                "state": {"$in": sorted(origins(Cause.START) & {state})},
                "$expr": {"$gt": [_LEASE_END, "$$NOW"]},
            },
            {
                "$set": {"state": "attempting", "lease": _ms(longest)},
                "$inc": {"v": 1},
                "$push": {
                    "attempts": attempt,
                    "silent": silent_now("attempting", now, number),
                },
                "$unset": {"second": "", "check_at": ""},
                **_HELD_NOW,
            },
        )
        if written.modified_count == len(ids):
            return [_started(row, now, flagged=state is SendState.UNKNOWN) for row in rows]
        return await self._held(ids, fence, SendState.ATTEMPTING)

    async def lapsed(self, most: int) -> list[Row]:
        """List rows whose lease is over, on the database's clock."""
        found = self._sends.find(
            {"held": {"$exists": True}, "$expr": {"$lt": [_LEASE_END, "$$NOW"]}}, WITHOUT_EVENTS
        )
        return [to_row(item) async for item in found.hint("leased").limit(most)]


def _claimed(row: Row, fence: str, now: datetime) -> Row:
    return replace(
        row,
        state=SendState.CLAIMED,
        fence=fence,
        version=row.version + 1,
        silent=(*row.silent, Silent(SendState.CLAIMED, now, len(row.attempts))),
    )


def _started(row: Row, now: datetime, *, flagged: bool) -> Row:
    number = len(row.attempts) + 1
    return replace(
        row,
        state=SendState.ATTEMPTING,
        version=row.version + 1,
        attempts=(
            *row.attempts,
            AttemptRow(number, now, SendState.ATTEMPTING, flagged=flagged),
        ),
        silent=(*row.silent, Silent(SendState.ATTEMPTING, now, number)),
    )


def _by_attempts(rows: Iterable[Row]) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[len(row.attempts)].append(row)
    return groups


def _ms(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)
