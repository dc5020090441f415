"""The readable pages: in the reader's language, complete, escaped, and on record."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import unescape

from services.audit.api.report_actions import ACTIONS
from services.audit.api.report_codes import (
    CHANNELS,
    ENTRY_TYPES,
    KINDS,
    NOTICES,
    SEND_STATES,
    SERVICES,
    STATUSES,
    VERDICTS,
    say,
    say_state,
)
from services.audit.api.report_words import words
from shared.access import Role
from shared.contracts import Access, Bulletin, Network, Notice, Zone
from shared.contracts.base import LANGUAGES, Language, SendState
from shared.contracts.dispatcher import Basis, VerdictKind
from shared.contracts.registry import LegalBasis, ZoneContact
from shared.kafka import Outgoing
from tests.integration.audit import rows
from tests.integration.audit.test_people import NUMBER, pseudonym, recorded
from tests.integration.audit.test_whole_path import planned, verdict_on
from tests.integration.audit.world import MESSAGE, NOW, World, send

NOTICE = "7a1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e91"
BULLETIN = "8b1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e92"
TEXT = "Let op <script>alert(1)</script>: inbraken"
ALERT = (
    f'{{"alert_id": "{MESSAGE}", "issued_by": "officer-1", '
    f'"text": {{"nl": "{TEXT}", "fr": "Attention"}}}}'
).encode()
ZONE = Zone(
    zone_id="demo",
    version=1,
    name="Politiezone Linde",
    legal_basis=LegalBasis(warm="wet van 5 augustus 1992", cold="toestemming"),
    contact=ZoneContact(
        address="Voorbeeldstraat 1, 9000 Gent",
        data_protection_officer="privacy@linde.example.org",
    ),
)
NETWORK = Network.model_validate(
    {
        "network_id": "bin-linde",
        "version": 1,
        "zone_id": "demo",
        "name": "BIN Lindeveld",
        "municipality": "23002",
        "kind": "residents",
        "state": "active",
        "languages": ["nl"],
        "sender_name": "BIN",
        "exercises": False,
        "documents": {},
    }
)


def told(page: str) -> str:
    """Give what a page shows, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def released() -> Bulletin:
    """Give a bulletin that was released to the network."""
    return Bulletin.model_validate(
        {
            "bulletin_id": BULLETIN,
            "zone_id": "demo",
            "network_id": "bin-linde",
            "kind": "prevention",
            "status": "actual",
            "subject": {"nl": "Sluit uw ramen"},
            "body": {"nl": "Ook in de zomer."},
            "issued_by": "officer-1",
            "released_by": "somebody",
            "released_at": NOW,
            "expires_at": NOW,
        }
    )


def access(
    action: str,
    service: str,
    members: Sequence[str] = (),
    *,
    kind: str = "read",
    message_id: str | None = MESSAGE,
) -> Access:
    """Give an event of who looked or acted, for a reason that names the action."""
    return Access.model_validate(
        {
            "event_id": f"access-{action}",
            "zone_id": "demo",
            "service": service,
            "kind": kind,
            "action": action,
            "actor": "somebody",
            "reader": "reader-9",
            "member_ids": members,
            "message_id": message_id,
            "reason": f"why {action}",
            "time": NOW,
        }
    )


async def publish(world: World) -> None:
    await world.publish(ZONE, NETWORK)
    await world.publish_raw(Outgoing("bin.alerts", "demo", ALERT, ()))
    record = world.cluster.on("bin.alerts")[-1]
    await world.publish(verdict_on(record.partition, record.offset))
    mine = pseudonym(world)
    await world.publish(
        send(1, recipient=mine), send(1, 2, SendState.DELIVERED, recipient=mine), send(2)
    )
    await world.signed(5)


