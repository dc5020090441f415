"""Fixtures of the audit service's integration tests."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from shared.settings import MongoSettings
from tests.integration.audit.world import World, new_world


@pytest.fixture
async def world(mongo_database: MongoSettings, tmp_path: Path) -> AsyncGenerator[World]:
    """Give an audit service on a fresh database."""
    async with new_world(mongo_database, tmp_path) as made:
        yield made
