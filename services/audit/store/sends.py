"""The latest of each send, and what is kept over them: `sends`, `stats`, `outcomes`, `periods`.

All follow from the log and are written with it. A send stands in lists where its first entry
stood, so that paging neither repeats nor misses one while the log grows.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from services.audit.domain.entries import Draft, EntryType, in_utc, timestamp
from services.audit.domain.figures import Day, Figures, Outcome, Places, Stretch, joined, periods
from services.audit.store.blocks import ids_of
from shared.contracts.base import Channel, SendState
from shared.mongo import Database, Document, Session, write_plainly

_READ = 500
_CHANNELS = [channel.value for channel in Channel]
_STATES = [state.value for state in SendState]


@dataclass(frozen=True, slots=True)
class SendFilter:
    """Which sends to list; None and an empty filter mean all."""

    network_id: str | None = None
    message_id: str | None = None
    channel: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def query(self) -> Document:
        """Give the database's form of it."""
        wanted: Document = {
            "network_ids": self.network_id,
            "message_id": self.message_id,
            "channel": self.channel,
            "state": self.state,
        }
        query = {name: value for name, value in wanted.items() if value is not None}
        bounds: Document = {"$gte": self.since, "$lt": self.until}
        time = {name: value for name, value in bounds.items() if value is not None}
        if time:
            query["time"] = time
        by_other = self.network_id is not None or self.message_id is not None
        if self.state is not None or self.channel is not None or not by_other:
            # the one index that serves them all begins with both: the database merges its parts
            query.setdefault("channel", {"$in": _CHANNELS})
            query.setdefault("state", {"$in": _STATES})
        return query


@dataclass(frozen=True, slots=True)
class Totals:
    """Some days of a log, in figures."""

    sends: dict[tuple[str, str], int]
    """By channel and latest state; a send for two networks counts in both."""

    networks: int


class _Change(msgspec.Struct, gc=False):
    """What a batch does to one send."""

    row: Document
    is_new: bool
    before: str | None
    """The state that the counters have it in."""

    added: list[int] = []
    events: list[str] = []


class Projection:
    """What a batch does to its sends."""

    def __init__(self, log: str, rows: Iterable[Document] = ()) -> None:
        """Begin with the rows that are stored."""
        self.log = log
        self.changes = {row["_id"]: _Change(row, is_new=False, before=row["state"]) for row in rows}

    def knows(self, draft: Draft) -> bool:
        """Tell whether the log has a send's event already."""
        change = self.changes.get(_id(self.log, draft.send_id))
        return change is not None and draft.event_id in change.row["events"]

    def take(self, first: int, drafts: Iterable[Draft]) -> None:
        """Take in what becomes the entries from index `first` on, in their order."""
        for index, draft in enumerate(drafts, start=first):
            if draft.type is EntryType.SEND:
                self._take(index, draft)

    def _take(self, index: int, draft: Draft) -> None:
        send_id = _id(self.log, draft.send_id)
        change = self.changes.get(send_id)
        if change is None:
            row = _new_row(send_id, self.log, index, draft)
            self.changes[send_id] = _Change(
                row, is_new=True, before=None, added=row["entries"], events=row["events"]
            )
            return
        if (draft.seq or 0) > change.row["seq"]:
            change.row.update(_latest(index, draft))
        change.added.append(index)
        change.events.append(draft.event_id)

    def changed(self) -> list[_Change]:
        """Give what the entries changed."""
        return [change for change in self.changes.values() if change.added]

    def figures(self) -> Figures:
        """Give what becomes of the counters, once all entries are taken in."""
        figures = Figures()
        for item in self.changed():
            row = item.row
            figures.count(row, row["state"], 1)
            if item.before is not None:
                figures.count(row, item.before, -1)
            figures.reach(row["time"], row["first"])
        return figures


