"""What is counted of sends: by day, by message, and where those of an hour stand.

All of it follows from the entries. Who appends keeps it up to date, who checks counts it anew.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.audit.domain.entries import in_utc

NO_NETWORK = "-"
"""What stands for the network of a send that has none."""

Day = tuple[str, str, str, str]
"""The day on which a send began, a network, a channel and a state."""

Outcome = tuple[str, str]
"""A message and a state."""

Stretch = tuple[int, int]
"""An hour, and which stretch of the list of sends."""

STRETCH = 4096
"""Places of the list that are told apart within an hour. A receipt that comes months late so adds
one place to its hour, not all that lie between."""


class Figures:
    """How many sends are in which state, or by how many that changes."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.days: Counter[Day] = Counter()
        """A send for two networks counts in both."""

        self.outcomes: Counter[Outcome] = Counter()
        self.hours: dict[Stretch, tuple[int, int]] = {}
        """Between which places of a stretch, both included, the sends stand whose latest change was
        in an hour.

        So a list of some hours reads these places and no others. A send that has moved on to a
        later hour leaves its old one wider than it needs to be, which is never wrong.
        """

    def count(self, send: Mapping[str, Any], state: str, by: int) -> None:
        """Count a send in a state; `by` is -1 where it leaves it."""
        day, channel = send["day"], send["channel"]
        for network in send["network_ids"] or (NO_NETWORK,):
            self.days[day, network, channel, state] += by
        self.outcomes[send["message_id"], state] += by

    def reach(self, hour: int, first: int) -> None:
        """Have an hour's places include one."""
        stretch = hour, first // STRETCH
        lowest, highest = self.hours.get(stretch, (first, first))
        self.hours[stretch] = min(lowest, first), max(highest, first)

    def add(self, other: "Figures") -> None:
        """Add what came since."""
        self.days.update(other.days)
        self.outcomes.update(other.outcomes)
        for (hour, _), places in other.hours.items():
            for place in places:
                self.reach(hour, place)

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
        """Have the hour include a send in which it changed last, as of a size of the log.

        A size at which a batch ended: within one, a send may pass through hours without being
        noted there.
        """
        latest = _latest(entries, size)
        if latest is not None:
            self.reach(hour_of(datetime.fromisoformat(latest["time"])), send["first"])


def joined(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join places that touch or overlap, both ends included; the last come first."""
    result: list[tuple[int, int]] = []
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


def hour_of(moment: datetime) -> int:
    """Number the hours of UTC, from the beginning of the calendar."""
    own = in_utc(moment)
    return own.toordinal() * 24 + own.hour
