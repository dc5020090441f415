"""The yearly evaluation of a network (circular of 28 February 2019): what it did, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from services.registry.domain.bulletin import BulletinRecord
from services.registry.domain.figures import Activity, figures
from services.registry.domain.meeting import Meeting
from services.registry.domain.tariff import Tariff
from shared.contracts.base import BulletinKind


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of the feedback that alerts owe: given, refused with a reason, or still due."""

    given: int
    waived: int
    due: int


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom messages can reach now, of the active members."""

    members: int
    by_sms: int
    by_mail: int


@dataclass(frozen=True, slots=True)
class MeetingHeld:
    """A meeting of the year; `attendance` is None where nobody noted it."""

    starts_at: datetime
    attendance: int | None
    has_minutes: bool


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One network's year."""

    network_id: str
    name: str
    year: int
    members: int
    joined: int
    left: int
    alerts: int
    bulletins: dict[BulletinKind, int]
    relay_median: timedelta | None
    """From the proposal, or its adoption, to the release; None where nothing was relayed."""

    relay_longest: timedelta | None
    returned: int
    expired: int
    feedback: Feedback
    reach: Reach
    sms_reached: int
    mail_reached: int
    not_reached: int
    meetings: tuple[MeetingHeld, ...]
    segments: int
    cost: Decimal | None
    """In euro; None where the tariff has no price for one of the days."""


def evaluate(
    activity: Activity,
    year: int,
    *,
    bulletins: Sequence[BulletinRecord],
    feedback: Feedback,
    reach: Reach,
    meetings: Sequence[Meeting],
    tariff: Tariff,
) -> Evaluation:
    """Put a network's year together. `bulletins` are those that ended in it, tests left out."""
    [line] = figures([activity], "network", tariff)
    released = [one for one in bulletins if one.state == "released"]
    relayed = [_waited(one) for one in released if one.origin != "coordinator"]
    return Evaluation(
        network_id=activity.network.network_id,
        name=activity.network.name,
        year=year,
        members=line.members or 0,
        joined=line.joined or 0,
        left=line.left or 0,
        alerts=line.alerts or 0,
        bulletins={kind: sum(one.kind is kind for one in released) for kind in BulletinKind},
        relay_median=_median(relayed),
        relay_longest=max(relayed, default=None),
        returned=sum(one.state == "returned" for one in bulletins),
        expired=sum(one.state == "expired" for one in bulletins),
        feedback=feedback,
        reach=reach,
        sms_reached=line.sms_reached or 0,
        mail_reached=line.mail_reached or 0,
        not_reached=line.not_reached or 0,
        meetings=tuple(
            MeetingHeld(one.starts_at, one.attendance, one.minutes is not None) for one in meetings
        ),
        segments=line.segments or 0,
        cost=line.cost,
    )


def _waited(bulletin: BulletinRecord) -> timedelta:
    released = bulletin.happened("released")
    return timedelta(0) if released is None else released - bulletin.waits_since


def _median(waited: Sequence[timedelta]) -> timedelta | None:
    if not waited:
        return None
    return timedelta(seconds=median(one.total_seconds() for one in waited))
