"""Fixtures for all tests: one real Kafka and one real MongoDB per run, a database per test.

They start when the first test asks for them, and fail that test when they cannot start. Where
pytest-xdist spreads a run over workers, the run's own process starts them once, for all workers.
"""

import shutil
import tempfile
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from shared.settings import MongoSettings
from tests.support.cluster import KafkaCluster
from tests.support.servers import RunServers, Told

TESTS = Path(__file__).parent
_SERVERS = pytest.StashKey[RunServers]()
_FOLDER = pytest.StashKey[Path]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the run's servers are; the first one has them started."""
    config: pytest.Config = node.config
    if _SERVERS not in config.stash:
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="buurtbode-tests-"))
        config.stash[_SERVERS] = RunServers(config.stash[_FOLDER])
    node.workerinput["servers"] = config.stash[_SERVERS].told().to_json()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers that were started for the workers."""
    if _SERVERS in config.stash:
        config.stash[_SERVERS].stop()
        shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep on one worker what shares costly fixtures, and begin with what takes longest.

    The end-to-end tests share one stack; every other file is a group of its own.
    """
    items.sort(key=lambda item: not _is_end_to_end(item))
    for item in items:
        group = "e2e" if _is_end_to_end(item) else str(item.path.relative_to(TESTS))
        item.add_marker(pytest.mark.xdist_group(group))


def _is_end_to_end(item: pytest.Item) -> bool:
    return item.path.is_relative_to(TESTS / "e2e")


@pytest.fixture(scope="session")
def run_servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[RunServers]:
    """Give the run's servers, whoever starts them."""
    told: str | None = getattr(request.config, "workerinput", {}).get("servers")
    servers = RunServers(
        tmp_path_factory.mktemp("servers"), None if told is None else Told.from_json(told)
    )
    try:
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="session")
def kafka_cluster(run_servers: RunServers) -> KafkaCluster:
    """Give the run's broker, with every topic and every kind of user."""
    return run_servers.kafka()


@pytest.fixture(scope="session")
def mongo_admin_url(run_servers: RunServers) -> str:
    """Give where the run's database server is, as its superuser; a test takes `mongo_database`."""
    return run_servers.mongo_admin_url()


@pytest.fixture
def mongo_database(mongo_admin_url: str) -> Generator[MongoSettings]:
    """Give a fresh database of the test's own, as the settings that a service takes."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield MongoSettings(url=SecretStr(mongo_admin_url), database=name)
    with MongoClient[dict[str, object]](mongo_admin_url) as client:
        client.drop_database(name)
