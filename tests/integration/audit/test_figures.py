"""The counters over sends are checked while their log grows, and never in one long transaction."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from services.audit.domain.alarms import Doubt
from services.audit.flows import check_figures
from services.audit.store.sends import Sends
from shared.contracts.base import SendState
from shared.mongo import Document
from tests.integration.audit.world import World, check_lists, send

COUNT = 12
LATER = 9
PAGE = 4
CHANGED = range(4, COUNT, 2)
GROWN = COUNT + len(CHANGED) + LATER


@pytest.fixture
def growing(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Have the log grow by more than a page once its rows are read."""
    real = Sends.batches

    async def batches(
        self: Sends, log: str, below: int, most: int
    ) -> AsyncIterator[list[Document]]:
        async for rows in real(self, log, below, most):
            yield rows
        changed = [send(number, 2, SendState.DELIVERED) for number in CHANGED]
        await world.publish(*changed, *[send(number) for number in range(COUNT, COUNT + LATER)])
        await world.signed(GROWN)

    monkeypatch.setattr(Sends, "batches", batches)
    monkeypatch.setattr(check_figures, "_PAGE", PAGE)


@pytest.mark.usefixtures("growing")
async def test_counters_of_a_log_that_grows_meanwhile_are_in_no_doubt(world: World) -> None:
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        assert await check_lists(world)("demo") is None
        assert await world.size() == GROWN


CHANGES: dict[str, tuple[str, Document, Doubt]] = {
    "a day": ("stats", {"$inc": {"count": 1}}, Doubt.COUNTERS_DIFFER),
    "a message": ("outcomes", {"$inc": {"states.delivered": 1}}, Doubt.COUNTERS_DIFFER),
    "a period": ("periods", {"$set": {"lowest": 3}}, Doubt.LISTS_DIFFER),
}


@pytest.mark.usefixtures("growing")
@pytest.mark.parametrize("what", CHANGES)
async def test_counters_that_were_changed_are_found_while_the_log_grows(
    world: World, what: str
) -> None:
    collection, change, doubt = CHANGES[what]
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        assert (await world.database[collection].update_one({}, change)).modified_count == 1
        assert await check_lists(world)("demo") is doubt


async def test_a_counter_under_another_id_is_found(world: World) -> None:
    """Its fields are right, but no list of days would show it."""
    async with world.running():
        await world.publish(send(1))
        await world.signed(1)
    stats = world.database["stats"]
    row = await stats.find_one_and_delete({})
    assert row is not None
    await stats.insert_one({**row, "_id": "elsewhere"})
    assert await check_lists(world)("demo") is Doubt.COUNTERS_DIFFER


class Read(CommandListener):
    """How many rows were read inside transactions, by collection."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self._inside: dict[int, str] = {}

    def started(self, event: CommandStartedEvent) -> None:
        if "autocommit" in event.command:
            verb = event.command_name
            name = event.command["collection"] if verb == "getMore" else event.command[verb]
            self._inside[event.request_id] = str(name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        name = self._inside.pop(event.request_id, None)
        cursor: dict[str, Any] = event.reply.get("cursor", {})
        if name is not None:
            rows = cursor.get("firstBatch", cursor.get("nextBatch", []))
            self.rows[name] = self.rows.get(name, 0) + len(rows)

    def failed(self, event: CommandFailedEvent) -> None:
        self._inside.pop(event.request_id, None)


async def test_no_transaction_of_a_check_reads_the_sends_of_a_log(world: World) -> None:
    """One that does outlives what MongoDB lets a transaction take, from some millions on."""
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
    read = Read()
    url = world.settings.mongo.url.get_secret_value()
    async with AsyncMongoClient[Document](url, tz_aware=True, event_listeners=[read]) as client:
        assert await check_lists(replace(world, client=client))("demo") is None
    assert read.rows["stats"] > 0
    assert read.rows.get("sends", 0) == 0
