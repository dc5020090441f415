"""Figures on networks, for those who pay and those who oversee: no personal data, no small groups.

A person in two networks counts in each of these; what was paid for them counts once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from services.registry.domain.days import BRUSSELS
from services.registry.domain.network import NetworkRecord, province
from services.registry.domain.tariff import Tariff
from shared.contracts.base import Channel, Language

By = Literal["network", "municipality", "province", "kind", "language"]

FEW = 5
"""A group of fewer people could be told who it is; outside the zone its counts are withheld, and
other counts of people are rounded to multiples of this, so that no difference gives them away."""


def year_bounds(year: int) -> tuple[datetime, datetime]:
    """Give a year's begin and end (excluded) as people in Belgium count it."""
    return datetime(year, 1, 1, tzinfo=BRUSSELS), datetime(year + 1, 1, 1, tzinfo=BRUSSELS)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent in one network in one language, by one channel, on one day."""

    language: Language
    channel: Channel
    day: date
    reached: int
    not_reached: int
    """Failed, unknown, or with no number or address to send to."""

    segments: int


@dataclass(frozen=True, slots=True)
class People:
    """The members of one network who read one language (None: not known any more)."""

    language: Language | None
    members: int
    """At the end of the period, or now."""

    joined: int
    left: int


@dataclass(frozen=True, slots=True)
class Activity:
    """Everything that one network did in a year."""

    network: NetworkRecord
    people: tuple[People, ...] = ()
    alerts: frozenset[str] = frozenset()
    """Alerts, updates and all-clears; tests left out."""

    bulletins: frozenset[str] = frozenset()
    sent: tuple[Sent, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the figures. None: withheld, or not a thing that this line can have."""

    key: str
    name: str
    networks: int
    members: int | None
    joined: int | None
    left: int | None
    alerts: int | None
    bulletins: int | None
    sms_reached: int | None
    mail_reached: int | None
    not_reached: int | None
    segments: int | None
    cost: Decimal | None
    """In euro; None as well where the tariff has no price for one of the days."""


def figures(activities: Iterable[Activity], by: By, tariff: Tariff) -> list[Figure]:
    """Add up what networks did, one line per key, by key."""
    if by == "language":
        return _by_language(list(activities), tariff)
    key = _KEYS[by]
    groups: dict[str, list[Activity]] = {}
    for activity in activities:
        groups.setdefault(key(activity.network), []).append(activity)
    return [_line(name, by, groups[name], tariff) for name in sorted(groups)]


_KEYS: Mapping[By, Callable[[NetworkRecord], str]] = {
    "network": lambda network: network.network_id,
    "municipality": lambda network: network.municipality,
    "province": lambda network: province(network.municipality) or "",
    "kind": lambda network: network.kind,
}


def _line(key: str, by: By, group: Sequence[Activity], tariff: Tariff) -> Figure:
    people = [one for activity in group for one in activity.people]
    sent = [one for activity in group for one in activity.sent]
    return Figure(
        key=key,
        name=group[0].network.name if by == "network" else key,
        networks=len(group),
        members=sum(one.members for one in people),
        joined=sum(one.joined for one in people),
        left=sum(one.left for one in people),
        alerts=len(frozenset[str]().union(*(activity.alerts for activity in group))),
        bulletins=len(frozenset[str]().union(*(activity.bulletins for activity in group))),
        **_sums(sent),
        cost=_cost(sent, tariff),
    )


def _by_language(activities: Sequence[Activity], tariff: Tariff) -> list[Figure]:
    """Add up by language. A message has several, and who was erased has none: no such counts."""
    people = [one for activity in activities for one in activity.people]
    sent = [one for activity in activities for one in activity.sent]
    spoken = {one.language for one in people if one.language} | {one.language for one in sent}
    lines: list[Figure] = []
    for language in sorted(spoken):
        own = [one for one in sent if one.language == language]
        lines.append(
            Figure(
                key=language,
                name=language,
                networks=sum(_speaks(activity, language) for activity in activities),
                members=sum(one.members for one in people if one.language == language),
                joined=None,
                left=None,
                alerts=None,
                bulletins=None,
                **_sums(own),
                cost=_cost(own, tariff),
            )
        )
    return lines


def _speaks(activity: Activity, language: str) -> bool:
    return any(one.language == language and one.members for one in activity.people)


def _sums(sent: Sequence[Sent]) -> dict[str, int]:
    return {
        "sms_reached": sum(one.reached for one in sent if one.channel is Channel.SMS),
        "mail_reached": sum(one.reached for one in sent if one.channel is Channel.EMAIL),
        "not_reached": sum(one.not_reached for one in sent),
        "segments": sum(one.segments for one in sent),
    }


def _cost(sent: Sequence[Sent], tariff: Tariff) -> Decimal | None:
    return tariff.cost((one.day, one.segments) for one in sent)


def for_outsiders(lines: Iterable[Figure], by: By) -> list[Figure]:
    """Withhold what could identify a person, for whoever is not the zone itself.

    A recital of the GDPR (26) calls anonymous only what relates to nobody identifiable. What was
    paid stays exact, since it is the invoice's annex; but of a few people who share a language it
    would tell as much, so there it goes too.
    """
    return [_withheld(line, by) for line in lines]


def _withheld(line: Figure, by: By) -> Figure:
    is_few = line.members is not None and line.members < FEW
    shown = replace(
        line,
        members=_rounded(line.members),
        joined=None if is_few else _rounded(line.joined),
        left=None if is_few else _rounded(line.left),
        sms_reached=None if is_few else _rounded(line.sms_reached),
        mail_reached=None if is_few else _rounded(line.mail_reached),
        not_reached=None if is_few else _rounded(line.not_reached),
    )
    if is_few and by == "language":
        return replace(shown, networks=0, members=None, segments=None, cost=None)
    return shown


def _rounded(count: int | None) -> int | None:
    if count is None or count == 0:
        return count
    return None if count < FEW else (count + FEW // 2) // FEW * FEW
