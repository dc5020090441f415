"""Files for a spreadsheet program: what they hold, what they never do, and that it is on record."""

import csv
import io
import tracemalloc
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from services.audit.domain.spreadsheet import XlsxFile, csv_lines
from shared.access import Role
from shared.contracts import Access
from shared.contracts.base import Channel, SendState
from tests.integration.audit.test_people import recorded
from tests.integration.audit.world import NOW, World, send

FORMULA = '=HYPERLINK("http://evil.example")'


def rows_of(answer: httpx.Response) -> list[list[str]]:
    """Read either kind of file as a spreadsheet program does, as text."""
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"].startswith("text/csv"):
        text = answer.content.decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    for row in sheet.iter_rows():
        assert all(cell.data_type != "f" for cell in row)
    return [
        ["" if value is None else str(value) for value in row]
        for row in sheet.iter_rows(values_only=True)
    ]


async def test_exports_hold_what_the_lists_hold_and_no_formula(world: World) -> None:
    access = Access(
        event_id="a-1",
        zone_id="demo",
        service="registry",
        kind="read",
        action="member.list",
        actor="a" * 64,
        reader="coordinator-1",
        reason=FORMULA + "\x07",
        time=NOW,
    )
    async with world.running() as app:
        await world.publish(
            *[send(number, networks=["bin-a", "bin-b"]) for number in range(1100)],
            send(5, 2, SendState.DELIVERED),
            send(2000, channel=Channel.EMAIL),
            access,
        )
        await world.signed(1103)
        for count, form in enumerate(("csv", "xlsx"), start=1):
            async with world.http(app, Role.AUDITOR) as http:
                sends = rows_of(await http.get("/v1/exports/sends", params={"format": form}))
                mail = {"format": form, "channel": "email"}
                assert len(rows_of(await http.get("/v1/exports/sends", params=mail))) == 2
                accesses = rows_of(await http.get("/v1/exports/access", params={"format": form}))
                stats = rows_of(await http.get("/v1/exports/stats", params={"format": form}))
            async with world.http(app, Role.FEDERAL, zone=None) as http:
                counts = rows_of(await http.get("/v1/exports/stats", params={"format": form}))
            await recorded(world, "sends.export", 2 * count)
            await recorded(world, "access.export", count)
            holds_the_sends(sends)
            # shown as it is, and never executed
            assert f"'{FORMULA}\ufffd" in [row[-1] for row in accesses]
            assert stats == counts
            assert {row[-1] for row in counts[1:]} == {"1099", "1"}


def holds_the_sends(rows: list[list[str]]) -> None:
    header, *listed = rows
    shown = {row[header.index("send_id")]: row for row in listed}
    assert len(listed) == len(shown) == 1101
    assert shown["send-5"][header.index("state")] == "delivered"
    assert shown["send-6"][header.index("network_ids")] == "bin-a bin-b"
    assert shown["send-6"][header.index("house_rules")] == "bin-linde:2"


def test_a_long_export_takes_no_more_memory_than_a_short_one() -> None:
    def peak(pages: int) -> int:
        book = XlsxFile()
        tracemalloc.start()
        try:
            for page in range(pages):
                rows = [[f"{page}-{number}", number, "text"] for number in range(200)]
                book.add(rows)
                csv_lines(rows, first=page == 0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            book.discard()
            tracemalloc.stop()

    assert peak(8) < 1.5 * peak(2)


async def test_counters_of_all_years_are_exported_page_by_page(world: World) -> None:
    """A federal export holds every zone's counters of every year: millions, and never at once."""
    app = await world.build()
    stats = world.database["stats"]
    counters = [
        {
            "_id": f"{zone}|{year}-03-14|bin-{number:03}|sms|delivered",
            "log": zone,
            "day": f"{year}-03-14",
            "network_id": f"bin-{number:03}",
            "channel": "sms",
            "state": "delivered",
            "count": 1,
        }
        for zone in ("demo", "other")
        for year in (2019, 2026)
        for number in range(300)
    ]
    await stats.insert_many(counters)
    await world.database.command({"profile": 2})
    async with world.http(app, Role.FEDERAL, zone=None) as http:
        exported = rows_of(await http.get("/v1/exports/stats"))
        some = {"zone_id": "demo", "from": "2020-01-01", "format": "xlsx"}
        later = rows_of(await http.get("/v1/exports/stats", params=some))
    await world.database.command({"profile": 0})
    assert [row[:3] for row in exported[1:]] == [
        [counter["log"], counter["day"], counter["network_id"]] for counter in counters
    ]
    assert {(row[0], row[1]) for row in later[1:]} == {("demo", "2026-03-14")}
    reads: list[dict[str, Any]] = (
        await world.database["system.profile"]
        .find({"ns": stats.full_name, "op": {"$in": ["query", "getmore"]}})
        .to_list()
    )
    assert sum(read["nreturned"] for read in reads) >= len(counters)
    assert max(read["nreturned"] for read in reads) <= 501
    # nor does the database read more than it gives
    assert max(read["docsExamined"] for read in reads) <= 501


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_more_rows_than_a_sheet_holds_are_refused_and_leave_nothing_behind(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("services.audit.domain.spreadsheet.MOST_ROWS", 5)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = names(tmp_path)
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(10)])
        await world.signed(10)
        async with world.http(app, Role.AUDITOR) as http:
            answer = await http.get("/v1/exports/sends", params={"format": "xlsx"})
            assert (answer.status_code, answer.json()["field"]) == (422, "format")
            assert len(rows_of(await http.get("/v1/exports/sends"))) == 11
    assert names(tmp_path) == before
