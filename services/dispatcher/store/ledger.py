"""The ledger: one document per send, in collection `sends`.

A change and its event are one write to one document, so neither is ever without the other. Each
write names the version it saw and a state that its cause may start from; whoever lost a race finds
nothing to write to, reads again, and folds what it knows into what is there now.
"""

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bson import Binary
from prometheus_client import Counter as Metric
from pymongo import UpdateMany
from pymongo.errors import BulkWriteError

from services.dispatcher.domain.events import EventIds, send_event
from services.dispatcher.domain.ledger import AttemptRow, Evidence, Row, Silent, learn
from services.dispatcher.domain.message import Message, MessageKey
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.send import PlannedSend
from services.dispatcher.domain.states import (
    UNDECIDED,
    UNSENT,
    Cause,
    check,
    is_event,
    origins,
    settled,
)
from services.dispatcher.store import joining
from services.dispatcher.store.rows import (
    GONE,
    WITHOUT_EVENTS,
    base,
    changing,
    row_of_plan,
    to_document,
    to_row,
)
from shared.clock import Clock
from shared.contracts.base import Channel, Lane, Language, MessageType, SendState, Status
from shared.failures import Retryable
from shared.mongo import Database, Document, Session

SENDS = Metric(
    "buurtbode_sends",
    "Sends by the state they came into, each counted once the ledger had it",
    ["lane", "channel", "state", "provider", "reason"],
)

MessageOf = Callable[[MessageKey], Awaitable[Message | None]]

_DUPLICATE_KEY = 11000
_PAGE = 1000
_HELD_NOW: Document = {"$currentDate": {"held": True}}
_LEASE_END: Document = {"$add": ["$held", "$lease"]}
"""A lease is on the database's clock. (A pipeline update could store its end, at three times the
cost of these operators.)"""

_TRIES = 5
_FRESH_MOST = 50_000
_TICK = timedelta(milliseconds=1)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_FREED, _FREED = 500, 5000
_CACHED = 256
_OPEN = (SendState.CLAIMED, SendState.ATTEMPTING, SendState.UNKNOWN)
_GOT_THROUGH = (SendState.ACCEPTED, SendState.DELIVERED, SendState.UNDELIVERED)
_STOPPED = (Lane.WARM, SendState.FAILED, SendReason.STOPPED)
_PERHAPS_THROUGH = (
    SendState.ATTEMPTING,
    SendState.UNKNOWN,
    SendState.ACCEPTED,
    SendState.DELIVERED,
)


class Reached(NamedTuple):
    """A destination that got an alert, or may have got it."""

    destination: str
    channel: Channel
    member_ids: tuple[str, ...]
    network_ids: tuple[str, ...]
    language: Language
    sender_name: str
    reply_to: str | None
    unsubscribe_token: str | None
    recipient: str | None
    recipient_year: int
    state: SendState


class Unpublished(NamedTuple):
    """Events of one send that Kafka has not acknowledged yet, oldest first."""

    send_id: str
    zone_id: str
    message: str
    message_id: str
    seq: int
    events: tuple[tuple[str, datetime, bytes], ...]


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


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the ledger waits before somebody looks at an open send again."""

    reconcile: timedelta = timedelta(seconds=5)
    """After a send became `unknown`."""

    receipt: timedelta = timedelta(minutes=10)
    """After the message's expiry, for the final receipt of an accepted SMS."""

    look_back: timedelta = timedelta(milliseconds=500)
    """Between two looks at a whole index from its beginning. The database keeps the entries of the
    last minutes after they are deleted, and passes over each on its way: thousands, while much is
    sent. So in between, reading goes on from where it was, or goes by id."""


@dataclass(slots=True)
class _Place:
    """How far the sends of a lane and channel that are due have been read."""

    after: list[tuple[str, Any]] | None = None
    looked_back: float = -math.inf


def _nobody() -> None:
    """Wake nobody: nobody asked."""


def _unnamed(_channel: Channel, _status: Status) -> str:
    """Name no provider: nobody told them."""
    return ""


