"""The settings of a one-node Apache Kafka with SASL and ACLs, each with its reason.

Only for one machine: replication factors are 1 and nothing is encrypted. Every listener asks for a
password; there is no anonymous user.
"""

import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka_admin import OPERATOR
from deploy.local.ports import LOOPBACK

BROKER_USER = "broker"
"""Who the broker is to itself, on the listeners that nobody else uses."""

_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"

_ONE_MACHINE = {
    "auto.create.topics.enable": "false",
    # a broker killed with SIGKILL is let in again once its old session is over: with the defaults
    # it needs 11.5 s to come back, with these 2 s
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "250",
    # lets a consumer choose how soon its death is noticed (Kafka's minimum is 6 s)
    "group.min.session.timeout.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "8",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}


@dataclass(frozen=True, slots=True)
class KafkaPorts:
    """One port per listener."""

    client: int
    internal: int
    controller: int


@dataclass(frozen=True, slots=True, repr=False)
class KafkaSecrets:
    """`broker` is the broker's own password, `operator` the superuser's."""

    broker: str
    operator: str


def server_properties(
    ports: KafkaPorts, secrets: KafkaSecrets, logs: Path, listen_on: str = LOOPBACK
) -> str:
    """Write `server.properties`; `listen_on` is another address inside a container only."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{ports.controller}",
        "log.dirs": str(logs),
        **_listeners(ports, listen_on),
        **_logins(secrets),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{BROKER_USER};User:{OPERATOR}",
        **_ONE_MACHINE,
    }
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def _listeners(ports: KafkaPorts, listen_on: str) -> dict[str, str]:
    own = f"INTERNAL://{LOOPBACK}:{ports.internal}"
    controller = f"CONTROLLER://{LOOPBACK}:{ports.controller}"
    names = ("CLIENT", "INTERNAL", "CONTROLLER")
    return {
        "listeners": f"CLIENT://{listen_on}:{ports.client},{own},{controller}",
        "advertised.listeners": f"CLIENT://{LOOPBACK}:{ports.client},{own}",
        "inter.broker.listener.name": "INTERNAL",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": ",".join(f"{name}:SASL_PLAINTEXT" for name in names),
    }


def _logins(secrets: KafkaSecrets) -> dict[str, str]:
    own = (
        f'{_PLAIN} username="{BROKER_USER}" password="{secrets.broker}"'
        f' user_{BROKER_USER}="{secrets.broker}";'
    )
    return {
        "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-256",
        "listener.name.client.scram-sha-256.sasl.jaas.config": _SCRAM,
        "listener.name.internal.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.internal.plain.sasl.jaas.config": own,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": own,
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
    }


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")


def new_cluster_id(new: Callable[[], uuid.UUID] = uuid.uuid4) -> str:
    """Give a fresh cluster id: 16 random bytes in base64url, as Kafka's own `Uuid`.

    As there, never one with a leading dash: `kafka-storage` would take it for an option, and one
    first start in 64 would fail.
    """
    while True:
        made = base64.urlsafe_b64encode(new().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made
