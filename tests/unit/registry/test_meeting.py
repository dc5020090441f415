"""A meeting's calendar file, its invitation, and what is noted afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest

from services.registry.domain import meeting as rules
from services.registry.domain.failures import Conflict, Invalid
from services.registry.domain.meeting import Meeting
from tests.unit.registry.people import NOW

STARTS = datetime(2026, 12, 1, 19, 0, tzinfo=UTC)
_WEEK, _HOUR = timedelta(days=7), timedelta(hours=1)


def meeting(**changes: Any) -> Meeting:
    return Meeting.model_validate(
        {
            "meeting_id": "meeting-1",
            "zone_id": "demo",
            "network_id": "bin-linde",
            "bulletin_id": "11111111-1111-1111-1111-111111111111",
            "subject": {"nl": "Ledenvergadering; welkom", "fr": "Réunion des membres"},
            "body": {"nl": "Met koffie,\nen taart.", "fr": "Avec du café."},
            "place": "Zaal Linde, Lindelaan 1",
            "starts_at": STARTS,
            "ends_at": STARTS + timedelta(hours=2),
            "created_at": NOW,
            "created_by": "coordinator-1",
            **changes,
        }
    )


def calendar_of(one: Meeting, language: Any = "nl") -> tuple[Any, Any]:
    parsed: Any = icalendar.Calendar.from_ical(rules.calendar_file(one, language))
    [event] = parsed.walk("VEVENT")
    return parsed, event


def event_of(one: Meeting, language: Any = "nl") -> Any:
    return calendar_of(one, language)[1]


def test_the_calendar_file_is_what_rfc_5545_asks() -> None:
    """RFC 5545: UID, DTSTAMP, a VTIMEZONE for each TZID (3.6.5), CRLF, lines of 75 octets (3.1)."""
    text = rules.calendar_file(meeting(place="Zaal Linde, " + "é" * 120), "nl")

    lines = text.split("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in lines)
    for wanted in (
        "VERSION:2.0",
        "METHOD:PUBLISH",
        "UID:meeting-1@demo.buurtbode",
        "DTSTAMP:20261120T090000Z",
        "DTSTART;TZID=Europe/Brussels:20261201T200000",
        "DTEND;TZID=Europe/Brussels:20261201T220000",
        "TZID:Europe/Brussels",
    ):
        assert lines.count(wanted) == 1, wanted


def test_the_calendar_file_reads_back() -> None:
    event = event_of(meeting())

    assert event.decoded("dtstart") == STARTS
    assert event.decoded("dtend") == STARTS + timedelta(hours=2)
    assert str(event["summary"]) == "Ledenvergadering; welkom"
    assert str(event["description"]) == "Met koffie,\nen taart."
    assert str(event["location"]) == "Zaal Linde, Lindelaan 1"


@pytest.mark.parametrize("month", [1, 3, 7, 10])
def test_the_hour_is_right_in_summer_and_in_winter(month: int) -> None:
    """The file's own time zone says what the public one says, on the days of the change too."""
    for day in (1, 24, 25, 26, 27, 28, 29):
        start = datetime(2027, month, day, 12, 0, tzinfo=UTC)
        one = meeting(starts_at=start, ends_at=start + timedelta(hours=1))
        parsed: Any = icalendar.Calendar.from_ical(rules.calendar_file(one, "nl"))
        [zone] = parsed.walk("VTIMEZONE")
        local = event_of(one)["dtstart"].dt.replace(tzinfo=None)
        assert local.replace(tzinfo=zone.to_tz()).astimezone(UTC) == start