async def test_somebody_reads_what_was_sent_to_them_and_why(world: World) -> None:
    query = {"destination": NUMBER, "reason": "asked by the member"}
    other = {**query, "destination": "+32450000009"}
    mine: dict[Language, str] = {}
    nobodys: dict[Language, str] = {}
    async with world.running() as app:
        await publish(world)
        async with world.http(app, Role.AUDITOR, sub="auditor-7") as http:
            await http.post("/v1/subjects/lookup", json=query)
            await recorded(world, "subject.lookup")
            for language in LANGUAGES:
                asked = {"language": language}
                answer = await http.post("/v1/subjects/page", json={**query, **asked})
                assert answer.status_code == 200, answer.text
                mine[language] = answer.text
                nobodys[language] = (
                    await http.post("/v1/subjects/page", json={**other, **asked})
                ).text
            await recorded(world, "subject.page", 2 * len(LANGUAGES))
    for language, html in mine.items():
        holds_their_record(world, language, html)
        said, empty = words(language), told(nobodys[language])
        for shown in (said["nothing"], f"{said['sent_to_you']} {said['none']} {said['said']}"):
            assert shown in empty


async def test_a_record_holds_what_names_the_person_by_member_id_alone(world: World) -> None:
    query = {"destination": NUMBER, "reason": "asked by the member"}
    mine = pseudonym(world)
    accesses = [
        access(action, service, members, message_id=None)
        for service, action, members in (
            ("dispatcher", "coverage.failures", ("member-1", "member-2")),
            ("registry", "member.export", ("member-2", "member-3", "shared-1")),
            ("registry", "member.list", ("member-2",)),
        )
    ]
    notice = Notice(
        notice_id=NOTICE,
        zone_id="demo",
        to_member="member-1",
        template="membership_confirmed",
        issued_at=NOW,
        expires_at=NOW,
    )
    async with world.running() as app:
        await world.publish(send(1, recipient=mine), send(2))
        # two people behind one number: whoever answers it gets what names either
        await world.publish(send(3, recipient=mine, members=["member-1", "shared-1"]))
        await world.publish(*accesses, notice, accesses[0].model_copy(update={"zone_id": "other"}))
        await world.signed(7)
        await world.signed(1, "other")
        async with world.http(app, Role.AUDITOR, sub="auditor-7") as http:
            record = (await http.post("/v1/subjects/record", json=query)).json()["items"]
            page = told((await http.post("/v1/subjects/page", json=query)).text)
            found = (await http.post("/v1/subjects/lookup", json=query)).json()["items"]
    entries = [item["entry"] for item in record]
    assert [entry["zone_id"] for entry in entries] == ["demo"] * len(entries)
    assert [entry["index"] for entry in entries] == sorted({entry["index"] for entry in entries})
    read = {entry["reason"] for entry in entries if entry["type"] == "access"}
    assert {"coverage.failures", "member.export"} <= read
    assert "member.list" not in read
    assert NOTICE in {entry["message_id"] for entry in entries if entry["type"] == "notice"}
    assert {send["send_id"] for send in found} == {"send-1", "send-3"}
    for action in ("coverage.failures", "member.export"):
        assert f"{say('nl', ACTIONS, action)} why {action}" in page
    assert say("nl", NOTICES, notice.template) in page
    for hidden in ("reader-9", "member-2", "member-3", "why member.list"):
        assert hidden not in page


def holds_their_record(world: World, language: Language, html: str) -> None:
    said, page = words(language), told(html)
    assert f'<html lang="{language}">' in html
    assert '<div class="text" lang="fr">Attention</div>' in html
    looked = f"{said['time']} {said['service']} {said['action']} {said['why']}"
    own = (say(language, SERVICES, "audit"), say(language, ACTIONS, "subject.lookup"))
    for shown in (
        *(said["subject_title"], said["held_elsewhere"], said["reader_unnamed"]),
        *(say(language, SEND_STATES, "delivered"), say(language, CHANNELS, "sms")),
        *("Politiezone Linde", "BIN Lindeveld", MESSAGE, TEXT, "Attention"),
        *("police-act-1992-art-44", say(language, KINDS, "alert")),
        *(f"{said['looked_up']} {said['reader_unnamed']} {looked}", " ".join(own)),
        f"{own[1]} asked by the member",
    ):
        assert shown in page, shown
    says_what_article_15_asks(language, page)
    for hidden in (NUMBER, pseudonym(world), "send-2", "<script>alert", "auditor-7"):
        assert hidden not in html


