"""The real Kafka and MongoDB that the integration tests use: local processes, or containers.

Containers are used when `BUURTBODE_TEST_CONTAINERS` is 1; their images are in
`BUURTBODE_KAFKA_IMAGE` and `BUURTBODE_MONGO_IMAGE`. A server that cannot start is an error.
"""

import os
import secrets
from pathlib import Path
from typing import Protocol

from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_properties import KafkaPorts, KafkaSecrets
from deploy.local.kafka_runtime import kafka_runtime
from deploy.local.mongod import Mongod, MongoSecrets
from deploy.local.ports import stable_ports
from shared.settings import KafkaSettings


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
