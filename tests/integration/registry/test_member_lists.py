"""Importing and exporting a member list, whole or not at all."""

import asyncio
import io
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook

from services.registry.flows.context import Context
from shared.contracts import Access, Member, Notice
from tests.integration.registry.harness import As, Registry, member_input, paper

LIST = "/networks/bin-linde/members"
IMPORT = f"{LIST}/import"

DUTCH = (
    "Ledenlijst BIN Linde;;;;\r\n"
    "\r\n"
    "Voornaam;Achternaam;GSM;E-mailadres;Taal;Straat\r\n"
    "Anaïs;Voorbeeld;0450/12.34.56;Anais@Voorbeeld.example;N;Lindelaan 1\r\n"
    "\r\n"
    "Bram;de Proef;+32 450 12 34 57;;FR;Lindelaan 2\r\n"
    ";;;;;\r\n"
    "Célie;Exemple;;celie@exemple.example;;\r\n"
).encode("cp1252")


async def send(who: As, data: bytes, status: int = 200, **query: Any) -> Any:
    return await who.post(IMPORT, status, content=data, params=query)


async def names(registry: Registry) -> list[str]:
    page = await registry.coordinator().get(LIST, params={"limit": 500})
    return [item["name"] for item in page["items"]]


async def test_a_list_as_it_exists_in_the_wild(linde: Registry) -> None:
    who = linde.coordinator()
    dry = await send(who, DUTCH, dry_run=True)
    assert (dry["applied"], dry["added"], dry["problems"]) == (False, 3, [])
    assert dry["ignored_columns"] == [6]
    assert await names(linde) == []
    assert await linde.events(Member) == []

    done = await send(who, DUTCH)

    assert (done["applied"], done["added"], done["pending"]) == (True, 3, 3)
    assert done["pending_without_email"] == 1, "no link reaches them: they accept on paper"
    assert await names(linde) == ["Anaïs Voorbeeld", "Bram de Proef", "Célie Exemple"]
    events = {event.phone: event for event in await linde.events(Member)}
    assert set(events) == {"+32450123456", "+32450123457", None}
    assert {event.state for event in events.values()} == {"pending"}
    assert events["+32450123457"].language == "fr"
    notices = [n for n in await linde.events(Notice) if n.template == "accept_house_rules"]
    assert {n.to_member for n in notices} == {event.member_id for event in events.values()}


async def test_an_import_again_adds_nobody(linde: Registry) -> None:
    who = linde.coordinator()
    await send(who, DUTCH)
    again = await send(who, DUTCH)
    assert (again["applied"], again["repeated"], again["added"]) == (False, True, 0)

    other = await send(who, DUTCH.decode("cp1252").encode())  # other bytes, the same people
    assert (other["applied"], other["added"]) == (True, 0)
    assert other["skipped"] == [{"row": row, "reason": "there"} for row in (4, 6, 8)]
    assert len(await linde.events(Member)) == 3


async def test_a_list_that_gained_or_lost_a_column_adds_nobody(linde: Registry) -> None:
    """People are known by their number, and by address and name; who left comes back themselves."""
    who = linde.coordinator()
    first = await send(
        who, b"Naam,E-mail\nEen Lid,een@voorbeeld.example\nTwee Lid,twee@voorbeeld.example\n"
    )
    assert first["added"] == 2
    gone = await who.post(LIST, 201, json=member_input(3))
    await who.post(f"{LIST}/{gone['member_id']}/leave")
    header = b"Naam,E-mail,GSM\n"
    rows = (
        b"een lid,een@voorbeeld.example,0450000021\n"
        b"Twee Lid,twee@voorbeeld.example,\n"
        b"Lid Nummer 0003,lid3@voorbeeld.example,0450000023\n"
        b"Lid Nummer 0003,ander@voorbeeld.example,0450000003\n"
    )
    report = await send(who, header + rows)
    assert report["added"] == 0
    assert [one["reason"] for one in report["skipped"]] == [
        *("there_with_another_number", "there", "left", "left")
    ]
    twice = header + b"Een,x@voorbeeld.example,0450000031\nEen,x@voorbeeld.example,0450000032\n"
    answer = await who.raw("POST", IMPORT, content=twice)
    [problem] = answer.json()["report"]["problems"]
    assert (problem["field"], problem["reason"]) == ("email", "twice-in-file")
    assert problem["same_as_row"] == 2


