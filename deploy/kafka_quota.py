"""Produce quotas, which no Python client can set: by `ConfigCommand` from Kafka's own jars."""

import re
from collections.abc import Sequence

from deploy.kafka_admin import PRODUCE_QUOTA
from deploy.local.files import private_temporary_file
from deploy.local.java import run_java
from deploy.local.kafka_runtime import KafkaRuntime
from shared.settings import KafkaSettings

_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule"


def set_produce_quota(operator: KafkaSettings, runtime: KafkaRuntime, user: str) -> None:
    """Limit what a user may write, over all its connections to one broker.

    Kafka delays who writes more; nothing is lost. Raises `JavaProgramError`.
    """
    _alter(operator, runtime, user, ["--add-config", f"producer_byte_rate={PRODUCE_QUOTA}"])


def remove_produce_quota(operator: KafkaSettings, runtime: KafkaRuntime, user: str) -> None:
    """Take the limit away, for a user that was revoked."""
    _alter(operator, runtime, user, ["--delete-config", "producer_byte_rate"])


def produce_quota(operator: KafkaSettings, runtime: KafkaRuntime, user: str) -> int | None:
    """Give a user's limit in bytes a second. Raises `JavaProgramError`."""
    said = _configure(operator, runtime, user, ["--describe"])
    found = re.search(r"producer_byte_rate=([0-9]+)", said)
    return int(found.group(1)) if found else None


def _alter(
    operator: KafkaSettings, runtime: KafkaRuntime, user: str, change: Sequence[str]
) -> None:
    _configure(operator, runtime, user, ["--alter", *change])


def _configure(
    operator: KafkaSettings, runtime: KafkaRuntime, user: str, what: Sequence[str]
) -> str:
    with private_temporary_file(_client_properties(operator)) as file:
        target = ["--entity-type", "users", "--entity-name", user]
        where = ["--bootstrap-server", operator.bootstrap, "--command-config", str(file)]
        return run_java(runtime.options(), "kafka.admin.ConfigCommand", [*where, *what, *target])


def _client_properties(operator: KafkaSettings) -> str:
    password = operator.password.get_secret_value()
    login = f'{_LOGIN} required username="{operator.user}" password="{password}";'
    settings = {
        "security.protocol": operator.protocol,
        "sasl.mechanism": operator.mechanism,
        "sasl.jaas.config": login,
    }
    if operator.ca_file is not None:
        settings["ssl.truststore.type"] = "PEM"
        settings["ssl.truststore.location"] = str(operator.ca_file)
    return "".join(f"{name}={value}\n" for name, value in settings.items())