class Sends:
    """One row per send."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["sends"]
        self._stats = database["stats"]
        self._outcomes = database["outcomes"]
        self._periods = database["periods"]

    async def prepare(self) -> None:
        """Create the indexes: each in the order of the list.

        The first answers a list without reading a row: of the places of a period, most may be
        outside the time that is asked for. That costs no write, since a state changes with them.
        """
        for before, behind in (
            (("channel", "state"), ("time", "last")),
            (("network_ids",), ()),
            (("message_id",), ()),
        ):
            fields = [("log", 1), *((name, 1) for name in before), ("first", -1)]
            await self._rows.create_index([*fields, *((name, 1) for name in behind)])
        await self._stats.create_index([("log", 1), ("day", 1)])

    async def begin(self, session: Session, log: str, drafts: Iterable[Draft]) -> Projection:
        """Read the rows of the sends that entries tell of, to take the entries into them."""
        ids = {_id(log, draft.send_id) for draft in drafts if draft.type is EntryType.SEND}
        if not ids:
            return Projection(log)
        known = self._rows.find({"_id": {"$in": list(ids)}}, session=session)
        return Projection(log, await known.to_list())

    async def write(self, session: Session, projection: Projection) -> None:
        """Write the rows, in the transaction that appends the entries."""
        changes = projection.changed()
        new = [change.row for change in changes if change.is_new]
        old = [_update(change) for change in changes if not change.is_new]
        await write_plainly(self._rows, "insert", new, session)
        await write_plainly(self._rows, "update", old, session)

    async def count(self, session: Session, log: str, figures: Figures) -> None:
        """Keep the counters, in the same transaction."""
        await write_plainly(self._stats, "update", _days(log, figures.days), session)
        await write_plainly(self._outcomes, "update", _outcomes(log, figures.outcomes), session)
        await write_plainly(self._periods, "update", _places(log, figures.places()), session)

    async def page(
        self, log: str, wanted: SendFilter, below: int | None, most: int
    ) -> list[Document]:
        """List sends, the newest first, whose first entry is below an index.

        Of each row only `first` and `last`: a reader is shown the latest entry itself.
        """
        query: Document = {"log": log, **wanted.query()}
        listed: list[Document] = []
        for lowest, highest in await self._places(log, wanted.since, wanted.until, below):
            places = {"$gte": lowest, "$lte": highest}
            rows = self._rows.find({**query, "first": places}, {"_id": 0, "first": 1, "last": 1})
            listed += await rows.sort("first", -1).limit(most - len(listed)).to_list()
            if len(listed) == most:
                break
        return listed

    async def _places(
        self, log: str, since: datetime | None, until: datetime | None, below: int | None
    ) -> list[Places]:
        """Give between which places to look for the sends of some time, the last ones first."""
        last = _LAST_PLACE if below is None else below - 1
        if since is None and until is None:
            return [(0, last)]
        ids = [
            {"_id": {"$gte": _period_id(log, kind, begin), "$lt": _period_id(log, kind, end)}}
            for kind, begin, end in periods(since, until)
        ]
        rows = self._periods.find({"$or": ids, "lowest": {"$lte": last}}, {"_id": 0})
        places = [(row["lowest"], min(row["highest"], last)) for row in await rows.to_list()]
        return joined(places)

    async def one(self, log: str, send_id: str) -> Document | None:
        """Give a send's row: `entries` are the indexes of its whole history."""
        return await self._rows.find_one({"_id": _id(log, send_id)})

    async def many(
        self, log: str, send_ids: Sequence[str], session: Session | None = None
    ) -> list[Document]:
        """Give rows, the newest first."""
        rows = self._rows.find(
            {"_id": {"$in": [_id(log, send_id) for send_id in send_ids]}}, session=session
        )
        return await rows.sort("first", -1).to_list()

    async def batches(self, log: str, below: int, most: int) -> AsyncIterator[list[Document]]:
        """Stream the rows whose first entry is below an index, some at a time.

        Message by message, so that the entries of some rows stand near each other.
        """
        order = [("message_id", 1), ("first", -1)]
        # by their ids too, since a row that somebody changed may be missing from every list
        hidden: Document = {"_id": ids_of(log), "log": {"$ne": log}, "first": {"$lt": below}}
        for found in (
            self._rows.find({"log": log, "first": {"$lt": below}}, batch_size=most)
            .sort(order)
            .hint([("log", 1), *order]),
            self._rows.find(hidden, batch_size=most).hint([("_id", 1)]),
        ):
            async with found as rows:
                while batch := await rows.to_list(most):
                    yield batch

    async def days_hold(self, session: Session, log: str, figures: Figures) -> bool:
        """Tell whether the counters by day are those that somebody counted."""
        own: Document = {"$or": [{"_id": ids_of(log)}, {"log": log}], "count": {"$ne": 0}}
        stated = [
            (row["_id"], _counter(row), row["count"])
            async for row in self._stats.find(own, session=session)
        ]
        counted = [
            (name, name, count)
            for name, count in (("|".join((log, *day)), n) for day, n in figures.days.items())
            if count
        ]
        return sorted(stated) == sorted(counted)

    async def outcomes_hold(self, session: Session, log: str, figures: Figures) -> bool:
        """Tell whether the counters by message are those that somebody counted."""
        kept = self._outcomes.find({"_id": ids_of(log)}, session=session)
        stated = {
            (row["_id"], state): count
            async for row in kept
            for state, count in _in_any(row["states"]).items()
        }
        return stated == {
            (_id(log, message_id), state): count
            for (message_id, state), count in figures.outcomes.items()
            if count
        }

    async def places_hold(self, session: Session, log: str, figures: Figures) -> bool:
        """Tell whether the places kept per period are as wide as somebody found they must be."""
        kept = self._periods.find({"_id": ids_of(log)}, session=session)
        stated = {row["_id"]: (row["lowest"], row["highest"]) async for row in kept}
        return all(
            (places := stated.get(_stretch_id(log, stretch))) is not None
            and places[0] <= lowest
            and places[1] >= highest
            for stretch, (lowest, highest) in figures.places().items()
        )

    async def entries_of(self, log: str, message_id: str) -> AsyncIterator[list[int]]:
        """Stream the indexes of all entries of a message's sends, some sends at a time."""
        query: Document = {"log": log, "message_id": message_id}
        async with self._rows.find(query, {"entries": 1}, batch_size=_READ) as rows:
            while found := await rows.to_list(_READ):
                yield [index for row in found for index in row["entries"]]

    async def states(self, log: str, message_id: str) -> dict[str, int]:
        """Count a message's sends by state."""
        row = await self._outcomes.find_one({"_id": _id(log, message_id)})
        return {} if row is None else dict(sorted(_in_any(row["states"]).items()))

    async def totals(self, log: str, since: str, until: str) -> Totals:
        """Add the counters of some days up, both included."""
        groups = await self._stats.aggregate(
            [
                {"$match": {"_id": _days_of(log, since, until), "log": log, "count": {"$gt": 0}}},
                {
                    "$group": {
                        "_id": {"channel": "$channel", "state": "$state"},
                        "count": {"$sum": "$count"},
                        "networks": {"$addToSet": "$network_id"},
                    }
                },
            ]
        )
        sends: dict[tuple[str, str], int] = {}
        networks: set[str] = set()
        async for group in groups:
            sends[group["_id"]["channel"], group["_id"]["state"]] = int(group["count"])
            networks.update(group["networks"])
        return Totals(sends, len(networks))

    async def counts(
        self,
        log: str | None,
        since: str | None,
        until: str | None,
        *,
        after: str | None,
        most: int,
    ) -> list[Document]:
        """Give the counters of one log (None: of all) by day, both days included.

        In the order of their ids, which never changes: those after an id, and `most` of them. The
        ids begin with log and day, so that a page reads nothing of another time.
        """
        logs: list[str] = [log] if log is not None else await self._stats.distinct("log")
        found: list[Document] = []
        for name in sorted(logs, key=lambda name: f"{name}|"):  # as their ids begin
            days = _days_of(name, since, until)
            if after is not None:
                if after >= days["$lt"]:
                    continue  # an earlier page gave all of it
                days["$gt"] = after
            query: Document = {"_id": days, "log": name, "count": {"$gt": 0}}
            rows = self._stats.find(query).sort("_id", 1).hint([("_id", 1)])
            found += await rows.limit(most - len(found)).to_list()
            if len(found) == most:
                break
        return found