def says_what_article_15_asks(language: Language, page: str) -> None:
    """Article 15(1) of the GDPR: (a) to (h), and who answers for it."""
    said = words(language)
    kept = said["retention_text"].format(days=365, private_days=1827)
    for label, text in (
        ("controller", "Politiezone Linde"),
        ("controller_address", "Voorbeeldstraat 1, 9000 Gent"),
        ("data_protection_officer", "privacy@linde.example.org"),
        *((name, said[f"{name}_text"]) for name in ("purposes", "data", "source", "recipients")),
        *((name, said[f"{name}_text"]) for name in ("transfers", "decisions", "rights")),
        *(("retention", kept), ("supervisor", said["supervisor_text"])),
    ):
        assert f"{said[label]} {text}" in page, label


async def test_a_messages_life_is_a_page(world: World) -> None:
    path = f"/v1/messages/{MESSAGE}/page"
    pages: dict[Language, str] = {}
    later: dict[Language, str] = {}
    rests = Basis(
        legal="police-act-1992-art-44",
        house_rules={"bin-linde": 3},
        communication_plan={"bin-linde": 2},
    )
    async with world.running() as app:
        await publish(world)
        await world.publish(planned().model_copy(update={"basis": rests}))
        await world.signed(6)
        async with world.http(app, Role.AUDITOR) as http:
            for language in LANGUAGES:
                pages[language] = (await http.get(path, params={"language": language})).text
            await recorded(world, "message.page", len(LANGUAGES))
            await rows.take_ended(world.database)
            for language in LANGUAGES:
                later[language] = (await http.get(path, params={"language": language})).text
            assert (await http.get(path.replace("6f1c", "7f1c"))).status_code == 404
        async with world.http(app, Role.AUDITOR, zone="other") as http:
            assert (await http.get(path)).status_code == 404
    for language, html in pages.items():
        said, page = words(language), told(html)
        for shown in (
            *(TEXT, "officer-1", "officer-1-key", "BIN Lindeveld (bin-linde)"),
            *(said["message_title"], say(language, ENTRY_TYPES, "original")),
            *(say(language, KINDS, "alert"), say(language, STATUSES, "actual")),
            f"{said['verdict']} {say(language, VERDICTS, 'accepted')}",
            f"{said['basis']} {rests.legal}",
            f"{said['house_rules']} BIN Lindeveld: 3",
            f"{said['communication_plan']} BIN Lindeveld: 2",
        ):
            assert shown in page, shown
        assert "<script>alert" not in html
        assert said["text_gone"] in told(later[language])
        assert TEXT not in told(later[language])


async def test_a_page_tells_what_was_accepted_and_not_what_was_refused_before(
    world: World,
) -> None:
    """Who corrects a refused alert sends it again under its id, and anybody can name one."""
    corrected = TEXT.encode() + b" in de Dorpsstraat"
    async with world.running() as app:
        await world.publish(ZONE, NETWORK)
        for number, text in enumerate((TEXT.encode(), corrected, b"Iets anders")):
            alert = ALERT.replace(TEXT.encode(), text)
            await world.publish_raw(Outgoing("bin.alerts", "demo", alert, ()))
            record = world.cluster.on("bin.alerts")[-1]
            kind = VerdictKind.ACCEPTED if text == corrected else VerdictKind.REFUSED
            await world.publish(verdict_on(record.partition, record.offset, kind))
            await world.signed(2 * (number + 1))
        async with world.http(app, Role.AUDITOR) as http:
            page = told((await http.get(f"/v1/messages/{MESSAGE}/page")).text)
    assert corrected.decode() in page
    assert "Iets anders" not in page
    assert page.count(TEXT) == 1


