"""Meetings: called with a calendar file, and reported on."""

from datetime import timedelta
from typing import Any

import icalendar
import pytest

from services.registry.flows.context import Context
from shared.contracts import Access, Bulletin
from tests.integration.registry.harness import Json, Registry

MEETINGS = "/networks/bin-linde/meetings"


def meeting_input(registry: Registry) -> Json:
    start = registry.time.now + timedelta(days=5)
    return {
        "subject": {"nl": "Ledenvergadering", "fr": "Réunion des membres"},
        "body": {"nl": "Met koffie.", "fr": "Avec du café."},
        "place": "Zaal Linde",
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=2)).isoformat(),
    }


async def test_a_meeting_is_mailed_with_a_calendar_file(linde: Registry) -> None:
    """Rules text: "a member meeting with date and place, mailed with an iCalendar file"."""
    called = await linde.coordinator().post(MEETINGS, 201, json=meeting_input(linde))

    [sent] = await linde.events(Bulletin)
    assert (sent.kind, sent.bulletin_id) == ("organisation", called["bulletin_id"])
    assert sent.body["nl"].startswith("Met koffie.\n\nWanneer: 25/11/2026 10:00 - 12:00\nWaar: ")
    assert sent.expires_at == linde.time.now + timedelta(days=5)
    assert sent.attachment is not None
    parsed: Any = icalendar.Calendar.from_ical(sent.attachment)
    [event] = parsed.walk("VEVENT")
    assert event.decoded("dtstart") == linde.time.now + timedelta(days=5)
    acted = [e.action for e in await linde.events(Access) if e.message_id == sent.bulletin_id]
    assert acted == ["bulletin.release", "meeting.call"]
    shown = await linde.police().get(f"/networks/bin-linde/bulletins/{sent.bulletin_id}")
    assert [step["what"] for step in shown["timeline"]] == ["written", "released"]


async def test_attendance_and_minutes_are_noted_once_it_was_held(linde: Registry) -> None:
    """Rules text: "attendance and minutes of meetings for the yearly evaluation"."""
    person = linde.coordinator()
    called = await person.post(MEETINGS, 201, json=meeting_input(linde))
    path = f"{MEETINGS}/{called['meeting_id']}"
    noted = {"attendance": 14, "minutes": "Besproken: verlichting."}
    await person.call("PATCH", path, 428, json=noted)
    await person.call("PATCH", path, 409, json=noted, headers={"If-Match": '"1"'})
    linde.time.advance(days=6)

    done = await person.call("PATCH", path, 200, json=noted, headers={"If-Match": '"1"'})
    await person.call("PATCH", path, 412, json={"attendance": 3}, headers={"If-Match": '"1"'})

    assert (done["attendance"], done["version"]) == (14, 2)
    [listed] = (await linde.police().get(MEETINGS))["items"]
    assert listed["minutes"] == "Besproken: verlichting."
    reports = [e for e in await linde.events(Access) if e.action == "meeting.report"]
    assert [e.reader for e in reports] == ["coordinator-1"]


async def test_who_was_invited_is_told_when_a_meeting_moves_or_is_cancelled(
    linde: Registry,
) -> None:
    """RFC 5546: one UID, a SEQUENCE that grows, and METHOD:CANCEL at the end."""
    person = linde.coordinator()
    called = await person.post(MEETINGS, 201, json=meeting_input(linde))
    path = f"{MEETINGS}/{called['meeting_id']}"
    later = (linde.time.now + timedelta(days=6)).isoformat()
    ends = (linde.time.now + timedelta(days=6, hours=1)).isoformat()
    moves = {"starts_at": later, "ends_at": ends, "place": "Zaal Eik"}

    async def patch(version: int, status: int, **change: Any) -> Any:
        headers = {"If-Match": f'"{version}"'}
        return await person.call("PATCH", path, status, json=change, headers=headers)

    moved = await patch(1, 200, **moves)
    await patch(1, 412, cancelled=True)
    assert (await patch(2, 200, **moves))["version"] == 2
    assert (await patch(2, 422, cancelled=True, attendance=3))["type"].endswith("one-at-a-time")
    assert (await patch(2, 422, ends_at=later))["field"] == "ends_at"
    off = await patch(2, 200, cancelled=True)
    await patch(3, 409, starts_at=ends)

    assert (moved["place"], off["cancelled_at"]) == ("Zaal Eik", "2026-11-20T09:00:00Z")
    sent = sorted(await linde.events(Bulletin), key=lambda e: str(e.attachment).count("CANCEL"))
    files = [str(e.attachment) for e in sent]
    assert ["METHOD:CANCEL" in file for file in files] == [False, False, True]
    assert {line for file in files for line in file.split("\r\n") if "UID:" in line} == {
        f"UID:{called['meeting_id']}@demo.buurtbode"
    }
    assert "mailto:coordinator-1@bin.example" in files[0]
    assert sorted(e.subject["nl"].split(":")[0] for e in sent) == [
        "Afgelast",
        "Gewijzigd",
        "Ledenvergadering",
    ]
    acted = [e.action for e in await linde.events(Access) if e.action.startswith("meeting.")]
    assert sorted(acted) == ["meeting.call", "meeting.cancel", "meeting.move"]
    linde.time.advance(days=20)
    year = await linde.police().get("/networks/bin-linde/evaluation", params={"year": 2026})
    assert year["meetings"] == []


async def test_meetings_are_listed_in_pages_the_latest_first(linde: Registry) -> None:
    person = linde.coordinator()
    for _ in range(3):
        linde.time.advance(hours=1)
        await person.post(MEETINGS, 201, json=meeting_input(linde))
    every = (await person.get(MEETINGS))["items"]

    found: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = await person.get(MEETINGS, params=params)
        found += [item["meeting_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert found == [item["meeting_id"] for item in every]
    assert every == sorted(every, key=lambda item: item["starts_at"], reverse=True)
    await person.get(MEETINGS, 422, params={"cursor": "x"})


async def test_bad_meetings_name_their_field(linde: Registry) -> None:
    good = meeting_input(linde)
    for wrong, field in (
        ({"starts_at": linde.time.now.isoformat()}, "starts_at"),
        ({"ends_at": good["starts_at"]}, "ends_at"),
        ({"body": {"nl": "Enkel Nederlands."}}, "body"),
    ):
        problem = await linde.coordinator().post(MEETINGS, 422, json={**good, **wrong})
        assert problem["field"] == field
    await linde.coordinator().post(MEETINGS, 422, json={**good, "place": "a\nb"})
    await linde.police().post("/networks/bin-linde/suspend", json={"reason": "pauze"})
    await linde.coordinator().post(MEETINGS, 409, json=good)
    assert await linde.database["meetings"].count_documents({}) == 0


class Crash(Exception):  # noqa: N818
    """The process ends here."""


async def test_a_meeting_and_its_bulletin_are_whole_or_absent(
    linde: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_args: object, **_rest: object) -> None:
        raise Crash

    monkeypatch.setattr(Context, "record", crash)
    with pytest.raises(Crash):
        await linde.coordinator().raw("POST", MEETINGS, json=meeting_input(linde))
    monkeypatch.undo()

    assert await linde.events(Bulletin) == []
    for name in ("meetings", "bulletins"):
        assert await linde.database[name].count_documents({}) == 0