def _id(log: str, send_id: str | None) -> str:
    return f"{log}|{send_id}"


def _days_of(log: str, since: str | None, until: str | None) -> Document:
    """Give between which ids the counters of some days stand."""
    end = f"{log}}}" if until is None else f"{log}|{until}}}"
    return {"$gte": f"{log}|{since or ''}", "$lt": end}


def _in_any(states: Mapping[str, int]) -> dict[str, int]:
    """Leave out the states that sends have only passed through."""
    return {state: count for state, count in states.items() if count}


_LAST_PLACE = 2**53


def _period_id(log: str, kind: str, number: int) -> str:
    return f"{log}|{kind}{number:09d}"


def _stretch_id(log: str, stretch: Stretch) -> str:
    period, which = stretch
    return f"{_period_id(log, *period)}|{which:08d}"


def _days(log: str, moves: Mapping[Day, int]) -> list[Document]:
    return [
        {
            "q": {"_id": "|".join((log, *day))},
            "u": {
                "$inc": {"count": count},
                "$setOnInsert": {
                    "log": log,
                    **dict(zip(("day", "network_id", "channel", "state"), day, strict=True)),
                },
            },
            "upsert": True,
        }
        for day, count in sorted(moves.items())
        if count
    ]


def _outcomes(log: str, moves: Mapping[Outcome, int]) -> list[Document]:
    """Keep, per message, how many of its sends are in each state: thousands, read at once."""
    by_message: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (message_id, state), count in moves.items():
        if count:
            by_message[message_id][f"states.{state}"] = count
    return [
        {"q": {"_id": _id(log, message_id)}, "u": {"$inc": states}, "upsert": True}
        for message_id, states in sorted(by_message.items())
    ]