async def test_the_record_of_processing_of_a_year_names_nobody(world: World) -> None:
    year = datetime.now(UTC).year
    pages: dict[Language, str] = {}
    async with world.running() as app:
        await publish(world)
        async with world.http(app, Role.AUDITOR) as http:
            path = f"/v1/zones/demo/processing/{year}"
            for language in LANGUAGES:
                pages[language] = (await http.get(path, params={"language": language})).text
            await recorded(world, "processing.report", len(LANGUAGES))
            before = await http.get(f"/v1/zones/demo/processing/{year - 1}")
    for language, html in pages.items():
        said, page = words(language), told(html)
        for shown in (
            *("Politiezone Linde (demo)", "wet van 5 augustus 1992", "toestemming"),
            *(said["processing_title"], said["purposes_text"], said["data_text"]),
            said["processing_intro"].format(zone_id="demo"),
            f"{said['controller_address']} Voorbeeldstraat 1, 9000 Gent",
            f"{said['data_protection_officer']} privacy@linde.example.org",
            f"{said['recipients']} {said['recipients_text']} {said['recipients_not']}",
            f"{said['transfers']} {said['transfers_text']}",
            f"{say(language, CHANNELS, 'sms')} {say(language, SEND_STATES, 'delivered')} 1",
            f"{say(language, CHANNELS, 'sms')} {say(language, SEND_STATES, 'accepted')} 1",
            *(said["security"], said["year_key_there"]),
        ):
            assert shown in page, shown
        for hidden in (pseudonym(world), "member-1", "officer-1", TEXT):
            assert hidden not in html
    assert words("nl")["year_key_gone"] in told(before.text)


async def test_a_zone_that_states_no_contact_is_shown_as_one_that_has_not_yet(
    world: World,
) -> None:
    async with world.running() as app:
        await world.publish(ZONE.model_copy(update={"contact": None}), NETWORK)
        await world.publish(send(1))
        await world.signed(1)
        async with world.http(app, Role.AUDITOR) as http:
            for language in LANGUAGES:
                said, asked = words(language), {"language": language}
                answer = await http.get("/v1/zones/demo/processing/2026", params=asked)
                page = told(answer.text)
                for label in ("controller_address", "data_protection_officer"):
                    assert f"{said[label]} {said['not_stated']}" in page


async def test_a_bulletin_that_was_returned_or_declined_is_not_shown_or_counted_as_released(
    world: World,
) -> None:
    actions = ("bulletin.return", "bulletin.decline")
    done = [access(a, "registry", kind="bulletin", message_id=BULLETIN) for a in actions]
    async with world.running() as app:
        await world.publish(ZONE, NETWORK, released(), *done)
        await world.signed(3)
        async with world.http(app, Role.AUDITOR) as http:
            for language in LANGUAGES:
                asked = {"language": language}
                path = f"/v1/messages/{BULLETIN}/page"
                life = told((await http.get(path, params=asked)).text)
                path = f"/v1/zones/demo/processing/{NOW.year}"
                year = told((await http.get(path, params=asked)).text)
                by_type = {
                    kind: f"{say(language, ENTRY_TYPES, kind)} {say_state(language, kind, state)}"
                    for kind, state in (("bulletin", "released"), ("access", "bulletin"))
                }
                for action in actions:
                    assert f"{by_type['access']} {say(language, ACTIONS, action)}" in life
                assert life.count(by_type["bulletin"]) == 1
                assert f"{by_type['access']} 2" in year
                assert f"{by_type['bulletin']} 1" in year


async def test_a_page_holds_no_code_where_every_code_is_known(world: World) -> None:
    """And one that a newer service wrote is seen to be a code, wherever it stands."""
    newer = access("member.teleport", "registry")
    async with world.running() as app:
        await publish(world)
        async with world.http(app, Role.AUDITOR) as http:
            known = (await http.get(f"/v1/messages/{MESSAGE}/page")).text
            await world.publish(newer)
            await world.signed(6)
            later = (await http.get(f"/v1/messages/{MESSAGE}/page")).text
    assert "<code>" not in known
    assert "<td><code>member.teleport</code></td>" in later