class Ledger:
    """All sends, their states, and the events that are not acknowledged or agreed on yet."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        message_of: MessageOf,
        patience: Patience | None = None,
    ) -> None:
        """Bind; `message_of` gives a message's own data, which its events carry."""
        self._sends = database["sends"]
        self._closings = database["closings"]
        self._joiner = joining.Joiner(self._sends)
        self._clock = clock
        self._message_of = message_of
        self._patience = patience or Patience()
        self._messages: dict[MessageKey, Message] = {}
        self._places: dict[tuple[Lane, Channel], _Place] = {}
        self._fresh: dict[str, None] = {}
        """Sends with events that this process wrote and has not read to publish; kept short."""

        self._swept = -math.inf
        self.on_sendable: Callable[[], None] = _nobody
        self.on_event: Callable[[], None] = _nobody
        """Told when there is something to claim, or to publish; set by whoever wires."""

        self.provider_of: Callable[[Channel, Status], str] = _unnamed
        """Names the provider of a channel, for the metrics; set by whoever wires."""

    async def prepare(self) -> None:
        """Create the indexes. Partial ones stay small: they hold what still has to be done."""
        sends = self._sends
        await sends.create_index(
            [("message", 1), ("channel", 1), ("destination", 1)], unique=True, name="once"
        )
        await sends.create_index(
            [("base", 1), ("channel", 1), ("destination", 1)],
            unique=True,
            name="once_per_bulletin",
            partialFilterExpression={"base": {"$exists": True}},
        )
        await sends.create_index("behind", sparse=True, name="behind_another_network")
        await sends.create_index(
            [("lane", 1), ("channel", 1), ("due", 1), ("_id", 1)],
            name="in_turn",
            partialFilterExpression={"state": "planned", "sendable": True},
        )
        await sends.create_index("held", sparse=True, name="leased")
        await sends.create_index(
            "message", name="unpublished", partialFilterExpression={"pending": True}
        )
        await sends.create_index(
            "message", name="unsettled", partialFilterExpression={"settled": False}
        )
        await sends.create_index("check_at", sparse=True, name="to_check")
        await sends.create_index(
            [("lane", 1), ("channel", 1)],
            name="second_attempts",
            partialFilterExpression={"second": True},
        )
        await sends.create_index("references", unique=True, sparse=True, name="bound_once")
        await sends.create_index("members", name="members")
        await sends.create_index("forget", sparse=True, name="to_forget")
        await sends.create_index("fall_back", sparse=True, name="to_fall_back")

    # ---- planning

    async def plan(self, session: Session | None, sends: Sequence[PlannedSend]) -> int:
        """Store what is not there yet and give how many that were.

        Rows that are final from the start (suppressed, unreachable, expired) get their event. Of
        a bulletin, who has it through another network is stored as suppressed, and who may still
        get it waits behind that network's send. Raises `Retryable` where another process plans the
        same message right now.
        """
        new = await self._not_there(session, sends)
        if not new:
            return 0
        rows = [row_of_plan(send) for send in new]
        rows, waiting = await self._once_per_bulletin(session, rows)
        now = self._clock.now()
        documents = [await self._new_document(row, now) for row in rows]
        for document in documents:
            if document["_id"] in waiting:
                document["behind"] = document.pop("base")
        try:
            await self._sends.insert_many(documents, ordered=False, session=session)
        except BulkWriteError as error:
            if any(e.get("code") == _DUPLICATE_KEY for e in error.details.get("writeErrors", [])):
                raise Retryable("another process plans this message") from None
            raise
        await self._reopen({str(key) for key in {row.key for row in rows}}, session)
        with_events = [document["_id"] for document in documents if "events" in document]
        if with_events:
            self._has_events(with_events)
        if session is None:
            await self._count(rows)
        return len(documents)

    async def _count(self, rows: Iterable[Row]) -> None:
        """Count rows that came into their states; within a transaction nobody knows that yet."""
        tally = Counter((row.key, row.lane, row.channel, row.state, row.reason) for row in rows)
        for (key, lane, channel, state, reason), count in tally.items():
            message = await self._message(key)
            provider = self.provider_of(channel, message.status)
            SENDS.labels(lane, channel, state, provider, reason or "").inc(count)

    async def committed(self, changes: Sequence[Change]) -> None:
        """Count changes of a transaction, and have their events published, now that they hold."""
        await self._count([change.after for change in changes if _is_told(change)])
        self.on_event()

    def _has_events(self, send_ids: Iterable[str]) -> None:
        """Remember what is to be published; what is too much is found by looking."""
        if len(self._fresh) < _FRESH_MOST:
            self._fresh |= dict.fromkeys(send_ids)
        self.on_event()

    async def _not_there(
        self, session: Session | None, sends: Sequence[PlannedSend]
    ) -> list[PlannedSend]:
        """Give what is to be stored; what is there already learns whom it concerns too."""
        wanted: dict[tuple[str, str, str], PlannedSend] = {}
        names = {key: str(key) for key in {send.key for send in sends}}
        for send in sends:
            wanted.setdefault((names[send.key], str(send.channel), send.destination), send)
        there: list[joining.Joining] = []
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for message, channel, destination in wanted:
            groups[message, channel].append(destination)
        for (message, channel), destinations in groups.items():
            found = self._sends.find(
                {"message": message, "channel": channel, "destination": {"$in": destinations}},
                joining.FIELDS,
                session=session,
            )
            async for item in found:
                send = wanted.pop((message, channel, item["destination"]))
                there.append(joining.Joining(item, send))
        return [*wanted.values(), *await self._joiner.join(session, there)]

    async def _once_per_bulletin(
        self, session: Session | None, rows: Sequence[Row]
    ) -> tuple[list[Row], set[str]]:
        """Give the rows as they are to be stored, and the ids of those that wait."""
        elsewhere = await self._elsewhere(session, [row for row in rows if _bound(row)])
        waiting = {send_id for send_id, state in elsewhere.items() if state in UNDECIDED}
        has_it = elsewhere.keys() - waiting
        stored = [
            replace(row, state=SendState.SUPPRESSED, reason=SendReason.OTHER_NETWORK)
            if row.send_id in has_it
            else row
            for row in rows
        ]
        return stored, waiting

    async def _elsewhere(
        self, session: Session | None, rows: Sequence[Row]
    ) -> dict[str, SendState]:
        """Give, of rows whose person another network's send stands for, that send's state."""
        groups: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for row in rows:
            groups[base(row.key), str(row.channel)][row.destination or ""] = row.send_id
        states: dict[str, SendState] = {}
        for (name, channel), send_ids in groups.items():
            found = self._sends.find(
                {"base": name, "channel": channel, "destination": {"$in": list(send_ids)}},
                {"_id": 0, "destination": 1, "state": 1},
                session=session,
            )
            async for item in found:
                states[send_ids[item["destination"]]] = SendState(item["state"])
        return states

    async def _new_document(self, row: Row, now: datetime) -> Document:
        if row.state is SendState.PLANNED:
            document = to_document(row)
            document["silent"] = [_silent_now(SendState.PLANNED, now, 0)]
            document |= {"settled": False, "sendable": False, "due": now}
        else:
            new = replace(row, silent=(Silent(SendState.PLANNED, now, 0),))
            document = to_document(new)
            document |= {"silent": [], "seq": 1, "settled": True, "pending": True, "acked": 0}
            document["events"] = [await self._event(new, now, 1)]
        if _bound(row):
            document["base"] = base(row.key)
        return document

    async def _event(self, row: Row, at: datetime, seq: int) -> Document:
        message = self._messages.get(row.key) or await self._message(row.key)
        event_id_, value = send_event(row, message, at, seq)
        return {"id": event_id_, "seq": seq, "at": at, "value": Binary(value)}

    async def _message(self, key: MessageKey) -> Message:
        known = self._messages.get(key)
        if known is None:
            known = await self._message_of(key)
            if known is None:
                raise Retryable("the ledger has sends of a message that is not stored yet")
            if len(self._messages) >= _CACHED:
                self._messages.pop(next(iter(self._messages)))
            self._messages[key] = known
        return known

    async def make_sendable(self, key: MessageKey, revision: int) -> None:
        """Let the planned sends of a message be claimed: Kafka has its planned event.

        Opens the message's closing row too, so call it for a message without sends as well. The
        sends go free in parts, the first a small one, so that the first are on their way while
        most of a large audience is still being set free.
        """
        await self._open_closing(key, revision)
        for channel in Channel:
            size, after = _FIRST_FREED, ""
            while after is not None:
                after = await self._set_free(key, channel, after, size)
                self.on_sendable()
                size = _FREED

    async def _set_free(
        self, key: MessageKey, channel: Channel, after: str, size: int
    ) -> str | None:
        """Let the next `size` destinations be claimed; give the last, None where it was the end."""
        where: Document = {
            "message": str(key),
            "channel": str(channel),
            "destination": {"$gt": after},
        }
        found = self._sends.find(where, {"_id": 0, "destination": 1}).hint("once")
        ends = await found.sort("destination", 1).skip(size - 1).limit(1).to_list()
        last: str | None = ends[0]["destination"] if ends else None
        if last is not None:
            where["destination"]["$lte"] = last
        planned = {**where, "state": "planned", "sendable": False}
        if key.message_type is MessageType.BULLETIN:
            await self._sends.update_many(
                {**planned, "behind": {"$exists": True}}, {"$set": {"freed": True}}, hint="once"
            )
            planned["behind"] = {"$exists": False}
        await self._sends.update_many(
            planned,
            # from now on, so that who reads on from a place finds them behind it
            {"$set": {"sendable": True, "due": self._clock.now()}},
            hint="once",
        )
        return last

    async def _open_closing(self, key: MessageKey, revision: int) -> None:
        message = await self._message(key)
        await self._closings.update_one(
            {"_id": str(key)},
            {
                "$set": {"open": True, "planned": revision, "look_at": self._clock.now()},
                "$inc": {"stamp": 1},
                "$setOnInsert": {
                    "zone": key.zone_id,
                    "type": str(key.message_type),
                    "message_id": key.message_id,
                    "release": key.release,
                    "lane": str(message.lane),
                    "accepted_at": message.accepted_at,
                    "expires_at": message.expires_at,
                    "revision": 0,
                    "expired": False,
                },
            },
            upsert=True,
        )

    async def _reopen(self, messages: Collection[str], session: Session | None = None) -> None:
        """Have closing statements looked at again: something about these messages changed."""
        await self._closings.update_many(
            {"_id": {"$in": list(messages)}},
            {"$set": {"open": True, "look_at": self._clock.now()}, "$inc": {"stamp": 1}},
            session=session,
        )

    async def cancel_planned(
        self,
        session: Session | None,
        alert_key: MessageKey,
        reason: str,
        network_ids: Collection[str] | None = None,
    ) -> int:
        """Cancel what is still planned of a message, at most in these networks; give how many.

        Idempotent, in pages. Outside a transaction is best: sends are being claimed meanwhile,
        and what is claimed is checked again before its attempt.
        """
        query: Document = {"message": str(alert_key), "state": "planned"}
        if network_ids is not None:
            query["networks"] = {"$in": list(network_ids)}
        count = 0
        while True:
            found = self._sends.find(query, WITHOUT_EVENTS, session=session).limit(_PAGE)
            rows = [to_row(item) async for item in found]
            now = self._clock.now()
            changes = [ended(Cause.CANCEL, row, SendState.CANCELLED, reason, now) for row in rows]
            lost = await self.change(changes, session)
            count += len(changes) - len(lost)
            if len(rows) < _PAGE and not lost:
                return count

    async def reached(
        self,
        session: Session | None,
        zone_id: str,
        alert_ids: Collection[str],
        after: tuple[str, str] | None = None,
        limit: int = _PAGE,
        *,
        unresolved: bool = True,
    ) -> list[Reached]:
        """List who got these alerts, or (`unresolved`) may have: the audience of an all-clear.

        Sorted by destination and channel; `after` is the last pair of the page before. Somebody
        who is in several of the alerts comes once per alert; dropped destinations do not come.
        """
        # a claimed send is none of these: after the marker it can no longer be attempted
        open_still = (SendState.ATTEMPTING, SendState.UNKNOWN) if unresolved else ()
        states = (*_GOT_THROUGH, *open_still)
        query: Document = {
            "message": {"$in": _alert_keys(zone_id, alert_ids)},
            "state": {"$in": [str(state) for state in states]},
            "destination": {"$not": {"$regex": "^gone:"}},
        }
        if after is not None:
            destination, channel = after
            query["$or"] = [
                {"destination": {"$gt": destination}},
                {"destination": destination, "channel": {"$gt": channel}},
            ]
        order = [("destination", 1), ("channel", 1)]
        found = self._sends.find(query, WITHOUT_EVENTS, session=session).sort(order).limit(limit)
        return [_reached(to_row(item)) async for item in found]

    async def unresolved(
        self, session: Session | None, zone_id: str, alert_ids: Collection[str]
    ) -> int:
        """Count the sends of these alerts of which nobody knows whether they got through.

        Settled or not: what was unknown when its alert expired may have reached somebody as well.
        """
        query: Document = {
            "message": {"$in": _alert_keys(zone_id, alert_ids)},
            "state": {"$in": [str(state) for state in _OPEN]},
        }
        return await self._sends.count_documents(query, session=session)

    async def members_planned(
        self,
        session: Session | None,
        key: MessageKey,
        channel: Channel,
        member_ids: Collection[str],
    ) -> set[str]:
        """Give, of these members, those whose send of this message got through, or may have.

        What did not get through, or will be refused since the destination changed, holds back
        no send to where they are now.
        """
        ids = list(member_ids)
        found = self._sends.find(
            {
                "members": {"$in": ids},
                "message": str(key),
                "channel": str(channel),
                "state": {"$in": [str(state) for state in _PERHAPS_THROUGH]},
            },
            {"_id": 0, "members": 1},
            session=session,
        ).hint("members")
        wanted = set(ids)
        return {one async for item in found for one in item["members"] if one in wanted}

    async def erase(self, session: Session | None, member_ids: Collection[str]) -> int:
        """Drop the destinations of erased people's sends, and mark what the provider has of them.

        A destination that somebody else shares stays until they are erased too. What is under way
        is marked once its provider id is known (`_write`), what the time has ended now.
        """
        ids = list(member_ids)
        await self._sends.update_many(
            {"members": {"$in": ids}}, {"$addToSet": {"erased": {"$each": ids}}}, session=session
        )
        subset: Document = {"$expr": {"$setIsSubset": ["$members", "$erased"]}}
        dropped = await self._sends.update_many(
            {
                "members": {"$in": ids},
                "$or": [{"destination": {"$not": {"$regex": f"^{GONE}"}}}, {"ended": True}],
                **subset,
            },
            [
                {
                    "$set": {
                        "destination": {"$concat": [GONE, "$_id"]},
                        "token": None,
                        "v": {"$add": ["$v", 1]},
                        "forget": True,
                    }
                },
                {"$unset": "ended"},
            ],
            session=session,
        )
        return dropped.modified_count

    # ---- claims and attempts

    async def claim(
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
                "$push": {"silent": _silent_now("claimed", now, attempts)},
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
        if at - place.looked_back >= self._patience.look_back.total_seconds():
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
                    "silent": _silent_now("attempting", now, number),
                },
                "$unset": {"second": "", "check_at": ""},
                **_HELD_NOW,
            },
        )
        if written.modified_count == len(ids):
            return [_started(row, now, flagged=state is SendState.UNKNOWN) for row in rows]
        return await self._held(ids, fence, SendState.ATTEMPTING)

    async def end_destinations(self, key: MessageKey) -> None:
        """Drop where a message's sends went, and what they link to; idempotent.

        Who they were for stays by member id and pseudonym, as long as the account of it.
        """
        await self._sends.update_many(
            {"message": str(key), "destination": {"$not": {"$regex": f"^{GONE}"}}},
            [
                {
                    "$set": {
                        "destination": {"$concat": [GONE, "$_id"]},
                        "token": None,
                        "reply_to": None,
                        "ended": True,
                        "v": {"$add": ["$v", 1]},
                    }
                }
            ],
        )

    # ---- changes

    async def change(
        self, changes: Sequence[Change], session: Session | None = None
    ) -> list[Change]:
        """Write changes, each with its event, in one round trip; give those that lost a race.

        A lost change was not written: read the row again and decide anew. So does one whose
        provider id another send bound first (`is_anothers`).
        """
        if not changes:
            return []
        writes = [await self._write(change) for change in changes]
        try:
            result = await self._sends.bulk_write(writes, ordered=False, session=session)
            matched = result.matched_count
        except BulkWriteError as error:
            if any(e.get("code") != _DUPLICATE_KEY for e in error.details["writeErrors"]):
                raise
            matched = -1
        self._has_events(c.before.send_id for c in changes if _next_seq(c) > c.before.seq)
        # what settles without an event of its own would otherwise not be noticed
        quiet = {str(c.before.key) for c in changes if c.after.state is c.before.state}
        if quiet:
            await self._reopen(quiet, session)
        lost = [] if matched == len(writes) else await self._lost(changes, session)
        if session is None:
            gone = {change.before.send_id for change in lost}
            await self._count(
                [c.after for c in changes if _is_told(c) and c.before.send_id not in gone]
            )
        return lost

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

    async def _write(self, change: Change) -> UpdateMany:
        before, after = change.before, change.after
        moved = after.state is not before.state
        if moved:
            check(change.cause, before.state, after.state)
        update: Document = {"$set": changing(after), "$unset": {}}
        values = update["$set"]
        values["v"] = before.version + 1
        values["seq"] = _next_seq(change)
        if moved and is_event(after.state):
            event = await self._event(after, change.at, values["seq"])
            update["$push"] = {"events": event}
            values |= {"pending": True, "silent": []}
        elif moved:
            values["silent"].append(_silent_now(after.state, change.at, len(after.attempts)))
        values |= self._duties(change, after)
        if after.destination is None and _references(after) - _references(before):
            values["forget"] = True  # the person was erased during the attempt
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

    def _duties(self, change: Change, after: Row) -> Document:
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
            if not await self.change([Change(evidence.cause, row, after, evidence.at)]):
                return after
            if await self.is_anothers(evidence.reference, send_id):
                if evidence.found:
                    return row
                # it was told of this attempt all the same
                evidence = replace(evidence, reference=None)

    async def learn_all(self, reports: Sequence[tuple[str, int, Evidence]]) -> list[bool]:
        """Fold many reports, in order per send; tell of each whether there is such an attempt."""
        rows = await self._rows({send_id for send_id, _, _ in reports})
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
            lost = {change.before.send_id for change in await self.change(list(changes.values()))}
            again = [
                await self._as_its_own(report)
                for report in left
                if report[0] in lost and report not in later
            ]
            left = again + later
            if left:
                rows |= await self._rows({send_id for send_id, _, _ in left})
        return known

    async def _as_its_own(self, report: tuple[str, int, Evidence]) -> tuple[str, int, Evidence]:
        send_id, number, evidence = report
        if await self.is_anothers(evidence.reference, send_id):
            evidence = replace(evidence, reference=None)
        return send_id, number, evidence

    async def _rows(self, ids: Collection[str]) -> dict[str, Row]:
        found = self._sends.find({"_id": {"$in": list(ids)}}, WITHOUT_EVENTS)
        return {item["_id"]: to_row(item) async for item in found}

    async def get(self, send_id: str) -> Row | None:
        """Give one row."""
        found = await self._sends.find_one({"_id": send_id}, WITHOUT_EVENTS)
        return None if found is None else to_row(found)

    # ---- what the jobs look for

    async def lapsed(self, most: int) -> list[Row]:
        """List rows whose lease is over, on the database's clock."""
        found = self._sends.find(
            {"held": {"$exists": True}, "$expr": {"$lt": [_LEASE_END, "$$NOW"]}}, WITHOUT_EVENTS
        )
        return [to_row(item) async for item in found.hint("leased").limit(most)]

    async def to_check(self, most: int) -> list[Row]:
        """List unknown sends, and accepted ones without a final receipt, whose time has come."""
        found = self._sends.find({"check_at": {"$lte": self._clock.now()}}, WITHOUT_EVENTS)
        return [to_row(item) async for item in found.sort("check_at", 1).limit(most)]

    async def planned_of(self, key: MessageKey, most: int) -> list[Row]:
        """List what is still planned of a message, to expire it."""
        found = self._sends.find({"message": str(key), "state": "planned"}, WITHOUT_EVENTS)
        return [to_row(item) async for item in found.limit(most)]

    async def bound(self, references: Collection[str]) -> set[str]:
        """Tell which provider ids belong to an attempt already."""
        found = self._sends.find(
            {"references": {"$in": list(references)}}, {"_id": 0, "references": 1}
        )
        return {reference async for item in found for reference in item["references"]}

    async def is_anothers(self, reference: str | None, send_id: str) -> bool:
        """Tell whether a provider id is bound to another send: it can be bound to one only."""
        query = {"references": reference, "_id": {"$ne": send_id}}
        return reference is not None and await self._sends.find_one(query, {"_id": 1}) is not None

    async def busy(
        self, messages: Collection[MessageKey], destinations: Collection[str]
    ) -> dict[str, list[Row]]:
        """Give the open sends of these messages, by destination: an update waits for them."""
        found = self._sends.find(
            {
                "message": {"$in": [str(key) for key in messages]},
                "destination": {"$in": list(destinations)},
                "state": {"$in": [str(state) for state in _OPEN]},
            },
            WITHOUT_EVENTS,
        )
        busy: dict[str, list[Row]] = defaultdict(list)
        async for item in found:
            row = to_row(item)
            busy[row.destination or ""].append(row)
        return busy

    async def to_fall_back(self, most: int) -> list[Row]:
        """List warm sends that a STOP was learnt by, for which a mail may be planned."""
        found = self._sends.find({"fall_back": True}, WITHOUT_EVENTS)
        return [to_row(item) async for item in found.hint("to_fall_back").limit(most)]

    async def fell_back(self, send_ids: Collection[str]) -> None:
        """Note that this was seen to."""
        await self._sends.update_many(
            {"_id": {"$in": list(send_ids)}}, {"$unset": {"fall_back": ""}}
        )

    async def to_forget(self, most: int) -> list[Row]:
        """List sends whose provider copies are to be dropped."""
        found = self._sends.find({"forget": True}, WITHOUT_EVENTS).limit(most)
        return [to_row(item) async for item in found]

    async def forgotten(self, row: Row) -> None:
        """Note that the provider dropped its copies, as far as they were known in this row."""
        where = {"_id": row.send_id, "v": row.version}
        await self._sends.update_one(where, {"$unset": {"forget": ""}})

    # ---- events

    async def unpublished(self, most: int, *, others: bool = True) -> list[Unpublished]:
        """Give events that Kafka has not acknowledged, in order per send.

        Those that this process wrote; and now and then, with `others`, all there are.
        """
        ids = list(self._fresh)[:most]
        for send_id in ids:
            del self._fresh[send_id]
        found = await self._pending({"_id": {"$in": ids}}, most, "_id_") if ids else []
        at = self._clock.monotonic()
        rested = at - self._swept >= self._patience.look_back.total_seconds()
        if not others or not rested or len(found) == most:
            return found
        known = {item.send_id for item in found}
        swept = await self._pending({}, most, "unpublished")
        self._swept = at if len(swept) < most else -math.inf
        return found + [item for item in swept if item.send_id not in known]

    async def _pending(self, query: Document, most: int, index: str) -> list[Unpublished]:
        found = self._sends.find(
            {**query, "pending": True},
            {"zone": 1, "message": 1, "message_id": 1, "seq": 1, "acked": 1, "events": 1},
        )
        return [_unpublished(item) for item in await found.hint(index).limit(most).to_list()]

    async def acknowledged(self, sent: Sequence[Unpublished]) -> None:
        """Note that Kafka has these; their messages are looked at again for closing."""
        await self._reopen({item.message for item in sent})
        by_seq: dict[int, list[str]] = defaultdict(list)
        for item in sent:
            by_seq[item.seq].append(item.send_id)
        for seq, ids in by_seq.items():
            await self._sends.update_many(
                {"_id": {"$in": ids}, "seq": seq},
                {"$set": {"acked": seq}, "$unset": {"pending": ""}},
            )

    async def publish_again(self, key: MessageKey) -> int:
        """Have all kept events of a message published again; give how many sends have some."""
        result = await self._sends.update_many(
            {"message": str(key), "events.0": {"$exists": True}},
            {"$set": {"pending": True, "acked": 0}},
        )
        return result.modified_count

    async def drop_events(self, key: MessageKey, until: datetime) -> None:
        """Drop the bytes of events up to a closing statement that both sides agreed on."""
        await self._sends.update_many(
            {"message": str(key), "pending": {"$ne": True}, "events.0": {"$exists": True}},
            {"$pull": {"events": {"at": {"$lte": until}}}},
        )

    # ---- after a backup was restored

    async def in_doubt(self, after: str | None, most: int) -> list[Row]:
        """List sends that may have been attempted since, in the order of their ids."""
        query: Document = {
            "$or": [
                {"state": {"$in": [str(SendState.CLAIMED), str(SendState.ATTEMPTING)]}},
                {"state": str(SendState.PLANNED), "sendable": True},
                {"state": str(SendState.UNKNOWN), "settled": False},
            ]
        }
        if after is not None:
            query["_id"] = {"$gt": after}
        found = self._sends.find(query, WITHOUT_EVENTS).sort("_id", 1)
        return [to_row(item) async for item in found.limit(most)]

    async def replay(self, changed: Sequence[tuple[Row, Sequence[Document]]]) -> None:
        """Bring rows to what events of theirs say that the ledger had forgotten.

        The events are Kafka's already, so none of them is new, and their bytes are kept with them.
        """
        now = self._clock.now()
        writes: list[UpdateMany] = []
        for row, events in changed:
            after = replace(row, version=row.version + 1)
            update = changing(after) | self._duties(Change(Cause.RESTORE, row, row, now), row)
            update |= {"members": list(row.member_ids), "networks": list(row.network_ids)}
            gone = {"fence": "", "held": "", "lease": "", "pending": "", "second": ""}
            if row.state in UNSENT:  # it stands in no other network's way any more
                gone |= {"base": "", "behind": "", "freed": ""}
            if "check_at" not in update:
                gone["check_at"] = ""
            writes.append(
                UpdateMany(
                    {"_id": row.send_id},
                    {
                        "$set": update | {"acked": row.seq},
                        "$unset": gone,
                        "$push": {"events": {"$each": list(events)}},
                    },
                )
            )
        if writes:
            await self._sends.bulk_write(writes, ordered=False)

    async def restore(self, rows: Sequence[tuple[Row, Sequence[Document]]]) -> None:
        """Store sends that the ledger had forgotten; those without an event get theirs now.

        What is there already, by its id or its destination, stays as it is. Raises `Retryable`
        where the sends that it turns on change meanwhile: what was stored is there the next time.
        """
        now = self._clock.now()
        documents = [await self._restored(row, events, now) for row, events in rows]
        refused = await self._insert(documents)
        siblings = [rows[index] for index, pattern in refused.items() if "base" in pattern]
        taken = [rows[index] for index, pattern in refused.items() if "references" in pattern]
        again = [await self._sibling(row, events, now) for row, events in siblings]
        again += [
            await self._restored(_without_references(row), events, now) for row, events in taken
        ]
        twice = await self._insert(again)
        if any("base" in pattern or "references" in pattern for pattern in twice.values()):
            raise Retryable("what is restored changes at the same moment")
        new = [one for index, one in enumerate(documents) if index not in refused]
        new += [one for index, one in enumerate(again) if index not in twice]
        told = [to_row(one) for one in new if one.get("pending")]
        self._has_events(row.send_id for row in told)
        await self._count(told)

    async def _restored(self, row: Row, events: Sequence[Document], now: datetime) -> Document:
        if events:
            document = to_document(row) | {"acked": row.seq, "events": list(events)}
        else:
            document = await self._new_document(row, now)
        if row.key.message_type is MessageType.BULLETIN and row.state not in UNSENT:
            document["base"] = base(row.key)
        return document | self._duties(Change(Cause.RESTORE, row, row, now), row)

    async def _sibling(self, row: Row, events: Sequence[Document], now: datetime) -> Document:
        """Give a bulletin's send for whose person another network's send stands.

        What its events say is so. Without any it was not attempted, since the other would have
        had to make way first: it is what planning it makes of it.
        """
        if events:
            document = await self._restored(row, events, now)
            del document["base"]
            return document
        planned = replace(
            row, state=SendState.PLANNED, reason=None, attempts=(), unknown_since=None
        )
        (stored,), waiting = await self._once_per_bulletin(None, [planned])
        document = await self._new_document(stored, now)
        if waiting:
            document["behind"] = document.pop("base")
        return document

    async def _insert(self, documents: Sequence[Document]) -> dict[int, Document]:
        """Insert what can be; give the key of the unique index that refused each other one."""
        try:
            if documents:
                await self._sends.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(e.get("code") != _DUPLICATE_KEY for e in error.details["writeErrors"]):
                raise
            return {e["index"]: e["keyPattern"] for e in error.details["writeErrors"]}
        return {}

    async def known(self, send_ids: Collection[str]) -> dict[str, Row]:
        """Give the rows that there are of these sends."""
        return await self._rows(send_ids)

    # ---- closing

    async def is_open(self, key: MessageKey) -> tuple[bool, bool]:
        """Tell whether a message has unsettled sends, and whether it has unpublished events."""
        query = {"message": str(key)}
        unsettled = await self._sends.find_one(
            {**query, "settled": False}, {"_id": 1}, hint="unsettled"
        )
        pending = await self._sends.find_one(
            {**query, "pending": True}, {"_id": 1}, hint="unpublished"
        )
        return unsettled is not None, pending is not None

    async def summary(self, key: MessageKey) -> tuple[Counter[SendState], EventIds]:
        """Give a message's sends by state, and the ids of all their events.

        In pages, and the ids in a thread: 100,000 sends take half a second, for which an alert
        must not wait.
        """
        states: Counter[SendState] = Counter()
        ids = EventIds()
        found = self._sends.find({"message": str(key)}, {"seq": 1, "state": 1}, batch_size=_PAGE)
        while page := await found.to_list(_PAGE):
            states.update(SendState(item["state"]) for item in page)
            await asyncio.to_thread(ids.add, [(item["_id"], item["seq"]) for item in page])
        return states, ids


