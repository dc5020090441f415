"""What is counted of sends: by day, by message, and where those of a time stand.

All of it follows from the entries. Who appends keeps it up to date, who checks counts it anew.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from services.audit.domain.entries import in_utc

NO_NETWORK = "-"
"""What stands for the network of a send that has none."""

Day = tuple[str, str, str, str]
"""The day on which a send began, a network, a channel and a state."""

Outcome = tuple[str, str]
"""A message and a state."""

Period = tuple[str, int]
"""A day, an hour or ten minutes (UTC), numbered from the beginning of the calendar."""

Stretch = tuple[Period, int]
"""A period, and which stretch of the list of sends."""

Places = tuple[int, int]
"""The lowest and the highest, both included."""

STRETCH = 4096
"""Places of the list that are told apart within a period. A receipt that comes months late so adds
one place to its period, not all that lie between."""

TEN_MINUTES = "t"
_IN_HOUR = 6
_KINDS = (("d", 24 * _IN_HOUR), ("h", _IN_HOUR), (TEN_MINUTES, 1))
"""Days, hours and ten minutes, by how many times ten minutes they are; the longest first."""

_LAST_SLOT = 999_999_998
"""Beyond the last ten minutes of the year 9999."""


class Figures:
    """How many sends are in which state, or by how many that changes."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.days: Counter[Day] = Counter()
        """A send for two networks counts in both."""

        self.outcomes: Counter[Outcome] = Counter()
        self.slots: dict[tuple[int, int], Places] = {}
        """By ten minutes and stretch."""

    def count(self, send: Mapping[str, Any], state: str, by: int) -> None:
        """Count a send in a state; `by` is -1 where it leaves it."""
        day, channel = send["day"], send["channel"]
        for network in send["network_ids"] or (NO_NETWORK,):
            self.days[day, network, channel, state] += by
        self.outcomes[send["message_id"], state] += by

    def reach(self, moment: datetime, first: int) -> None:
        """Have the places of the periods that hold a moment include one."""
        _widen(self.slots, (_slot_of(moment), first // STRETCH), (first, first))

    def places(self) -> dict[Stretch, Places]:
        """Give between which places of a stretch the sends stand that changed last in a period.

        So a list of some time reads these places and no others. A send that has moved on to a
        later period leaves its old one wider than it needs to be, which is never wrong.
        """
        found: dict[Stretch, Places] = {}
        for (slot, which), places in self.slots.items():
            for kind, width in _KINDS:
                _widen(found, ((kind, slot // width), which), places)
        return found

    def add(self, other: "Figures") -> None:
        """Add what came since."""
        self.days.update(other.days)
        self.outcomes.update(other.outcomes)
        for stretch, places in other.slots.items():
            _widen(self.slots, stretch, places)

    def move(self, send: Mapping[str, Any], entries: Sequence[Any], start: int, end: int) -> None:
        """Count what the entries of [start, end) made of a send, whose entries are given in order.

        From the beginning of the log (`start` 0), that is what it is as of its size `end`.
        """
        before, after = _latest(entries, start), _latest(entries, end)
        if before is not None:
            self.count(send, before["state"], -1)
        if after is not None:
            self.count(send, after["state"], 1)

    def place(self, send: Mapping[str, Any], entries: Sequence[Any], size: int) -> None:
        """Have the periods in which a send changed last include it, as of a size of the log.

        A size at which a batch ended: within one, a send may pass through periods without being
        noted there.
        """
        latest = _latest(entries, size)
        if latest is not None:
            self.reach(datetime.fromisoformat(latest["time"]), send["first"])


_Key = TypeVar("_Key")


def _widen(kept: dict[_Key, Places], key: _Key, by: Places) -> None:
    lowest, highest = kept.get(key, by)
    kept[key] = min(lowest, by[0]), max(highest, by[1])


def joined(places: Iterable[Places]) -> list[Places]:
    """Join places that touch or overlap, both ends included; the last come first."""
    result: list[Places] = []
    for lowest, highest in sorted(places, key=lambda place: place[1], reverse=True):
        if result and highest >= result[-1][0] - 1:
            result[-1] = min(lowest, result[-1][0]), result[-1][1]
        else:
            result.append((lowest, highest))
    return result


def _latest(entries: Sequence[Any], size: int) -> Any | None:
    """Give the entry that says what a send is, in the log of a size."""
    past = [entry for entry in entries if entry["index"] < size]
    return max(past, key=lambda entry: entry["seq"]) if past else None


def periods(since: datetime | None, until: datetime | None) -> list[tuple[str, int, int]]:
    """Give the periods, [from, to) of a kind, that hold the time between two moments.

    The longest that fit: a year is some hundreds of them, and an hour into which thousands were
    sent is not read as a whole for a few minutes of it.
    """
    begin = 0 if since is None else _slot_of(since)
    end = _LAST_SLOT if until is None else _slot_of(until) + 1
    return _cover(begin, end, _KINDS)


def _cover(begin: int, end: int, kinds: Sequence[tuple[str, int]]) -> list[tuple[str, int, int]]:
    if begin >= end:
        return []
    (kind, width), shorter = kinds[0], kinds[1:]
    first, last = -(-begin // width), end // width
    if first >= last:
        return _cover(begin, end, shorter)
    return [
        *_cover(begin, first * width, shorter),
        (kind, first, last),
        *_cover(last * width, end, shorter),
    ]


def _slot_of(moment: datetime) -> int:
    own = in_utc(moment)
    return (own.toordinal() * 24 + own.hour) * _IN_HOUR + own.minute // 10
