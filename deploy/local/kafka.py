"""A real Apache Kafka (KRaft, one node, SASL and ACLs) as a child process, on a JRE from PyPI.

What it acknowledged survives SIGKILL. Its settings are in `kafka_properties`.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from deploy.kafka_admin import OPERATOR, answers
from deploy.local.child import Child
from deploy.local.files import write_private
from deploy.local.java import java, run_java
from deploy.local.kafka_properties import (
    KafkaPorts,
    KafkaSecrets,
    new_cluster_id,
    server_properties,
)
from deploy.local.kafka_runtime import KafkaRuntime
from deploy.local.ports import LOOPBACK, is_listening
from shared.settings import KafkaSettings


class KafkaBroker(Child):
    """One combined broker and controller."""

    def __init__(
        self,
        data: Path,
        runtime: KafkaRuntime,
        ports: KafkaPorts,
        secrets: KafkaSecrets,
        *,
        train: Path | None = None,
    ) -> None:
        """`data` is the broker's own folder; with `train` it writes that class cache at its end."""
        super().__init__("kafka", data.parent / "logs" / "kafka.log", timedelta(seconds=40))
        self._data = data
        self._runtime = runtime
        self._train = train
        self._ports = ports
        self._secrets = secrets

    @property
    def bootstrap(self) -> str:
        """Where clients connect, `host:port`."""
        return f"{LOOPBACK}:{self._ports.client}"

    @property
    def operator(self) -> KafkaSettings:
        """How the superuser connects."""
        return self.user(OPERATOR, self._secrets.operator)

    def user(self, name: str, password: str) -> KafkaSettings:
        """How a user connects."""
        return KafkaSettings(
            bootstrap=self.bootstrap,
            user=name,
            password=SecretStr(password),
            protocol="SASL_PLAINTEXT",
        )

    def prepare(self) -> None:
        """Write the settings and, the first time, format the storage."""
        self._data.mkdir(parents=True, exist_ok=True)
        write_private(
            self._properties, server_properties(self._ports, self._secrets, self._data / "log")
        )
        if not (self._data / "log" / "meta.properties").exists():
            operator = f"name={OPERATOR},password={self._secrets.operator}"
            run_java(
                self._runtime.options(),
                "kafka.tools.StorageTool",
                [
                    *("format", "-t", new_cluster_id(), "-c", str(self._properties)),
                    *("--add-scram", f"SCRAM-SHA-256=[{operator}]"),
                ],
            )

    def command(self) -> Sequence[str]:
        """Give the command line."""
        train, runtime = self._train, self._runtime
        return [
            java(),
            *(runtime.training_options(train) if train else runtime.options()),
            "--sun-misc-unsafe-memory-access=allow",  # Kafka still uses it; Java 25 warns
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            *("kafka.Kafka", str(self._properties)),
        ]

    def is_ready(self) -> bool:
        """Say whether the broker answers a client that logged in."""
        return is_listening(self._ports.client) and answers(self.operator)

    @property
    def _properties(self) -> Path:
        return self._data / "server.properties"
