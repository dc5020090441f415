"""The same two servers from container images, for `make test-containers`.

Both listen on the same port inside and outside, so that what they tell their clients about
themselves is true in both places. Settings travel as variables; nothing is mounted, and nothing is
published beyond loopback.

Beside the two images, testcontainers fetches its own that removes what a killed run left behind; a
site that mirrors images names its copy in `RYUK_CONTAINER_IMAGE`, or does without it by
`TESTCONTAINERS_RYUK_DISABLED=true`.
"""

import os
import secrets
import time
from abc import ABC, abstractmethod
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
_LAST_WORDS = 4000

_START_KAFKA = """
set -e
printf '%s' "$SERVER_PROPERTIES" > /tmp/server.properties
/opt/kafka/bin/kafka-storage.sh format -t "$CLUSTER" -c /tmp/server.properties \
  --add-scram "$OPERATOR"
exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties
"""


class NoDockerError(Exception):
    """Containers were asked for, and no Docker engine answers."""


class ContainerDiedError(Exception):
    """A server ended while it was waited for; the text ends with what it said last."""


class ServerInContainer(ABC):
    """A server from an image, on one port of loopback."""

    def __init__(self, image: str, container: DockerContainer, port: int) -> None:
        """`port` is the same inside and outside."""
        self._image = image
        self._container = container
        # in place of `with_bind_ports`, which publishes on every address of this machine
        cast("dict[str, tuple[str, int]]", container.ports)[str(port)] = (LOOPBACK, port)

    @abstractmethod
    def is_ready(self) -> bool:
        """Say whether it can be used; called until it can."""

    def start(self) -> None:
        """Start it and wait until it is ready; where it does not get so far, remove it."""
        try:
            self._container.start()
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End and remove it."""
        self._container.stop()

    def _wait(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self.is_ready():
            self._container.reload()
            if self._container.status == "exited":
                message = f"{self._image} ended:\n{self._last_words()}"
                raise ContainerDiedError(message)
            if time.monotonic() > deadline:
                message = f"{self._image} not ready in {_READY_SECONDS} s:\n{self._last_words()}"
                raise TimeoutError(message)
            time.sleep(0.2)

    def _last_words(self) -> str:
        said = b"".join(self._container.get_logs()).decode(errors="replace")
        return said[-_LAST_WORDS:]


class KafkaInContainer(ServerInContainer):
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
        container = (
            DockerContainer(_KAFKA_IMAGE)
            .with_kwargs(entrypoint=["sh", "-c", _START_KAFKA])
            .with_env("SERVER_PROPERTIES", properties)
            .with_env("CLUSTER", "MkU3OEVBNTcwNTJENDM2Qg")
            .with_env("OPERATOR", operator)
        )
        super().__init__(_KAFKA_IMAGE, container, ports.client)

    def is_ready(self) -> bool:
        """Say whether it answers its operator."""
        return answers(self.operator)


class MongoInContainer(ServerInContainer):
    """MongoDB's image as a replica set of one, without users: it is on loopback and ends soon."""

    def __init__(self) -> None:
        port = free_port()
        self._host = f"{LOOPBACK}:{port}"
        self.admin_url = f"mongodb://{self._host}/?replicaSet={REPLICA_SET}"
        command = f"mongod --replSet {REPLICA_SET} --bind_ip_all --port {port}"
        super().__init__(_MONGO_IMAGE, DockerContainer(_MONGO_IMAGE).with_command(command), port)

    def is_ready(self) -> bool:
        """Say whether it leads its set; the first call that it answers forms the set."""
        url = f"mongodb://{self._host}/?directConnection=true"
        with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=1000) as client:
            try:
                hello = client.admin.command("hello")
                if "setName" not in hello:
                    members = [{"_id": 0, "host": self._host}]
                    client.admin.command(
                        "replSetInitiate", {"_id": REPLICA_SET, "members": members}
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
