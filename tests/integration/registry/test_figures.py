"""What was sent is learnt once from `bin.sends`, and added up for whoever may see it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.registry.domain.policy import Policy
from services.registry.domain.tariff import Price, Tariff
from shared.contracts import Send
from shared.envelope import encode
from tests.integration.registry.harness import (
    As,
    Json,
    Registry,
    add_network,
    add_zone,
    member_input,
    paper,
    proposal,
)
from tests.integration.registry.test_bulletins import BULLETINS, alert_verdict, verdicts
from tests.integration.registry.test_relay import alerted

ALERT = "00000000-0000-4000-8000-000000000001"
PRICES = Tariff(prices=(Price(since=date(2026, 1, 1), per_segment=Decimal("0.08")),))


def send(
    registry: Registry, number: int, seq: int = 1, state: str = "accepted", **more: Any
) -> Send:
    return Send.model_validate(
        {
            "zone_id": "demo",
            "event_id": f"send-{number}-{seq}",
            "send_id": f"send-{number}",
            "seq": seq,
            "message_id": ALERT,
            "message_type": "alert",
            "network_ids": ["bin-linde"],
            "member_ids": [f"m-{number}"],
            "recipient": f"{number:064}",
            "recipient_year": 2026,
            "lane": "warm",
            "channel": "sms",
            "state": state,
            "attempt": 1,
            "language": "nl",
            "template": "alert",
            "segments": 2,
            "basis": {"legal": "x"},
            "time": registry.time.now,
            **more,
        }
    )


async def learn(registry: Registry, *events: Send) -> None:
    """Publish sends, and have the registry read them."""
    for event in events:
        await registry.cluster.append(
            encode(event, ce_id=event.event_id, source="dispatcher", time=registry.time.now)
        )
    wanted = len(registry.cluster.on("bin.sends"))

    async def read() -> bool:
        rows = registry.database["positions"].find({"_id": {"$regex": r"^registry\.sends\|"}})
        return sum([row["next"] async for row in rows]) == wanted

    await registry.consume(read)


async def figures(person: As, by: str = "network", year: int = 2026) -> dict[str, Json]:
    page = await person.get("/figures", params={"year": year, "by": by})
    return {item["key"]: item for item in page["items"]}


def federal(registry: Registry) -> As:
    return registry.as_("federal-1", "federal")


def town(registry: Registry) -> As:
    return registry.as_("town-1", "municipality", municipality="44021")


async def add_members(registry: Registry, count: int, network: str = "bin-linde") -> list[str]:
    found: list[str] = []
    for number in range(1, count + 1):
        new = member_input(number, accepted_on_paper=paper(registry))
        added: Any = await registry.coordinator().post(
            f"/networks/{network}/members", 201, json=new
        )
        found.append(added["member_id"])
    return found


@pytest.fixture
def priced(linde: Registry) -> Registry:
    object.__setattr__(linde.app.context, "policy", Policy(tariff=PRICES))
    return linde


async def test_what_was_sent_is_learnt_once(priced: Registry) -> None:
    """Rules text: "The registry learns what was sent from `bin.sends`"."""
    events = [
        send(priced, 1),
        send(priced, 1, 2, "delivered"),
        send(priced, 2, 1, "failed"),
        send(priced, 3, 1, channel="email", segments=None),
        send(priced, 4, 1, message_type="notice"),
        send(priced, 1, 2, "delivered"),
    ]
    await learn(priced, *events)
    first = await figures(priced.police())
    await priced.database["positions"].delete_many({"_id": {"$regex": r"^registry\.sends"}})
    await learn(priced)

    assert await figures(priced.police()) == first
    line = first["bin-linde"]
    assert (line["sms_reached"], line["mail_reached"], line["not_reached"]) == (1, 1, 1)
    assert (line["segments"], Decimal(line["cost"])) == (2, Decimal("0.16"))
    assert await priced.database["tallies"].count_documents({}) == 2
    kept = await priced.database["counted_sends"].find().to_list()
    fields = {"_id", "seq", "outcome", "day", "billed", "at"}
    assert {frozenset(row) for row in kept} == {frozenset(fields)}


async def test_tests_cost_nothing_and_are_no_alerts(priced: Registry) -> None:
    tried = alert_verdict(priced, ALERT, status="test", network_ids=["bin-linde"])
    await priced.cluster.append(
        encode(tried, ce_id=tried.event_id, source="dispatcher", time=priced.time.now)
    )

    async def noted() -> bool:
        return await priced.database["counted_alerts"].count_documents({}) == 1

    await priced.consume(noted)
    await learn(priced, send(priced, 1))
    await alerted(priced, "bin-linde")

    line = (await figures(priced.police()))["bin-linde"]
    assert (line["alerts"], line["segments"], line["sms_reached"]) == (1, 0, 0)


async def test_members_count_by_their_dates_and_languages(linde: Registry) -> None:
    ids = await add_members(linde, 6)
    await linde.coordinator().post("/networks/bin-linde/members", 201, json=member_input(9))
    await linde.coordinator().post(
        f"/networks/bin-linde/members/{ids[0]}/leave", json={"reason": "verhuisd"}
    )
    for _ in range(2):
        line = (await figures(linde.police()))["bin-linde"]
        assert (line["members"], line["joined"], line["left"]) == (5, 6, 1)
        # what is left of somebody erased still counts, without being anybody's
        path = f"/networks/bin-linde/members/{ids[0]}/erase"
        await linde.coordinator().post(path, json={"reason": "vraag"})
    before = (await figures(linde.police(), year=2025))["bin-linde"]
    assert (before["members"], before["joined"], before["left"]) == (0, 0, 0)
    assert (await figures(linde.police(), "language"))["nl"]["members"] == 5


async def test_released_bulletins_count_where_they_were_released(linde: Registry) -> None:
    await add_network(linde, "bin-2", coordinator="coordinator-3")
    wanted = proposal(linde, "bin-linde", "bin-2")
    await linde.propose(wanted)
    await verdicts(linde, 1)
    await linde.coordinator().post(f"{BULLETINS}/{wanted.bulletin_id}/release")

    found = await figures(linde.police())

    assert {key: line["bulletins"] for key, line in found.items()} == {"bin-linde": 1, "bin-2": 0}
    assert (await figures(linde.police(), "province"))["Oost-Vlaanderen"]["bulletins"] == 1


async def test_the_role_sets_the_scope(linde: Registry) -> None:
    """Rules text: "a municipality sees its own networks' figures; federal sees figures"."""
    await add_zone(linde, "other")
    await add_network(linde, "bin-other", "other", "coordinator-2")
    etag = (await linde.police("other").raw("GET", "/networks/bin-other")).headers["ETag"]
    moved = {"municipality": "11002"}
    await linde.police("other").call(
        "PATCH", "/networks/bin-other", 200, json=moved, headers={"If-Match": etag}
    )
    draft = {
        "zone_id": "demo",
        "name": "BIN Nieuw",
        "municipality": "44021",
        "kind": "residents",
        "languages": ["nl"],
        "sender_name": "BIN",
    }
    await linde.police().post("/networks", 201, json=draft)

    seen = {
        "police": set(await figures(linde.police())),
        "town": set(await figures(town(linde))),
        "federal": set(await figures(federal(linde))),
        "zoneless": set(await figures(linde.as_("police-9", "police"))),
        "townless": set(await figures(linde.as_("town-9", "municipality"))),
    }

    assert seen == {
        "police": {"bin-linde"},
        "town": {"bin-linde"},
        "federal": {"bin-linde", "bin-other"},
        "zoneless": set(),
        "townless": set(),
    }
    for nobody in ("auditor", "admin", "operator", "coordinator"):
        await linde.as_("coordinator-1", nobody).get("/figures", 404, params={"year": 2026})


async def test_outsiders_see_no_small_groups(linde: Registry) -> None:
    """Rules text: "without personal data", so that nobody of a few can be told."""
    await add_members(linde, 4)

    assert (await figures(linde.police()))["bin-linde"]["members"] == 4
    for person in (town(linde), federal(linde)):
        line = (await figures(person))["bin-linde"]
        assert (line["members"], line["joined"]) == (None, None)
        assert (await figures(person, "language"))["nl"]["segments"] is None


async def test_figures_are_a_table_too_without_formulas(linde: Registry) -> None:
    """Rules text: "(the invoice's annex)", which a spreadsheet opens."""
    etag = (await linde.police().raw("GET", "/networks/bin-linde")).headers["ETag"]
    await linde.police().call(
        "PATCH", "/networks/bin-linde", 200, json={"name": "=1+1"}, headers={"If-Match": etag}
    )

    answer = await town(linde).raw("GET", "/figures", params={"year": 2026, "format": "csv"})

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    [names, line] = answer.text.lstrip("\ufeff").splitlines()
    assert names.startswith("key;name;networks;")
    assert line.startswith("bin-linde;'=1+1;1;0;")


async def test_a_year_is_a_belgian_one(priced: Registry) -> None:
    turn = datetime.fromisoformat("2026-12-31T23:30:00+00:00")
    await learn(priced, send(priced, 1, time=turn), send(priced, 2, time=turn - timedelta(hours=1)))

    assert (await figures(priced.police()))["bin-linde"]["segments"] == 2
    assert (await figures(priced.police(), year=2027))["bin-linde"]["segments"] == 2
    await priced.police().get("/figures", 422, params={"year": 1999})
