"""A meeting of a network's members: when and where, who came, and its minutes.

Attendance is a number and no list of names: the yearly evaluation needs no more (GDPR, article
5(1)(c), data minimisation).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import icalendar
from pydantic import Field, StringConstraints

from services.registry.domain.aggregate import Aggregate
from services.registry.domain.days import BRUSSELS
from services.registry.domain.failures import Conflict, Invalid
from shared.contracts.base import Bodies, Id, Language, MessageId, Subjects, UtcTime, ZoneId

LONGEST = timedelta(hours=24)
_LONGEST_BODY = 20_000
_LONGEST_SUBJECT = 200

Place = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
Minutes = Annotated[str, StringConstraints(min_length=1, max_length=50_000)]
Attendance = Annotated[int, Field(ge=0, le=100_000)]


class Meeting(Aggregate):
    """One meeting. Its bulletin invites the members, with the calendar file."""

    meeting_id: Id
    zone_id: ZoneId
    network_id: Id
    bulletin_id: MessageId
    subject: Subjects
    body: Bodies
    place: Place
    starts_at: UtcTime
    ends_at: UtcTime
    created_at: UtcTime
    created_by: str
    """The `sub` of the coordinator."""

    organizer: str | None = None
    """Where answers go: the coordinator's address, as in each mail's Reply-To."""

    sequence: int = 0
    """How often it was moved or cancelled (RFC 5545, section 3.8.7.4)."""

    told_at: UtcTime | None = None
    """When the members were last told of a change; None where there was none."""

    cancelled_at: UtcTime | None = None
    attendance: int | None = None
    minutes: str | None = None


def move(
    meeting: Meeting, starts_at: datetime, ends_at: datetime, place: str, now: datetime
) -> Meeting:
    """Give a meeting another time or place; the same again changes nothing.

    Raises `Conflict` for one that began or was cancelled, `Invalid` for times that cannot be.
    """
    if (starts_at, ends_at, place) == (meeting.starts_at, meeting.ends_at, meeting.place):
        return meeting
    _check_ahead(meeting, now)
    check_times(starts_at, ends_at, now)
    return meeting.changed(
        starts_at=starts_at,
        ends_at=ends_at,
        place=place,
        sequence=meeting.sequence + 1,
        told_at=now,
    )


def cancel(meeting: Meeting, now: datetime) -> Meeting:
    """Call a meeting off; again changes nothing. Raises `Conflict` for one that began."""
    if meeting.cancelled_at is not None:
        return meeting
    _check_ahead(meeting, now)
    return meeting.changed(cancelled_at=now, sequence=meeting.sequence + 1, told_at=now)


def _check_ahead(meeting: Meeting, now: datetime) -> None:
    if meeting.cancelled_at is not None:
        raise Conflict("meeting-cancelled", "The meeting was cancelled; call a new one.")
    if meeting.starts_at <= now:
        raise Conflict("meeting-begun", "The meeting has begun; it cannot be moved or cancelled.")


def check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raise `Invalid` for a meeting that is over, or ends before it begins, or never ends."""
    if starts_at <= now:
        raise Invalid("already-over", "`starts_at` must lie ahead.", field="starts_at")
    if not starts_at < ends_at <= starts_at + LONGEST:
        raise Invalid(
            "no-duration",
            "`ends_at` must be later than `starts_at`, by 24 hours at most.",
            field="ends_at",
        )


def report(meeting: Meeting, attendance: int | None, minutes: str | None, now: datetime) -> Meeting:
    """Note how many came, and the minutes; None leaves a field as it is. Raises `Conflict`."""
    if meeting.cancelled_at is not None:
        raise Conflict("meeting-cancelled", "The meeting was cancelled; call a new one.")
    if meeting.starts_at > now:
        raise Conflict(
            "meeting-ahead", "The meeting is yet to come; note attendance and minutes after it."
        )
    values = {
        "attendance": meeting.attendance if attendance is None else attendance,
        "minutes": meeting.minutes if minutes is None else minutes,
    }
    if (meeting.attendance, meeting.minutes) == (values["attendance"], values["minutes"]):
        return meeting
    return meeting.changed(**values)


_WHEN_WHERE: Mapping[Language, tuple[str, str]] = {
    "nl": ("Wanneer", "Waar"),
    "fr": ("Quand", "Où"),
    "de": ("Wann", "Wo"),
    "en": ("When", "Where"),
}


