"""A service's connections, as the shared parts use them: real Kafka, real MongoDB."""

import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from shared.clock import Clock
from shared.consume import Ahead, Apply, Before, Consumer, LetGo
from shared.kafka import KafkaLog, Log
from shared.mongo import Client, Database, connect, database
from shared.outbox import Outbox
from shared.settings import MongoSettings
from tests.support.cluster import KafkaCluster
from tests.support.memory_kafka import MemoryCluster, MemoryLog


@dataclass(frozen=True, slots=True)
class Service:
    """What a service's parts are wired from."""

    log: Log
    client: Client
    database: Database
    outbox: Outbox
    clock: Clock

    def consumer(
        self,
        topic: str,
        apply: Apply,
        *,
        group: str | None = None,
        before: Before | None = None,
        ahead: Ahead | None = None,
        let_go: LetGo | None = None,
        most: int = 500,
    ) -> Consumer:
        return Consumer(
            group=group or f"registry.test-{uuid.uuid4().hex[:8]}",
            topics=[topic],
            apply=apply,
            before=before,
            ahead=ahead,
            let_go=let_go,
            most=most,
            log=self.log,
            client=self.client,
            database=self.database,
            outbox=self.outbox,
            service="registry",
            clock=self.clock,
        )


@pytest.fixture
async def mongo_client(mongo_database: MongoSettings) -> AsyncGenerator[Client]:
    async with connect(mongo_database, "test") as client:
        yield client


@pytest.fixture
async def kafka_log(kafka_cluster: KafkaCluster) -> AsyncGenerator[Log]:
    async with KafkaLog(kafka_cluster.operator, "test") as log:
        yield log


@pytest.fixture(params=["kafka", "memory"])
async def any_log(request: pytest.FixtureRequest) -> AsyncGenerator[Log]:
    """Give each implementation of the port in turn."""
    if request.param == "memory":
        yield MemoryLog(MemoryCluster())
        return
    cluster: KafkaCluster = request.getfixturevalue("kafka_cluster")
    async with KafkaLog(cluster.operator, "test") as log:
        yield log


async def make_service(log: Log, client: Client, name: str) -> Service:
    """Wire a service's parts on a database of this name."""
    own = database(client, name)
    outbox = Outbox(own, "buurtbode/test", Clock())
    await outbox.prepare()
    return Service(log, client, own, outbox, Clock())


@pytest.fixture
async def service(kafka_log: Log, mongo_client: Client, mongo_database: MongoSettings) -> Service:
    return await make_service(kafka_log, mongo_client, mongo_database.database)
