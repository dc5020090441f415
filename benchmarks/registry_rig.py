"""A wired registry on a real database, filled as a large zone is, for its measurements."""

import asyncio
import statistics
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import psutil
import uvloop
from pydantic import SecretStr

from services.registry.domain.member import MemberRecord
from shared.mongo import Document
from shared.settings import MongoSettings
from tests.integration.registry.harness import (
    Registry,
    add_network,
    add_zone,
    close_registry,
    make_registry,
)
from tests.support.servers import start_mongo

T = TypeVar("T")

NETWORK = 350
"""Members of a network, at the upper end of those in Belgium."""


@asynccontextmanager
async def registry(networks: int = 1) -> AsyncGenerator[Registry]:
    """Start a database and a registry with zone `demo` and so many active networks `bin-N`."""
    with tempfile.TemporaryDirectory() as folder:
        mongo = start_mongo(Path(folder) / "mongo")
        try:
            settings = MongoSettings(url=SecretStr(mongo.admin_url), database="registry_benchmark")
            made = await make_registry(settings, Path(folder))
            try:
                await add_zone(made)
                await add_network(made, "bin-0", coordinator="coordinator-0")
                await _copy_network(made, networks)
                yield made
            finally:
                await close_registry(made)
        finally:
            mongo.stop()


async def _copy_network(made: Registry, networks: int) -> None:
    """Make the others from the first one: only their number matters."""
    found = await made.app.context.networks.get("bin-0")
    rows: list[Document] = []
    for number in range(1, networks):
        people = tuple(
            person.model_copy(update={"subject": f"coordinator-{number}"})
            for person in found.coordinators
        )
        copy = found.model_copy(update={"network_id": f"bin-{number}", "coordinators": people})
        rows.append(made.app.context.networks.row(copy))
    if rows:
        await made.database["networks"].insert_many(rows)


def member(made: Registry, network_id: str, number: int) -> MemberRecord:
    """Make an active member with a number that nobody has."""
    return MemberRecord(
        member_id=made.clock.new_id(),
        zone_id="demo",
        network_id=network_id,
        state="active",
        kind="resident",
        tie="lives",
        name=f"{_NAMES[number % len(_NAMES)]} Voorbeeld {number:06}",
        language="nl",
        phone=f"+32450{number:06}",
        phone_kind="mobile",
        email=f"lid{number}@voorbeeld.example",
        unsubscribe_token=made.clock.token(),
        accept_token=made.clock.token(),
        created_at=made.clock.now(),
    )


_NAMES = ("Anna", "Bram", "Chloé", "Dirk", "Emma", "François", "Greet", "Hugo", "Inès", "Jan")


async def fill(made: Registry, people: int, *, per_network: int) -> None:
    """Store so many members, so many in each network, as changes long published."""
    context = made.app.context
    for start in range(0, people, 5000):
        rows = [
            context.members.row(member(made, f"bin-{number // per_network}", number))
            for number in range(start, min(start + 5000, people))
        ]
        await made.database["members"].insert_many(rows)
        counters: list[Document] = [{"_id": f"bin.members|{row['_id']}", "seq": 1} for row in rows]
        await made.database["outbox_counters"].insert_many(counters)


def run(work: Coroutine[object, object, T]) -> T:
    """Run a measurement on the loop that the service runs on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """Give how long something takes."""
    begun = perf_counter()
    await work()
    return perf_counter() - begun


def spread(values: Sequence[float], unit: str, digits: int = 0) -> str:
    """Give the cells of a table: median, lowest and highest."""
    numbers = (statistics.median(values), min(values), max(values))
    return " | ".join(f"{number:,.{digits}f}{unit}" for number in numbers)


def memory() -> float:
    """Give this process's resident memory in MB."""
    return psutil.Process().memory_info().rss / 1e6