def _places(log: str, places: Mapping[Stretch, Places]) -> list[Document]:
    return [
        {
            "q": {"_id": _stretch_id(log, stretch)},
            "u": {"$min": {"lowest": lowest}, "$max": {"highest": highest}},
            "upsert": True,
        }
        for stretch, (lowest, highest) in sorted(places.items())
    ]


def _new_row(send_id: str, log: str, index: int, draft: Draft) -> Document:
    return {
        "_id": send_id,
        "log": log,
        "first": index,
        "day": in_utc(draft.time).isoformat()[:10],
        "message_id": draft.message_id,
        "network_ids": draft.network_ids,
        "channel": draft.channel,
        "entries": [index],
        "events": [draft.event_id],
        **_latest(index, draft),
    }


def _latest(index: int, draft: Draft) -> Document:
    return {"last": index, "seq": draft.seq or 0, "state": draft.state, "time": draft.time}


def _update(item: _Change) -> Document:
    latest = {name: item.row[name] for name in ("last", "seq", "state", "time")}
    added: Document = {"entries": {"$each": item.added}, "events": {"$each": item.events}}
    return {"q": {"_id": item.row["_id"]}, "u": {"$set": latest, "$push": added}}


def row_id(log: str, send_id: str) -> str:
    """Name a send's row, for whoever checks the rows."""
    return _id(log, send_id)


def _counter(row: Document) -> str:
    names = ("log", "day", "network_id", "channel", "state")
    return "|".join(str(row[name]) for name in names)


def follows(log: str, row: Document, entries: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a row is what its entries, in order, make of it."""
    first, latest = entries[0], max(entries, key=lambda entry: entry["seq"])
    expected = {
        "_id": _id(log, first["send_id"]),
        "first": first["index"],
        "day": first["time"][:10],
        "message_id": first["message_id"],
        "network_ids": first["network_ids"],
        "channel": first["channel"],
        "entries": sorted({entry["index"] for entry in entries}),
        "events": [entry["event_id"] for entry in entries],
        "last": latest["index"],
        "seq": latest["seq"],
        "state": latest["state"],
        "time": latest["time"],
    }
    shown = {name: row.get(name) for name in expected}
    shown["time"] = timestamp(row["time"])
    return shown == expected and {entry["send_id"] for entry in entries} == {first["send_id"]}