_CHANGED: Mapping[Language, Mapping[bool, tuple[str, str]]] = {
    "nl": {
        False: ("Gewijzigd", "Deze vergadering is verplaatst."),
        True: ("Afgelast", "Deze vergadering gaat niet door."),
    },
    "fr": {
        False: ("Modifié", "Cette réunion est déplacée."),
        True: ("Annulé", "Cette réunion n'a pas lieu."),
    },
    "de": {
        False: ("Geändert", "Diese Versammlung ist verlegt."),
        True: ("Abgesagt", "Diese Versammlung findet nicht statt."),
    },
    "en": {
        False: ("Changed", "This meeting has been moved."),
        True: ("Cancelled", "This meeting is cancelled."),
    },
}
"""By whether it was cancelled: what goes before the subject, and before the text."""


def headline(meeting: Meeting) -> dict[Language, str]:
    """Give the bulletin's subject by language, which says that something changed."""
    if not meeting.sequence:
        return dict(meeting.subject)
    is_off = meeting.cancelled_at is not None
    return {
        language: f"{_CHANGED[language][is_off][0]}: {subject}"[:_LONGEST_SUBJECT].rstrip()
        for language, subject in meeting.subject.items()
    }


def invitation(meeting: Meeting) -> dict[Language, str]:
    """Give the bulletin's text by language: what the coordinator wrote, then when and where.

    Of a meeting that was moved or cancelled, that comes first. Raises `Invalid` where the text is
    longer than a bulletin can be.
    """
    start, end = _local(meeting.starts_at), _local(meeting.ends_at)
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%d/%m/%Y %H:%M}"
    texts: dict[Language, str] = {}
    for language, written in meeting.body.items():
        body = written
        when, where = _WHEN_WHERE[language]
        if meeting.sequence:
            body = f"{_CHANGED[language][meeting.cancelled_at is not None][1]}\n\n{body}"
        text = f"{body}\n\n{when}: {start:%d/%m/%Y %H:%M} - {until}\n{where}: {meeting.place}"
        if len(text) > _LONGEST_BODY:
            raise Invalid("too-long", "The text is too long; shorten it.", field="body")
        texts[language] = text
    return texts


def _local(moment: datetime) -> datetime:
    return moment.astimezone(BRUSSELS)


# the rule of the European Union's summer time (directive 2000/84/EC), since a calendar program
# need not know the zone by its name (RFC 5545, section 3.6.5)
_TIMEZONE = """BEGIN:VTIMEZONE
TZID:Europe/Brussels
BEGIN:DAYLIGHT
DTSTART:19960331T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def _add(component: Any, name: str, value: object) -> None:
    component.add(name, value)  # the library's own types are incomplete


def calendar_file(meeting: Meeting, language: Language) -> str:
    """Give the meeting as an iCalendar object (RFC 5545), in the network's first language.

    One file goes to all members, so it is in one language. Its UID never changes for a meeting, and
    SEQUENCE grows with each change, so that a calendar replaces or removes what it has (RFC 5546,
    sections 2.1.4, 3.2.1 and 3.2.5).
    """
    is_off = meeting.cancelled_at is not None
    told = language if language in meeting.subject else next(iter(meeting.subject))
    event = icalendar.Event()
    _add(event, "uid", f"{meeting.meeting_id}@{meeting.zone_id}.buurtbode")
    _add(event, "dtstamp", meeting.told_at or meeting.created_at)
    _add(event, "sequence", meeting.sequence)
    _add(event, "status", "CANCELLED" if is_off else "CONFIRMED")
    if meeting.organizer is not None:
        _add(event, "organizer", f"mailto:{meeting.organizer}")
    _add(event, "dtstart", _local(meeting.starts_at))
    _add(event, "dtend", _local(meeting.ends_at))
    _add(event, "summary", meeting.subject[told])
    _add(event, "description", meeting.body[told])
    _add(event, "location", meeting.place)
    calendar = icalendar.Calendar()
    _add(calendar, "prodid", "-//Buurtbode//registry//EN")
    _add(calendar, "version", "2.0")
    _add(calendar, "method", "CANCEL" if is_off else "PUBLISH")
    calendar.add_component(icalendar.Timezone.from_ical(_TIMEZONE.replace("\n", "\r\n")))
    calendar.add_component(event)
    return calendar.to_ical().decode()
