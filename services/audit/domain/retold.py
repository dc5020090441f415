"""What the lists of messages and closings must say, told once more from the entries alone.

Rows are made while events are taken in; these are made from what is hashed. Where the two differ,
somebody changed a row, or it was written wrongly.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

from services.audit.domain.closing import CLOSED_WITHIN, alarm_id, stays_different_id
from services.audit.domain.entries import EntryType, timestamp
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import VerdictKind

TOLD_BY = (
    *(EntryType.VERDICT, EntryType.BULLETIN, EntryType.PLANNED),
    *(EntryType.CLOSED, EntryType.ANSWER, EntryType.ALARM),
)
"""The types of entries from which the rows of a message follow."""

Row = Mapping[str, Any]

_ENDED = object()
"""The value of a field that stood only in a text whose date has come."""

_LATER = ("kind", "status", "references", "expires_at")
_STATED = ("revision", "sends", "states", "events", "digest")


@dataclass(frozen=True, slots=True)
class Told:
    """One entry with its private part, where that is still there."""

    entry: Mapping[str, Any]
    part: Mapping[str, Any] | None

    @property
    def type(self) -> str:
        """Give the entry's type."""
        return str(self.entry["type"])

    @property
    def index(self) -> int:
        """Give the entry's place."""
        return int(self.entry["index"])

    def part_of_lasting(self) -> Mapping[str, Any]:
        """Give a part that nothing ends. Raises `ValueError` where it is gone all the same."""
        if self.part is None:
            raise ValueError(self.type)
        return self.part


def messages_follow(log: str, rows: Iterable[Row], told: Sequence[Told]) -> bool:
    """Tell whether the rows of one message are those that its entries, in order, make."""
    expected: dict[str, dict[str, Any]] = {}
    for item in told:
        if item.type == EntryType.VERDICT:
            _judge(log, expected, item)
        elif item.type == EntryType.BULLETIN:
            _release(log, expected, item)
    found = {row["_id"]: {**row} for row in rows}
    return found.keys() == expected.keys() and all(
        _alike(found[name], row) for name, row in expected.items()
    )


def _judge(log: str, rows: dict[str, dict[str, Any]], item: Told) -> None:
    entry, part = item.entry, item.part_of_lasting()
    row_id = f"{log}|{part['message_type']}|{entry['message_id']}"
    accepted = entry["state"] == VerdictKind.ACCEPTED
    if row_id in rows and not accepted:
        return
    row = rows.setdefault(row_id, _message_row(row_id, log, part["message_type"], item))
    row |= {
        **{name: part[name] for name in (*_LATER, "people", "signer", "approver")},
        "network_ids": entry["network_ids"],
        "verdict": entry["state"],
        "reason": entry["reason"],
        "judged_at": entry["time"],
    }


def _release(log: str, rows: dict[str, dict[str, Any]], item: Told) -> None:
    entry = item.entry
    row_id = f"{log}|{MessageType.BULLETIN}|{entry['message_id']}"
    if row_id not in rows:
        part = item.part or dict.fromkeys(_LATER, _ENDED)
        rows[row_id] = {
            **_message_row(row_id, log, MessageType.BULLETIN.value, item),
            **{name: part[name] for name in _LATER},
            "network_ids": entry["network_ids"],
        }
    released = rows[row_id].setdefault("released_to", [])
    released += [name for name in entry["network_ids"] if name not in released]


def _message_row(row_id: str, log: str, kind: str, item: Told) -> dict[str, Any]:
    return {
        "_id": row_id,
        "log": log,
        "message_type": kind,
        "message_id": item.entry["message_id"],
        "first": item.index,
    }


def _alike(found: Row, expected: Row) -> bool:
    return found.keys() == expected.keys() and all(
        value is _ENDED or _plain(found[name]) == _plain(value, is_time=name.endswith("_at"))
        for name, value in expected.items()
    )


def _plain(value: Any, *, is_time: bool = False) -> Any:
    """Give a time as entries have it, whether a row holds it or a private part wrote it."""
    if isinstance(value, str) and is_time:
        value = datetime.fromisoformat(value)
    return timestamp(value) if isinstance(value, datetime) else value


@dataclass(slots=True)
class _Closing:
    """What the entries say of one closing."""

    message_type: str
    message_id: str
    release: str | None
    due_at: datetime | None = None
    network_ids: list[str] | None = None
    waited_since: int | None = None
    """The index of the entry that first made a statement due."""

    first_stated: int | None = None
    statement: Told | None = None
    answers: int = 0
    answer: str | None = None
    """The answer to the latest statement."""

    def expect(self, item: Told, ends: datetime) -> None:
        """Take in that a statement is due after a time."""
        due_at = ends + CLOSED_WITHIN
        self.due_at = due_at if self.due_at is None else min(self.due_at, due_at)
        if self.waited_since is None:
            self.waited_since, self.network_ids = item.index, item.entry["network_ids"]

    def state(self, item: Told) -> None:
        """Take a statement in, unless it is older than the one that is known."""
        if self.first_stated is None:
            self.first_stated = item.index
        before = 0 if self.statement is None else self.statement.part_of_lasting()["revision"]
        if item.part_of_lasting()["revision"] >= before:
            self.statement, self.answer = item, None


