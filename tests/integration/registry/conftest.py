"""A wired registry on the run's real database.

Each test has an app, a log and a time of its own. What most tests begin with is made once by
requests and then put back as rows: making twenty requests anew took longer than most tests.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from shared.mongo import Document
from shared.settings import MongoSettings
from tests.integration.registry.harness import (
    Registry,
    add_network,
    add_zone,
    close_registry,
    make_registry,
)


@dataclass
class Furnished:
    """What `linde` begins with, once it was made."""

    rows: dict[str, list[Document]] = field(default_factory=dict[str, list[Document]])
    ring: bytes = b""
    zone_keys: dict[str, tuple[str, OKPKey]] = field(default_factory=dict[str, tuple[str, OKPKey]])


@pytest.fixture(scope="session")
def furnished() -> Furnished:
    """Keep what `linde` begins with."""
    return Furnished()


@pytest.fixture
async def registry(mongo_database: MongoSettings, tmp_path: Path) -> AsyncGenerator[Registry]:
    """Give an empty registry."""
    made = await make_registry(mongo_database, tmp_path)
    try:
        yield made
    finally:
        await close_registry(made)


@pytest.fixture
async def linde(registry: Registry, furnished: Furnished) -> Registry:
    """Give a registry with zone `demo` and its active network `bin-linde`."""
    if furnished.rows:
        filled = [
            registry.database[name].insert_many(rows) for name, rows in furnished.rows.items()
        ]
        await asyncio.gather(*filled)
        registry.ring.write_bytes(furnished.ring)
        registry.zone_keys.update(furnished.zone_keys)
        return registry
    await add_zone(registry)
    await add_network(registry)
    for name in await registry.database.list_collection_names():
        rows = await registry.database[name].find().to_list()
        if rows:
            furnished.rows[name] = rows
    furnished.ring = registry.ring.read_bytes()
    furnished.zone_keys.update(registry.zone_keys)
    return registry