def ended(cause: Cause, row: Row, state: SendState, reason: str | None, at: datetime) -> Change:
    """Give the change that ends a send without an attempt."""
    return Change(cause, row, replace(row, state=state, reason=reason, fence=None), at)


def back(cause: Cause, row: Row, at: datetime, due: datetime | None = None) -> Change:
    """Give the change that puts a claimed send back."""
    after = replace(row, state=SendState.PLANNED, reason=None, fence=None)
    return Change(cause, row, after, at, due=due)


def _alert_keys(zone_id: str, alert_ids: Collection[str]) -> list[str]:
    return [str(MessageKey(zone_id, MessageType.ALERT, one)) for one in alert_ids]


def _bound(row: Row) -> bool:
    """Tell whether a row counts for "once per bulletin, whatever the network"."""
    return (
        row.key.message_type is MessageType.BULLETIN
        and row.state is SendState.PLANNED
        and row.destination is not None
    )


def _has(row: Row | None, number: int) -> bool:
    return row is not None and 1 <= number <= len(row.attempts)


def _references(row: Row) -> set[str | None]:
    return {attempt.reference for attempt in row.attempts} - {None}


def _without_references(row: Row) -> Row:
    return replace(row, attempts=tuple(replace(one, reference=None) for one in row.attempts))