def closings_follow(log: str, rows: Iterable[Row], told: Sequence[Told]) -> bool:
    """Tell whether the rows of one message's closings are those that its entries, in order, make.

    A statement without an answer is asked about again by the service itself, so an answer that was
    taken away comes back; every other difference counts.
    """
    closings: dict[str, _Closing] = {}
    alarmed: set[str] = set()
    for item in told:
        _tell(log, closings, item)
        if item.type == EntryType.ALARM:
            alarmed.add(str(item.entry["event_id"]))
    found = {str(row["_id"]): row for row in rows}
    return found.keys() == closings.keys() and all(
        _is_closing(log, found[name], closing)
        and _is_answered(found[name], closing)
        and found[name].get("alarmed", False) is (alarm_id(name) in alarmed)
        and found[name].get("stays_different", False)
        is (stays_different_id(name, closing.answers) in alarmed)
        for name, closing in closings.items()
    )


def _tell(log: str, closings: dict[str, _Closing], item: Told) -> None:
    def closing(kind: str, release: str | None) -> _Closing:
        message_id = str(item.entry["message_id"])
        name = f"{log}|{kind}|{message_id}|{release or ''}"
        return closings.setdefault(name, _Closing(kind, message_id, release))

    if item.type == EntryType.CLOSED:
        part = item.part_of_lasting()
        closing(part["message_type"], part["release"]).state(item)
    elif item.type == EntryType.ANSWER:
        release = next(iter(item.entry["network_ids"]), None)
        for known in closings.values():
            if known.release == release:
                known.answers += 1
                known.answer = item.entry["state"]
    elif (due := _due(item)) is not None:
        closing(due.message_type, due.release).expect(item, due.ends)


class _Due(NamedTuple):
    """Of what an entry makes a statement due."""

    message_type: str
    release: str | None
    ends: datetime


def _due(item: Told) -> _Due | None:
    entry = item.entry
    if item.type == EntryType.BULLETIN:
        (network,) = cast("list[str]", entry["network_ids"])
        return _Due(MessageType.BULLETIN.value, network, _time(entry["time"]))
    if item.type not in {EntryType.VERDICT, EntryType.PLANNED}:
        return None
    part = item.part_of_lasting()
    kind = part["message_type"]
    if item.type == EntryType.PLANNED and kind in {MessageType.ALERT, MessageType.NOTICE}:
        return _Due(kind, part["release"], _time(part["expires_at"]))
    if entry["state"] == VerdictKind.ACCEPTED and kind == MessageType.ALERT:
        return _Due(kind, None, _time(part["expires_at"] or entry["time"]))
    return None


def _is_closing(log: str, row: Row, closing: _Closing) -> bool:
    """Tell whether a row waits for what is due, and holds what was stated."""
    expected: dict[str, Any] = {
        "log": log,
        "message_type": closing.message_type,
        "message_id": closing.message_id,
        "release": closing.release,
        "due_at": closing.due_at,
        "open": closing.statement is None,
        **dict.fromkeys((*_STATED, "event_id", "closed_at")),
    }
    if closing.statement is not None:
        part = closing.statement.part_of_lasting()
        expected |= {name: part[name] for name in _STATED}
        expected["event_id"] = closing.statement.entry["event_id"]
        expected["closed_at"] = closing.statement.entry["time"]
    networks = row.get("network_ids")
    stated_first = closing.first_stated is not None and (
        closing.waited_since is None or closing.first_stated < closing.waited_since
    )
    return all(
        _plain(row.get(name)) == _plain(value, is_time=name.endswith("_at"))
        for name, value in expected.items()
    ) and (networks == closing.network_ids or (networks is None and stated_first))


def _is_answered(row: Row, closing: _Closing) -> bool:
    """Tell whether a row shows the answer on record, or is one that the job still looks at."""
    if closing.statement is None:
        return not any(row.get(name) for name in ("answer", "ask", "attempts"))
    asks = row.get("ask", False)
    return (
        row.get("attempts", 0) == closing.answers
        and row["bound"] in {None, closing.statement.index}
        and (asks is True or (asks is False and row["answer"] == "agreed"))
        and (row["answer"] == closing.answer or (row["answer"] is None and asks is True))
    )


def _time(value: str) -> datetime:
    return datetime.fromisoformat(value)
