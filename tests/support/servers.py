"""The real Kafka and MongoDB that the integration tests use: local processes, or containers.

Containers are used when `BUURTBODE_TEST_CONTAINERS` is 1; their images are in
`BUURTBODE_KAFKA_IMAGE` and `BUURTBODE_MONGO_IMAGE`. A server that cannot start is an error.
"""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from deploy.kafka_admin import add_police_client, add_service_users, add_witness, apply_topics
from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_properties import KafkaPorts, KafkaSecrets
from deploy.local.kafka_runtime import kafka_runtime
from deploy.local.mongod import Mongod, MongoSecrets
from deploy.local.ports import stable_ports
from shared.settings import KafkaSettings
from shared.topics import SERVICES
from tests.support.cluster import KafkaCluster


class KafkaServer(Protocol):
    """A started Kafka with SASL and ACLs."""

    @property
    def operator(self) -> KafkaSettings:
        """How its superuser connects."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class MongoServer(Protocol):
    """A started MongoDB replica set of one node."""

    @property
    def admin_url(self) -> str:
        """Where its superuser connects, password included."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


def containers_wanted() -> bool:
    """Say whether this run uses containers in place of local processes."""
    return os.environ.get("BUURTBODE_TEST_CONTAINERS") == "1"


def local_broker(folder: Path) -> KafkaBroker:
    """Make a broker below `folder`; the caller starts and stops it."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = stable_ports(folder / "kafka-ports.json", ("client", "internal", "controller"))
    passwords = KafkaSecrets(broker=secrets.token_hex(8), operator="operator-password")
    return KafkaBroker(folder / "kafka", kafka_runtime(), KafkaPorts(**ports), passwords)


def local_mongod(folder: Path, services: dict[str, str] | None = None) -> Mongod:
    """Make a database server below `folder`; the caller starts and stops it."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = stable_ports(folder / "mongod-ports.json", ("mongod",))
    return Mongod(
        folder / "mongod", ports["mongod"], MongoSecrets("admin-password", services or {})
    )


def start_kafka(folder: Path) -> KafkaServer:
    """Start the run's broker."""
    if containers_wanted():
        from tests.support.containers import start_kafka_container  # noqa: PLC0415

        return start_kafka_container()
    broker = local_broker(folder)
    broker.start()
    return broker


def start_mongo(folder: Path) -> MongoServer:
    """Start the run's database server."""
    if containers_wanted():
        from tests.support.containers import start_mongo_container  # noqa: PLC0415

        return start_mongo_container()
    server = local_mongod(folder)
    server.start()
    return server


@dataclass(frozen=True, slots=True)
class Told:
    """Where started servers are."""

    cluster: KafkaCluster
    mongo_admin_url: str

    def to_json(self) -> str:
        """Write it for another process of the same run: with the passwords, in memory only."""
        operator = self.cluster.operator
        return json.dumps(
            {
                "operator": {
                    **operator.model_dump(mode="json"),
                    "password": operator.password.get_secret_value(),
                },
                "passwords": dict(self.cluster.passwords),
                "mongo_admin_url": self.mongo_admin_url,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        told = json.loads(text)
        operator = KafkaSettings.model_validate(told["operator"])
        return cls(KafkaCluster(operator, told["passwords"]), told["mongo_admin_url"])


class RunServers:
    """A run's broker and database server: each starts when first asked for, unless it was told."""

    def __init__(self, folder: Path, told: Told | None = None) -> None:
        """Keep their data below `folder`; `told` names those that run already."""
        self._folder = folder
        self._told = told
        self._kafka: KafkaServer | None = None
        self._cluster: KafkaCluster | None = None
        self._mongo: MongoServer | None = None

    def kafka(self) -> KafkaCluster:
        """Give the broker, with every topic and every kind of user."""
        if self._cluster is None:
            self._cluster = self._start_kafka() if self._told is None else self._told.cluster
        return self._cluster

    def mongo_admin_url(self) -> str:
        """Give where the database's superuser connects."""
        if self._told is not None:
            return self._told.mongo_admin_url
        if self._mongo is None:
            self._mongo = start_mongo(self._folder / "mongo")
        return self._mongo.admin_url

    def told(self) -> Told:
        """Start both, and tell where they are."""
        return Told(self.kafka(), self.mongo_admin_url())

    def stop(self) -> None:
        """End what was started here."""
        for server in (self._kafka, self._mongo):
            if server is not None:
                server.stop()

    def _start_kafka(self) -> KafkaCluster:
        self._kafka = start_kafka(self._folder / "kafka")
        operator = self._kafka.operator
        users = {str(party): secrets.token_hex(12) for party in SERVICES}
        add_service_users(operator, users)
        apply_topics(operator)
        users["witness"] = add_witness(operator)
        for zone in ("demo", "other"):
            users[f"police-{zone}"] = add_police_client(operator, zone)
        return KafkaCluster(operator, users)
