"""The same two servers from container images, for `make test-containers`.

Both listen on the same port inside and outside, so that what they tell their clients about
themselves is true in both places. Settings travel as variables; nothing is mounted.
"""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import docker
from docker.errors import DockerException
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from testcontainers.core.container import (  # pyright: ignore[reportMissingTypeStubs]
    DockerContainer,
)

from deploy.kafka_admin import OPERATOR, answers
from deploy.local.kafka_properties import KafkaPorts, KafkaSecrets, server_properties
from deploy.local.mongod import REPLICA_SET
from deploy.local.ports import LOOPBACK, free_port
from shared.settings import KafkaSettings

_KAFKA_IMAGE = os.environ.get("BUURTBODE_KAFKA_IMAGE", "apache/kafka:4.3.1")
_MONGO_IMAGE = os.environ.get("BUURTBODE_MONGO_IMAGE", "mongo:8.0")
_READY_SECONDS = 60

_START_KAFKA = """
set -e
printf '%s' "$SERVER_PROPERTIES" > /tmp/server.properties
/opt/kafka/bin/kafka-storage.sh format -t "$CLUSTER" -c /tmp/server.properties \
  --add-scram "$OPERATOR"
exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties
"""


class NoDockerError(Exception):
    """Containers were asked for, and no Docker engine answers."""


class KafkaInContainer:
    """Apache Kafka's own image, with our settings in place of its own."""

    def __init__(self) -> None:
        ports = KafkaPorts(free_port(), free_port(), free_port())
        words = KafkaSecrets(broker=secrets.token_hex(8), operator=secrets.token_hex(8))
        logs = Path("/tmp/kafka-log")  # noqa: S108 - inside the container
        everywhere = "0.0.0.0"  # noqa: S104 - inside the container
        properties = server_properties(ports, words, logs, listen_on=everywhere)
        operator = f"SCRAM-SHA-256=[name={OPERATOR},password={words.operator}]"
        self.operator = KafkaSettings(
            bootstrap=f"{LOOPBACK}:{ports.client}",
            user=OPERATOR,
            password=SecretStr(words.operator),
            protocol="SASL_PLAINTEXT",
        )
        self._container = (
            DockerContainer(_KAFKA_IMAGE)
            .with_kwargs(entrypoint=["sh", "-c", _START_KAFKA])
            .with_env("SERVER_PROPERTIES", properties)
            .with_env("CLUSTER", "MkU3OEVBNTcwNTJENDM2Qg")
            .with_env("OPERATOR", operator)
            .with_bind_ports(ports.client, ports.client)
        )

    def start(self) -> None:
        """Start it and wait until it answers its operator."""
        self._container.start()
        _wait_for(lambda: answers(self.operator), _KAFKA_IMAGE)

    def stop(self) -> None:
        """End and remove it."""
        self._container.stop()


class MongoInContainer:
    """MongoDB's image as a replica set of one, without users: it is on loopback and ends soon."""

    def __init__(self) -> None:
        self._port = free_port()
        self.admin_url = f"mongodb://{LOOPBACK}:{self._port}/?replicaSet={REPLICA_SET}"
        command = f"mongod --replSet {REPLICA_SET} --bind_ip_all --port {self._port}"
        self._container = (
            DockerContainer(_MONGO_IMAGE)
            .with_command(command)
            .with_bind_ports(self._port, self._port)
        )

    def start(self) -> None:
        """Start it, form its set, and wait until it leads it."""
        self._container.start()
        _wait_for(self._leads, _MONGO_IMAGE)

    def stop(self) -> None:
        """End and remove it."""
        self._container.stop()

    def _leads(self) -> bool:
        url = f"mongodb://{LOOPBACK}:{self._port}/?directConnection=true"
        with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=1000) as client:
            try:
                hello = client.admin.command("hello")
                if "setName" not in hello:
                    member = {"_id": 0, "host": f"{LOOPBACK}:{self._port}"}
                    client.admin.command(
                        "replSetInitiate", {"_id": REPLICA_SET, "members": [member]}
                    )
            except PyMongoError:
                return False
            return bool(hello.get("isWritablePrimary"))


def start_kafka_container() -> KafkaInContainer:
    """Start Kafka in a container; raises `NoDockerError` where there is no engine."""
    _ping()
    server = KafkaInContainer()
    server.start()
    return server


def start_mongo_container() -> MongoInContainer:
    """Start MongoDB in a container; raises `NoDockerError` where there is no engine."""
    _ping()
    server = MongoInContainer()
    server.start()
    return server


def _ping() -> None:
    try:
        cast("Any", docker.from_env()).ping()
    except DockerException as problem:
        message = "BUURTBODE_TEST_CONTAINERS is 1, and no Docker engine answers"
        raise NoDockerError(message) from problem


def _wait_for(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            message = f"{what} was not ready in {_READY_SECONDS} s"
            raise TimeoutError(message)
        time.sleep(0.2)
