"""A network's yearly evaluation, of real events, as JSON and as a page to print."""

from datetime import date, timedelta
from decimal import Decimal

from services.registry.domain.policy import Policy
from services.registry.domain.tariff import Price, Tariff
from services.registry.flows.expire_bulletins import expire_bulletins
from tests.integration.registry.harness import Registry, member_input, proposal
from tests.integration.registry.test_bulletins import BULLETINS, verdicts
from tests.integration.registry.test_figures import add_members, learn, send
from tests.integration.registry.test_meetings import MEETINGS, meeting_input
from tests.integration.registry.test_relay import alerted

EVALUATION = "/networks/bin-linde/evaluation"
TARIFF = Tariff(prices=(Price(since=date(2026, 1, 1), per_segment=Decimal("0.08")),))


async def a_year(registry: Registry) -> None:
    """Let members come and go, alerts owe feedback, bulletins be relayed, a meeting be held."""
    object.__setattr__(registry.app.context, "policy", Policy(tariff=TARIFF))
    coordinator, police = registry.coordinator(), registry.police()
    members = await add_members(registry, 3)
    pending = member_input(9)
    await coordinator.post("/networks/bin-linde/members", 201, json=pending)
    ids = [await alerted(registry, "bin-linde") for _ in range(3)]
    relayed = [
        proposal(registry, kind="feedback", references=ids[0]),
        proposal(registry),
        proposal(registry),
        proposal(registry),
    ]
    for one in relayed:
        await registry.propose(one)
    await verdicts(registry, 7)
    await coordinator.post(f"/networks/bin-linde/members/{members[0]}/leave", json={})
    for hours, one in zip((2, 4), relayed, strict=False):
        registry.time.advance(hours=hours)
        await coordinator.post(f"{BULLETINS}/{one.bulletin_id}/release")
    await coordinator.post(f"{BULLETINS}/{relayed[2].bulletin_id}/return", json={"reason": "x"})
    waive = f"/zones/demo/feedback-due/{ids[1]}/waive"
    await police.post(waive, json={"reason": "onderzoek loopt"})
    called = await coordinator.post(MEETINGS, 201, json=meeting_input(registry))
    await learn(
        registry,
        send(registry, 1, message_id=ids[0]),
        send(registry, 2, message_id=ids[0], state="unreachable", segments=None),
        send(registry, 3, message_id=relayed[0].bulletin_id, channel="email", segments=None),
    )
    registry.time.advance(days=20)
    await expire_bulletins(registry.app.context)
    await coordinator.call(
        "PATCH",
        f"{MEETINGS}/{called['meeting_id']}",
        200,
        json={"attendance": 17, "minutes": "Verslag."},
        headers={"If-Match": '"1"'},
    )


async def test_the_evaluation_says_what_happened(linde: Registry) -> None:
    """Rules text: "members joined and left, alerts and bulletins, reach, time to relay, ..."."""
    await a_year(linde)

    found = await linde.coordinator().get(EVALUATION, params={"year": 2026})

    assert found == {
        "network_id": "bin-linde",
        "name": "BIN Linde",
        "year": 2026,
        "members": 2,
        "joined": 3,
        "left": 1,
        "alerts": 3,
        "bulletins": {"feedback": 1, "prevention": 1, "organisation": 1},
        "relay_median": "PT4H",
        "relay_longest": "PT6H",
        "returned": 1,
        "expired": 1,
        "feedback": {"given": 1, "waived": 1, "due": 1},
        "reach": {"members": 2, "by_sms": 2, "by_mail": 2},
        "sms_reached": 1,
        "mail_reached": 1,
        "not_reached": 1,
        "meetings": [{"starts_at": "2026-11-25T15:00:00Z", "attendance": 17, "has_minutes": True}],
        "segments": 2,
        "cost": "0.16",
    }
    other = await linde.police().get(EVALUATION, params={"year": 2025})
    assert (other["alerts"], other["joined"], other["meetings"]) == (0, 0, [])
    assert (other["relay_median"], Decimal(other["cost"])) == (None, 0)


async def test_who_was_erased_still_counts_without_being_anybody(linde: Registry) -> None:
    await a_year(linde)
    people = (await linde.coordinator().get("/networks/bin-linde/members"))["items"]
    for member in people:
        path = f"/networks/bin-linde/members/{member['member_id']}/erase"
        await linde.coordinator().post(path, json={"reason": "Op verzoek."})

    found = await linde.coordinator().get(EVALUATION, params={"year": 2026})

    assert (found["members"], found["joined"], found["left"]) == (0, 3, 3)
    assert (found["sms_reached"], found["segments"]) == (1, 2)


async def test_the_evaluation_is_a_page_to_print_in_each_language(linde: Registry) -> None:
    """Rules text: "(JSON and a printable page)"."""
    await a_year(linde)
    for language, words in (
        ("nl", ("Jaarlijkse evaluatie 2026", "Tijd tot het doorgeven, mediaan", "4.0 uur")),
        ("fr", ("Évaluation annuelle 2026", "Délai de diffusion, médiane", "4.0 heures")),
        ("de", ("Jährliche Auswertung 2026", "Zeit bis zur Weitergabe, Median", "4.0 Stunden")),
        ("en", ("Yearly evaluation 2026", "Time to relay, median", "4.0 hours")),
    ):
        params = {"year": 2026, "format": "html", "language": language}
        answer = await linde.coordinator().raw("GET", EVALUATION, params=params)
        assert answer.headers["content-type"].startswith("text/html")
        assert f'<html lang="{language}">' in answer.text
        for word in (*words, "25/11/2026 16:00", "<td>17</td>", "0.16 EUR", "BIN Linde"):
            assert word in answer.text, (language, word)
        assert "Lid Nummer" not in answer.text


async def test_the_page_shows_names_as_text(linde: Registry) -> None:
    etag = (await linde.police().raw("GET", "/networks/bin-linde")).headers["ETag"]
    named = {"name": "<b>BIN</b> & co"}
    await linde.police().call(
        "PATCH", "/networks/bin-linde", 200, json=named, headers={"If-Match": etag}
    )

    params = {"year": 2026, "format": "html"}
    answer = await linde.coordinator().raw("GET", EVALUATION, params=params)

    assert "&lt;b&gt;BIN&lt;/b&gt; &amp; co" in answer.text
    assert "<b>" not in answer.text


async def test_a_year_without_a_price_has_no_cost(linde: Registry) -> None:
    early = Policy(
        tariff=Tariff(
            prices=(Price(since=linde.time.now.date() + timedelta(days=9), per_segment=Decimal(1)),)
        )
    )
    object.__setattr__(linde.app.context, "policy", early)
    await learn(linde, send(linde, 1))

    found = await linde.coordinator().get(EVALUATION, params={"year": 2026})

    assert (found["segments"], found["cost"]) == (2, None)