async def test_two_imports_at_once_add_each_person_once(linde: Registry) -> None:
    who = linde.coordinator()
    await asyncio.gather(*(who.raw("POST", IMPORT, content=DUTCH) for _ in range(4)))
    assert len(await linde.events(Member)) == 3


async def test_who_left_is_not_enrolled_again_by_a_list(linde: Registry) -> None:
    who = linde.coordinator()
    new = await who.post(LIST, 201, json=member_input(1))
    await who.post(f"{LIST}/{new['member_id']}/leave")

    report = await send(who, b"Naam,GSM\nLid Nummer 0001,0450000001\n")

    assert report["skipped"] == [{"row": 2, "reason": "left"}]
    assert report["added"] == 0


async def test_one_bad_row_and_nobody_is_imported(linde: Registry) -> None:
    """The report names row, field and reason in the caller's language, never the value."""
    who = linde.coordinator()
    await who.post(LIST, 201, json=member_input(9))
    bad = (
        b"Naam\tTelefoon\tE-mail\tTaal\tGetekend op\tGetuige\tMeerderjarig\n"
        b"Goed Voorbeeld\t0450 12 34 56\t\tnl\t\t\t\n"
        b"Dubbel Voorbeeld\t+32 450 12 34 56\t\tnl\t\t\t\n"
        b"Slecht Nummer\t101\t\tnl\t\t\t\n"
        b"Slecht Adres\t\tgeen-adres\tnl\t\t\t\n"
        b"Niemand Bereikbaar\t\t\tnl\t\t\t\n"
        b"\t0450 12 34 58\t\tnl\t\t\t\n"
        b"Vreemde Taal\t0450 12 34 59\t\tKlingon\t\t\t\n"
        b"Zonder Getuige\t0450 12 34 60\t\tnl\t31/10/2026\t\tja\n"
        b"Niet Geboren\t0450 12 34 61\t\tnl\t31/13/2026\tWim Getuige\tnee\n"
        b"Lid Anders\t0450 00 00 09\t\tnl\t\t\t\n"
    )

    answer = await who.raw(
        "POST", IMPORT, content=bad, headers={"Accept-Language": "fr-BE,fr;q=0.9,en;q=0.1"}
    )

    assert answer.status_code == 422
    problem = answer.json()
    found = [(p["row"], p["field"], p["reason"]) for p in problem["report"]["problems"]]
    assert found == [
        (3, "phone", "twice-in-file"),
        (4, "phone", "no-phone-number"),
        (5, "email", "no-email-address"),
        (6, "phone", "no-contact"),
        (7, "name", "no-name"),
        (8, "language", "unknown-word"),
        (9, "witness", "no-witness"),
        (10, "adult", "not-adult"),
        (10, "signed_on", "no-date"),
        (11, "phone", "phone-taken"),
    ]
    assert problem["report"]["problems"][0]["same_as_row"] == 2
    assert problem["report"]["problems"][1]["detail"].startswith("Ce n'est pas un numéro")
    for value in ("Voorbeeld", "101", "geen-adres", "Klingon", "450", "Wim"):
        assert value not in answer.text
    assert await names(linde) == ["Lid Nummer 0009"]


