"""Plans: which sends there are to be of a message, and when they may be claimed."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from pymongo.errors import BulkWriteError

from services.dispatcher.domain.ledger import Row, Silent
from services.dispatcher.domain.message import MessageKey
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.send import PlannedSend
from services.dispatcher.domain.states import UNDECIDED, Cause
from services.dispatcher.store import joining
from services.dispatcher.store.changes import Changes, ended
from services.dispatcher.store.closings import Closings
from services.dispatcher.store.events import SendEvents, nobody
from services.dispatcher.store.rows import (
    WITHOUT_EVENTS,
    base,
    row_of_plan,
    silent_now,
    to_document,
    to_row,
)
from shared.clock import Clock
from shared.contracts.base import Channel, MessageType, SendState
from shared.failures import Retryable
from shared.mongo import DUPLICATE_KEY, Database, Document, Session

_PAGE = 1000
_FIRST_FREED, _FREED = 500, 5000


class Plans:
    """Stores what is planned, sets it free, and cancels it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        closings: Closings,
        events: SendEvents,
        changes: Changes,
    ) -> None:
        """Bind."""
        self._sends = database["sends"]
        self._joiner = joining.Joiner(self._sends)
        self._closings = closings
        self._clock = clock
        self._events = events
        self._changes = changes
        self.on_sendable: Callable[[], None] = nobody
        """Told when there is something to claim; set by whoever wires."""

    async def add(self, session: Session | None, sends: Sequence[PlannedSend]) -> int:
        """Store what is not there yet and give how many that were.

        Rows that are final from the start (suppressed, unreachable, expired) get their event. Of
        a bulletin, who has it through another network is stored as suppressed, and who may still
        get it waits behind that network's send. Raises `Retryable` where another process plans the
        same message right now.
        """
        new = await self._not_there(session, sends)
        if not new:
            return 0
        placed = await self.placed(session, [row_of_plan(send) for send in new])
        rows, documents = [row for row, _ in placed], [document for _, document in placed]
        try:
            await self._sends.insert_many(documents, ordered=False, session=session)
        except BulkWriteError as error:
            if any(e.get("code") == DUPLICATE_KEY for e in error.details.get("writeErrors", [])):
                raise Retryable("another process plans this message") from None
            raise
        messages = {str(key) for key in {row.key for row in rows}}
        await self._closings.reopen(messages, self._clock.now(), session)
        with_events = [document["_id"] for document in documents if "events" in document]
        if with_events:
            self._events.written(with_events)
        if session is None:
            await self._events.count(rows)
        return len(documents)

    async def placed(
        self, session: Session | None, rows: Sequence[Row]
    ) -> list[tuple[Row, Document]]:
        """Give rows as they are to be stored: of a bulletin, once per person, the others behind."""
        rows, waiting = await self._once_per_bulletin(session, rows)
        now = self._clock.now()
        documents = [await self.new_document(row, now) for row in rows]
        for document in documents:
            if document["_id"] in waiting:
                document["behind"] = document.pop("base")
        return list(zip(rows, documents, strict=True))

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

    async def new_document(self, row: Row, now: datetime) -> Document:
        """Give what is stored of a planned row; one that is final already has its event."""
        if row.state is SendState.PLANNED:
            document = to_document(row)
            document["silent"] = [silent_now(SendState.PLANNED, now, 0)]
            document |= {"settled": False, "sendable": False, "due": now}
        else:
            new = replace(row, silent=(Silent(SendState.PLANNED, now, 0),))
            document = to_document(new)
            document |= {"silent": [], "seq": 1, "settled": True, "pending": True, "acked": 0}
            document["events"] = [await self._events.document(new, now, 1)]
        if _bound(row):
            document["base"] = base(row.key)
        return document

    async def make_sendable(self, key: MessageKey, revision: int) -> None:
        """Let the planned sends of a message be claimed: Kafka has its planned event.

        Opens the message's closing row too, so call it for a message without sends as well. The
        sends go free in parts, the first a small one, so that the first are on their way while
        most of a large audience is still being set free.
        """
        message = await self._events.message(key)
        await self._closings.open(message, revision, self._clock.now())
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
            lost = await self._changes.write(changes, session)
            count += len(changes) - len(lost)
            if len(rows) < _PAGE and not lost:
                return count


def _bound(row: Row) -> bool:
    """Tell whether a row counts for "once per bulletin, whatever the network"."""
    return (
        row.key.message_type is MessageType.BULLETIN
        and row.state is SendState.PLANNED
        and row.destination is not None
    )
