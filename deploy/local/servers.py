"""Kafka and MongoDB of a stack: our own child processes, or servers that are already there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.kafka_admin import (
    add_police_client,
    add_service_users,
    add_witness,
    apply_topics,
    police_user,
)
from deploy.kafka_quota import set_produce_quota
from deploy.local.child import Child
from deploy.local.jars import Progress
from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_properties import KafkaPorts, KafkaSecrets
from deploy.local.kafka_runtime import KafkaRuntime, kafka_runtime
from deploy.local.mongod import Mongod, MongoSecrets, ensure_users
from deploy.local.options import UpOptions, as_user, external_operator
from deploy.local.service_settings import SERVICES
from deploy.local.tokens import DEMO_ZONE
from deploy.local.vault import Vault
from shared.settings import KafkaSettings
from shared.topics import Party


@dataclass(frozen=True, slots=True)
class Servers:
    """How the rest of the stack reaches Kafka and MongoDB, and the parts to start for that."""

    parts: Sequence[Child]
    operator: KafkaSettings
    mongo: str
    """Where the superuser connects, password included."""

    runtime: KafkaRuntime
    """What runs Kafka's programs; also needed to set a quota."""

    def mongo_urls(self, passwords: Mapping[str, str]) -> dict[str, str]:
        """Give each service's own URL."""
        return {name: as_user(self.mongo, name, word) for name, word in passwords.items()}


def servers(
    options: UpOptions, vault: Vault, ports: Mapping[str, int], progress: Progress | None
) -> Servers:
    """Make the servers of a stack, fetching Kafka's jars the first time; starts nothing."""
    runtime = kafka_runtime(progress=progress)
    parts: list[Child] = []
    if options.mongo is None:
        words = MongoSecrets(vault.password("mongo-admin"), service_passwords(vault, "mongo"))
        mongod = Mongod(options.data / "mongod", ports["mongod"], words)
        parts.append(mongod)
        mongo = mongod.admin_url
    else:
        mongo = options.mongo
    if options.kafka is None:
        broker = _broker(options.data, runtime, vault, ports)
        parts.append(broker)
        operator = broker.operator
    else:
        operator = external_operator(options.kafka)
    return Servers(parts, operator, mongo, runtime)


def service_passwords(vault: Vault, kind: str) -> dict[str, str]:
    """Give each service's password; `kind` is `kafka` or `mongo`."""
    return vault.passwords(kind, SERVICES)


def prepare_mongo(options: UpOptions, found: Servers, passwords: Mapping[str, str]) -> None:
    """Make the services' users on a server that was already there, where it has users at all."""
    if options.mongo is None or as_user(options.mongo, "x", "y") == options.mongo:
        return
    with MongoClient[dict[str, Any]](found.mongo, serverSelectionTimeoutMS=5_000) as client:
        ensure_users(client, passwords)


def prepare_kafka(found: Servers, vault: Vault) -> None:
    """Make users, topics and ACLs: the services', the witness's and the demo zone's."""
    demo, witness = police_user(DEMO_ZONE), Party.WITNESS.value
    known = {
        user: vault.kafka_users().get(user) or vault.password(f"kafka-{user}")
        for user in (demo, witness)
    }
    add_service_users(found.operator, service_passwords(vault, "kafka"))
    apply_topics(found.operator)
    vault.keep_kafka_user(demo, add_police_client(found.operator, DEMO_ZONE, known[demo]))
    vault.keep_kafka_user(witness, add_witness(found.operator, known[witness]))
    vault.keep_kafka_user(found.operator.user, found.operator.password.get_secret_value())


def limit_demo_client(found: Servers) -> None:
    """Set the demo client's produce quota; apart, because it takes a Java program's start."""
    set_produce_quota(found.operator, found.runtime, police_user(DEMO_ZONE))


def _broker(
    data: Path, runtime: KafkaRuntime, vault: Vault, ports: Mapping[str, int]
) -> KafkaBroker:
    return KafkaBroker(
        data / "kafka",
        runtime,
        KafkaPorts(ports["kafka"], ports["kafka-internal"], ports["kafka-controller"]),
        KafkaSecrets(vault.password("kafka-broker"), vault.password("kafka-operator")),
    )
