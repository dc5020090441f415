"""Fixtures for all tests: one real Kafka and one real MongoDB per run, a database per test.

They start when the first test asks for them, and fail that test when they cannot start.
"""

import secrets
import uuid
from collections.abc import Generator

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from deploy.kafka_admin import (
    add_police_client,
    add_service_users,
    apply_topics,
)
from shared.settings import MongoSettings
from shared.topics import SERVICES, Party
from tests.support.cluster import KafkaCluster
from tests.support.servers import MongoServer, start_kafka, start_mongo


@pytest.fixture(scope="session")
def kafka_cluster(tmp_path_factory: pytest.TempPathFactory) -> Generator[KafkaCluster]:
    """Give the run's broker, with every topic and every kind of user."""
    server = start_kafka(tmp_path_factory.mktemp("kafka"))
    try:
        users = {str(party): secrets.token_hex(12) for party in (*SERVICES, Party.WITNESS)}
        add_service_users(server.operator, users)
        apply_topics(server.operator)
        for zone in ("demo", "other"):
            users[f"police-{zone}"] = add_police_client(server.operator, zone)
        yield KafkaCluster(server.operator, users)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Generator[MongoServer]:
    """Give the run's database server; a test takes `mongo_database`."""
    server = start_mongo(tmp_path_factory.mktemp("mongo"))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def mongo_database(mongod: MongoServer) -> Generator[MongoSettings]:
    """Give a fresh database of the test's own, as the settings that a service takes."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield MongoSettings(url=SecretStr(mongod.admin_url), database=name)
    with MongoClient[dict[str, object]](mongod.admin_url) as client:
        client.drop_database(name)
