"""The readable pages: in the reader's language, complete, escaped, and on record."""

import re
from datetime import UTC, datetime
from html import unescape

from services.audit.api.report_words import words
from shared.access import Role
from shared.contracts import Network, Zone
from shared.contracts.base import LANGUAGES, Language, SendState
from shared.contracts.registry import LegalBasis
from shared.kafka import Outgoing
from tests.integration.audit.test_people import NUMBER, pseudonym, recorded
from tests.integration.audit.test_whole_path import verdict_on
from tests.integration.audit.world import MESSAGE, World, send

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
        assert words(language)["nothing"] in told(nobodys[language])


def holds_their_record(world: World, language: Language, html: str) -> None:
    said, page = words(language), told(html)
    assert f'<html lang="{language}">' in html
    for shown in (
        *(said["subject_title"], said["delivered"], said["sms"], said["alert"]),
        *("Politiezone Linde", "BIN Lindeveld", MESSAGE, TEXT, "Attention"),
        *("police-act-1992-art-44", "auditor-7", "asked by the member"),
    ):
        assert shown in page, shown
    for hidden in (NUMBER, pseudonym(world), "send-2", "<script>alert"):
        assert hidden not in html


async def test_a_messages_life_is_a_page(world: World) -> None:
    path = f"/v1/messages/{MESSAGE}/page"
    pages: dict[Language, str] = {}
    later: dict[Language, str] = {}
    async with world.running() as app:
        await publish(world)
        async with world.http(app, Role.AUDITOR) as http:
            for language in LANGUAGES:
                pages[language] = (await http.get(path, params={"language": language})).text
            await recorded(world, "message.page", len(LANGUAGES))
            await world.database["private"].delete_many({"until": {"$exists": True}})
            for language in LANGUAGES:
                later[language] = (await http.get(path, params={"language": language})).text
            assert (await http.get(path.replace("6f1c", "7f1c"))).status_code == 404
        async with world.http(app, Role.AUDITOR, zone="other") as http:
            assert (await http.get(path)).status_code == 404
    for language, html in pages.items():
        said, page = words(language), told(html)
        for shown in (
            *(TEXT, "officer-1", "officer-1-key", "BIN Lindeveld (bin-linde)", said["accepted"]),
            *(said["message_title"], said["original"], said["verdict"], said["actual"]),
        ):
            assert shown in page, shown
        assert "<script>alert" not in html
        assert said["text_gone"] in told(later[language])
        assert TEXT not in told(later[language])


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
            f"{said['sms']} {said['delivered']} 1",
            f"{said['sms']} {said['accepted']} 1",
            *(said["security"], said["year_key_there"]),
        ):
            assert shown in page, shown
        for hidden in (pseudonym(world), "member-1", "officer-1", TEXT):
            assert hidden not in html
    assert words("nl")["year_key_gone"] in told(before.text)