def test_a_change_keeps_the_uid_and_raises_the_sequence() -> None:
    """RFC 5546: the same UID with a higher SEQUENCE replaces it (2.1.4, 2.1.5), CANCEL ends it."""
    first = meeting(organizer="coordinator@bin.example")
    moved = rules.move(first, STARTS + _WEEK, STARTS + _WEEK + _HOUR, "Zaal Eik", NOW)
    off = rules.cancel(moved, NOW + _HOUR)

    found = [calendar_of(one) for one in (first, moved, off)]
    assert [str(calendar["method"]) for calendar, _ in found] == ["PUBLISH", "PUBLISH", "CANCEL"]
    assert [event["sequence"] for _, event in found] == [0, 1, 2]
    assert [str(event["status"]) for _, event in found] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert len({str(event["uid"]) for _, event in found}) == 1
    assert {str(event["organizer"]) for _, event in found} == {"mailto:coordinator@bin.example"}
    assert found[1][1].decoded("dtstart") == STARTS + _WEEK
    assert found[2][1].decoded("dtstamp") == NOW + _HOUR
    assert (first.version, moved.version, off.version) == (1, 2, 3)


def test_the_members_read_at_once_what_changed() -> None:
    moved = rules.move(meeting(), STARTS, STARTS + _HOUR, "Zaal Eik", NOW)

    assert rules.headline(moved)["nl"] == "Gewijzigd: Ledenvergadering; welkom"
    assert rules.invitation(moved)["fr"].startswith("Cette réunion est déplacée.\n\n")
    off = rules.cancel(moved, NOW)
    assert rules.headline(off)["fr"] == "Annulé: Réunion des membres"
    assert rules.invitation(off)["nl"].startswith("Deze vergadering gaat niet door.\n\n")
    assert len(rules.headline(rules.cancel(meeting(subject={"nl": "x" * 200}), NOW))["nl"]) == 200


def test_only_what_is_yet_to_come_is_moved_or_cancelled() -> None:
    one = meeting()
    assert rules.move(one, one.starts_at, one.ends_at, one.place, STARTS + _WEEK) is one
    off = rules.cancel(one, NOW)
    assert rules.cancel(off, STARTS + _WEEK) is off
    for wrong in (
        lambda: rules.cancel(one, STARTS),
        lambda: rules.move(one, STARTS + _WEEK, STARTS + _WEEK + _HOUR, "x", STARTS),
        lambda: rules.move(off, STARTS + _WEEK, STARTS + _WEEK + _HOUR, "x", NOW),
        lambda: rules.report(off, 3, None, STARTS),
    ):
        with pytest.raises(Conflict):
            wrong()
    with pytest.raises(Invalid):
        rules.move(one, NOW - _HOUR, NOW, "x", NOW)


def test_the_file_speaks_the_networks_language_where_the_text_has_it() -> None:
    assert str(event_of(meeting(), "fr")["summary"]) == "Réunion des membres"
    assert str(event_of(meeting(), "de")["summary"]) == "Ledenvergadering; welkom"


def test_the_invitation_says_when_and_where() -> None:
    """Rules text: "a member meeting with date and place"."""
    texts = rules.invitation(meeting())

    assert texts["nl"].endswith(
        "\n\nWanneer: 01/12/2026 20:00 - 22:00\nWaar: Zaal Linde, Lindelaan 1"
    )
    assert "Quand: 01/12/2026 20:00 - 22:00" in texts["fr"]
    late = meeting(ends_at=STARTS + timedelta(hours=6))
    assert "20:00 - 02/12/2026 02:00" in rules.invitation(late)["nl"]
    with pytest.raises(Invalid):
        rules.invitation(meeting(body={"nl": "x" * 20_000, "fr": "x"}))


@pytest.mark.parametrize(
    ("start", "hours", "field"),
    [
        (NOW, 1, "starts_at"),
        (STARTS, 0, "ends_at"),
        (STARTS, -1, "ends_at"),
        (STARTS, 25, "ends_at"),
    ],
)
def test_a_meeting_lies_ahead_and_ends(start: datetime, hours: int, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check_times(start, start + timedelta(hours=hours), NOW)
    assert refused.value.field == field


def test_attendance_and_minutes_come_after_the_meeting() -> None:
    """Rules text: "attendance and minutes of meetings for the yearly evaluation"."""
    with pytest.raises(Conflict):
        rules.report(meeting(), 12, None, NOW)

    held = rules.report(meeting(), 12, None, STARTS)
    assert (held.attendance, held.minutes, held.version) == (12, None, 2)
    assert rules.report(held, 12, None, STARTS) is held
    assert rules.report(held, None, "Verslag.", STARTS).attendance == 12