async def test_an_import_that_crashes_midway_leaves_nothing(
    linde: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(Exception):  # noqa: N818
        pass

    async def crash(*_args: object, **_rest: object) -> None:
        raise Crash

    monkeypatch.setattr(Context, "record_many", crash)
    with pytest.raises(Crash):
        await linde.coordinator().raw("POST", IMPORT, content=DUTCH)
    monkeypatch.undo()

    assert await linde.database["members"].count_documents({}) == 0
    assert await linde.events(Member) == []
    done = await send(linde.coordinator(), DUTCH)
    assert done["added"] == 3


def sheet(*rows: tuple[Any, ...]) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(list(row))
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


async def test_a_workbook_is_read_as_it_is_shown(linde: Registry) -> None:
    """Excel keeps `0450123456` as the quantity 450123456."""
    data = sheet(
        ("Nom", "Prénom", "Téléphone", "Langue", "Signé le", "Témoin", "Majeur"),
        ("Exemple", "Zoé", 450123456, "français", linde.time.now.date(), "Témoin Un", "oui"),
    )

    done = await linde.coordinator().post(
        IMPORT, 200, files={"file": ("leden.xlsx", data, "application/octet-stream")}
    )

    assert (done["added"], done["pending"]) == (1, 0)
    [event] = await linde.events(Member)
    assert (event.phone, event.state, event.house_rules_version) == ("+32450123456", "active", 1)


async def test_what_is_no_list_says_what_to_do(linde: Registry) -> None:
    who = linde.coordinator()
    for data, kind in (
        (b"", "empty-file"),
        (b"a;b\n1;2\n", "no-header"),
        (b"PK\x03\x04 not a zip", "unreadable-file"),
        (b"\xd0\xcf\x11\xe0 old", "old-spreadsheet"),
        (b"\x00\x01\x02", "unreadable-file"),
    ):
        problem = await send(who, data, 422)
        assert problem["type"].endswith(kind)
        assert problem["field"] == "file"
    large = await who.raw("POST", IMPORT, content=b"x" * 10_000_001)
    assert large.status_code == 413


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_an_export_can_be_imported_elsewhere_and_executes_nothing(
    linde: Registry, form: str
) -> None:
    who = linde.coordinator()
    await who.post(
        LIST,
        201,
        json=member_input(1, name="=HYPERLINK(0)", accepted_on_paper=paper(linde), tie="both"),
    )
    await who.post(LIST, 201, json=member_input(2, name="'t Hooft", kind="company"))
    hidden = await who.post(LIST, 201, json=member_input(3))
    asked = {"restricted": True, "reason": "r", "ground": "objection", "asked_on": "2026-11-20"}
    await who.post(f"{LIST}/{hidden['member_id']}/restrict", json=asked)

    answer = await who.raw(
        "GET", f"{LIST}/export", params={"form": form}, headers={"Accept-Language": "nl"}
    )

    assert (answer.status_code, answer.headers["left-out"]) == (200, "1")
    assert_no_formula(answer, form)
    exported = [e for e in await linde.events(Access) if e.kind == "export"]
    assert [len(event.member_ids) for event in exported] == [2]
    for member in (await who.get(LIST))["items"]:
        await linde.database["members"].delete_one({"_id": member["member_id"]})
    done = await send(who, answer.content)
    assert (done["added"], done["pending"], done["ignored_columns"]) == (2, 1, [])
    items = (await who.get(LIST))["items"]
    assert [(i["name"], i["phone"], i["kind"], i["tie"], i["state"]) for i in items] == [
        ("'t Hooft", "+32450000002", "company", "lives", "pending"),
        ("=HYPERLINK(0)", "+32450000001", "resident", "both", "active"),
    ]


def assert_no_formula(answer: httpx.Response, form: str) -> None:
    if form == "csv":
        lines = answer.content.decode("utf-8-sig").splitlines()
        assert lines[0].startswith("Naam;Telefoon;")
        cells = [cell for line in lines for cell in line.split(";")]
    else:
        page = load_workbook(io.BytesIO(answer.content)).worksheets[0]
        found = [cell for row in page.iter_rows() for cell in row]
        assert {cell.data_type for cell in found} <= {"s", "n", "inlineStr"}, "no formula cell"
        cells = [str(cell.value or "") for cell in found]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


async def test_thousands_of_rows_need_no_round_trip_each(linde: Registry) -> None:
    """How long it takes is measured by the benchmark, with 10,000."""
    lines = ["Naam;GSM;E-mail;Taal"]
    lines += [
        f"Lid Nummer {n};0450 00 {n // 100:02} {n % 100:02};lid{n}@x.example;nl"
        for n in range(2000)
    ]
    data = "\n".join(lines).encode()
    await linde.database.command({"profile": 2})

    done = await send(linde.coordinator(), data)

    await linde.database.command({"profile": 0})
    assert await linde.database["system.profile"].count_documents({}) < 50  # 13 are needed
    assert done["added"] == 2000
    assert await linde.database["members"].count_documents({"state": "pending"}) == 2000
    outbox = linde.database["outbox"]
    assert await outbox.count_documents({"topic": "bin.members"}) == 2000
    assert await outbox.count_documents({"topic": "bin.notices"}) == 2000
    access = [e for e in await linde.events(Access) if e.action == "member.import"]
    assert [len(event.member_ids) for event in access] == [1000, 1000]
