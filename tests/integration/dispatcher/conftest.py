"""The sandbox that the sending tests share, emptied for each test."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from shared.settings import MongoSettings
from tests.support.sandbox import Sandbox, make_sandbox
from tests.support.sending import World


@pytest.fixture(scope="session")
def dispatcher_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sandbox]:
    made = make_sandbox(tmp_path_factory.mktemp("sandbox"))
    made.part.start()
    try:
        yield made
    finally:
        made.part.stop()


@pytest.fixture
async def world(
    dispatcher_sandbox: Sandbox, mongo_database: MongoSettings, tmp_path: Path
) -> AsyncGenerator[World]:
    """Give a world of its own around the shared sandbox."""
    made = World(dispatcher_sandbox, mongo_database, tmp_path)
    async with made.http:
        for path in ("sms", "mail", "faults"):
            (await made.http.delete(f"{dispatcher_sandbox.url}/{path}")).raise_for_status()
        yield made
