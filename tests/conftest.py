"""Fixtures for all tests: one real Kafka and one real MongoDB per run, an empty database per test.

They start when the first test asks for them, and fail that test when they cannot start. Where
pytest-xdist spreads a run over workers, the run's own process starts them once, for all workers.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import (  # pyright: ignore[reportMissingTypeStubs]
    LoadScopeScheduling,
)

from shared.settings import MongoSettings
from tests.support.cluster import KafkaCluster
from tests.support.databases import Databases
from tests.support.servers import RunServers, Told

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("new", deadline=None, print_blob=True)
settings.load_profile("new" if os.environ.get("BUURTBODE_TEST_NEW_EXAMPLES") == "1" else "same")

_END_TO_END = "tests/e2e/"
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(_END_TO_END))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "_ByFile":
    """Give each worker whole files (and one of them all end-to-end tests)."""
    return _ByFile(config, log)


class _ByFile(LoadScopeScheduling):
    """Keeps on one worker what shares costly fixtures: a file, or all tests of the one stack."""

    def _split_scope(self, nodeid: str) -> str:
        return _END_TO_END if nodeid.startswith(_END_TO_END) else nodeid.partition("::")[0]


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


@pytest.fixture(scope="session")
def databases(mongo_admin_url: str) -> Generator[Databases]:
    """Give the databases of this process' tests."""
    made = Databases(mongo_admin_url)
    yield made
    made.drop()


@pytest.fixture
def mongo_database(databases: Databases, request: pytest.FixtureRequest) -> MongoSettings:
    """Give an empty database that nobody else uses now, as the settings that a service takes."""
    return databases.empty(request.path.parent.name)