def _is_told(change: Change) -> bool:
    """Tell whether the metrics count a change: every event, and what was provably not sent."""
    if change.after.state is change.before.state:
        return False
    not_sent = change.after.state is SendState.PLANNED and change.after.reason is not None
    return not_sent or is_event(change.after.state)


def _next_seq(change: Change) -> int:
    moved = change.after.state is not change.before.state
    return change.before.seq + (1 if moved and is_event(change.after.state) else 0)


def _reached(row: Row) -> Reached:
    return Reached(
        destination=row.destination or "",
        channel=row.channel,
        member_ids=row.member_ids,
        network_ids=row.network_ids,
        language=row.language,
        sender_name=row.sender_name,
        reply_to=row.reply_to,
        unsubscribe_token=row.unsubscribe_token,
        recipient=row.recipient,
        recipient_year=row.recipient_year,
        state=row.state,
    )


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


def _unpublished(item: Document) -> Unpublished:
    acked = item.get("acked", 0)
    events: Iterable[Document] = item.get("events", [])
    return Unpublished(
        item["_id"],
        item["zone"],
        item["message"],
        item["message_id"],
        item["seq"],
        tuple((e["id"], e["at"], bytes(e["value"])) for e in events if e["seq"] > acked),
    )


def _by_attempts(rows: Iterable[Row]) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[len(row.attempts)].append(row)
    return groups


def _silent_now(state: str, at: datetime, attempt: object) -> Document:
    return {"state": state, "at": at, "attempt": attempt}


def _ms(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)
