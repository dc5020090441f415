"""A wired registry on the run's real database, per test."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from shared.settings import MongoSettings
from tests.integration.registry.harness import (
    Registry,
    add_network,
    add_zone,
    close_registry,
    make_registry,
)


@pytest.fixture
async def registry(mongo_database: MongoSettings, tmp_path: Path) -> AsyncGenerator[Registry]:
    """Give an empty registry."""
    made = await make_registry(mongo_database, tmp_path)
    try:
        yield made
    finally:
        await close_registry(made)


@pytest.fixture
async def linde(registry: Registry) -> Registry:
    """Give a registry with zone `demo` and its active network `bin-linde`."""
    await add_zone(registry)
    await add_network(registry)
    return registry
