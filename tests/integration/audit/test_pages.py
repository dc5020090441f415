"""A page of a list costs what it shows, wherever in the log it stands and whatever filters it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.audit.domain import figures
from shared.access import Role
from shared.contracts.base import Channel, SendState
from shared.mongo import Database, Document
from tests.integration.audit.world import MESSAGE, NOW, World, send

COUNT, PAGE, HOUR = 120, 5, 3600
RANGES = len(Channel) * len(SendState)
"""An index in the order of channel and state is read in as many parts, each from one key on."""
QUIET = {
    "from": (NOW + timedelta(hours=5)).isoformat(),
    "to": (NOW + timedelta(hours=6)).isoformat(),
}
"""An hour with few sends, in which a receipt came for one of the first."""

BUSY = {"from": NOW.isoformat(), "to": (NOW + timedelta(minutes=30)).isoformat()}
LATER = {"from": BUSY["to"], "to": (NOW + timedelta(minutes=40)).isoformat()}
"""Half an hour in which nearly everything was sent, and the ten minutes after it, with one send."""

ASKED: dict[str, tuple[dict[str, str], int]] = {
    "everything": ({}, PAGE),
    "a network": ({"network_id": "bin-linde"}, PAGE),
    "a message": ({"message_id": MESSAGE}, PAGE),
    "a channel": ({"channel": "sms"}, PAGE),
    "a state that few are in": ({"state": "failed"}, PAGE),
    "a message and a channel": ({"message_id": MESSAGE, "channel": "sms"}, PAGE),
    "an hour": (QUIET, 3),
    "an hour and a state": ({**QUIET, "state": "delivered"}, 1),
    "from an hour on": ({"from": QUIET["from"]}, 3),
    "an hour of a network": ({**QUIET, "network_id": "bin-linde"}, 3),
    "an hour without any": ({"from": QUIET["to"]}, 0),
    "the busy part of an hour": (BUSY, PAGE),
    "the rest of a busy hour": (LATER, 1),
}


@pytest.mark.parametrize("what", ASKED)
async def test_a_page_reads_about_as_many_sends_as_it_shows(
    world: World, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "STRETCH", 8)
    values, shown = ASKED[what]
    async with world.running():
        await world.publish(*[send(n, state=_state(n)) for n in range(COUNT - 3)])
        await world.publish(send(COUNT - 3, seq=HOUR // 2 + 60))
        await world.publish(*[send(n, seq=5 * HOUR + n) for n in (COUNT - 2, COUNT - 1)])
        await world.publish(send(1, 5 * HOUR, SendState.DELIVERED))
        await world.signed(COUNT + 1)
    app = await world.build()  # without its jobs, so that what is profiled was asked
    async with world.http(app, Role.AUDITOR) as http:
        for cursor in ({}, {"cursor": str(COUNT // 2)}):
            listed, rows, keys = await _asked(world.database, http, {**values, **cursor})
            assert listed == shown or cursor
            assert rows <= 2 * (PAGE + 1)
            assert keys <= 2 * (PAGE + 1) + RANGES


def _state(number: int) -> SendState:
    return SendState.FAILED if number % 10 == 0 else SendState.ACCEPTED


async def _asked(
    database: Database, http: httpx.AsyncClient, values: Document
) -> tuple[int, int, int]:
    """Give how many sends a page shows, and how many rows and keys of sends were read for it."""
    await database.command({"profile": 2})
    try:
        answer = await http.get("/v1/sends", params={**values, "limit": str(PAGE)})
    finally:
        await database.command({"profile": 0})
    own: Document = {"ns": f"{database.name}.sends", "docsExamined": {"$exists": True}}
    rows: list[dict[str, Any]] = await database["system.profile"].find(own).to_list()
    await database["system.profile"].drop()
    documents, keys = (sum(row[name] for row in rows) for name in ("docsExamined", "keysExamined"))
    return len(answer.json()["items"]), documents, keys


async def test_a_page_of_all_zones_figures_reads_the_days_that_are_asked_for(world: World) -> None:
    """However many years the counters go back."""
    app = await world.build()
    days = [f"{year}-{month:02d}-14" for year in range(2023, 2027) for month in range(1, 13)]
    counters: list[Document] = [
        {
            "_id": f"{zone}|{day}|bin-linde|sms|accepted",
            "log": zone,
            "day": day,
            "network_id": "bin-linde",
            "channel": "sms",
            "state": "accepted",
            "count": 1,
        }
        for zone in ("demo", "demo-2", "other")
        for day in days
    ]
    await world.database["stats"].insert_many(counters)
    asked = {"from": days[40], "to": days[41], "limit": "2"}
    items: list[dict[str, Any]] = []
    await world.database.command({"profile": 2})
    try:
        async with world.http(app, Role.FEDERAL, zone=None) as http:
            page: dict[str, Any] = {"next": None}
            while page["next"] is not None or not items:
                cursor = {} if page["next"] is None else {"cursor": str(page["next"])}
                page = (await http.get("/v1/stats", params={**asked, **cursor})).json()
                items += page["items"]
    finally:
        await world.database.command({"profile": 0})
    shown = [(item["zone_id"], item["day"]) for item in items]
    zones = ("demo-2", "demo", "other")  # in the order of what the counters are kept under
    assert shown == [(zone, day) for zone in zones for day in days[40:42]]
    own: Document = {"ns": f"{world.database.name}.stats", "op": "query"}
    rows: list[dict[str, Any]] = await world.database["system.profile"].find(own).to_list()
    assert rows
    assert all(max(row["keysExamined"], row["docsExamined"]) <= 12 for row in rows), rows
