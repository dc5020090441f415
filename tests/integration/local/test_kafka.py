"""The local Kafka: who gets in, what a SIGKILL costs, and what `topics apply` changes."""

# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false
# (confluent-kafka does not mark what it exports, and leaves its futures' results untyped)

import time
from collections.abc import Generator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)
from pydantic import SecretStr

from deploy.kafka_admin import (
    BadZoneIdError,
    KafkaUnreachableError,
    add_police_client,
    add_witness,
    answers,
    apply_topics,
    client_settings,
    clients,
    police_user,
    revoke_client,
)
from deploy.local.kafka import KafkaBroker
from shared.topics import ALERTS, CHECKPOINTS, MEMBERS, TOPICS
from tests.support.cluster import KafkaCluster
from tests.support.servers import local_broker
from tests.support.timing import limit

_COUNT = 300


@pytest.fixture
def broker(tmp_path: Path) -> Generator[KafkaBroker]:
    """Give a broker of the test's own, which it may kill."""
    kafka = local_broker(tmp_path)
    kafka.start()
    yield kafka
    kafka.stop()


def test_sigkill_loses_nothing_that_was_acknowledged(broker: KafkaBroker) -> None:
    """The broker is back on its port in less than 5 s, with its topics, users and records."""
    apply_topics(broker.operator)
    password = add_police_client(broker.operator, "demo")
    police = broker.user("police-demo", password)
    producer = Producer({**client_settings(police), "enable.idempotence": True})
    for number in range(_COUNT):
        producer.produce(ALERTS.name, str(number).encode(), key=b"demo")
    assert producer.flush(10) == 0

    broker.kill()
    began = time.monotonic()
    broker.start()
    assert time.monotonic() - began < limit(5)

    assert not apply_topics(broker.operator)
    assert _values(broker, ALERTS.name, _COUNT) == [str(n).encode() for n in range(_COUNT)]
    producer.produce(ALERTS.name, b"after", key=b"demo")
    assert producer.flush(10) == 0


def _values(broker: KafkaBroker, topic: str, count: int) -> list[bytes | None]:
    group = {"group.id": "count", "auto.offset.reset": "earliest"}
    consumer = Consumer({**client_settings(broker.operator), **group})
    consumer.subscribe([topic])
    values: list[bytes | None] = []
    try:
        while len(values) < count:
            messages = consumer.consume(count, timeout=10)
            assert messages, f"{len(values)} of {count} records"
            values += [message.value() for message in messages]
    finally:
        consumer.close()
    return values


def test_a_wrong_password_does_not_get_in(kafka_cluster: KafkaCluster) -> None:
    """A wrong password is refused, and the error says what it probably is."""
    wrong = kafka_cluster.operator.model_copy(update={"password": SecretStr("wrong")})
    assert answers(kafka_cluster.operator)
    assert not answers(wrong)


def test_an_unreachable_cluster_is_said_in_words(kafka_cluster: KafkaCluster) -> None:
    """The error names address and user, and both things it can be; never the password."""
    update = {"password": SecretStr("not-this-one")}
    wrong = kafka_cluster.operator.model_copy(update=update)
    with pytest.raises(KafkaUnreachableError, match=r"operator.*password is wrong") as caught:
        apply_topics(wrong, timeout=2)
    assert "not-this-one" not in str(caught.value)


def test_the_topics_are_those_of_the_table(kafka_cluster: KafkaCluster) -> None:
    """Every topic has the table's partitions and settings; applying again changes nothing."""
    admin = AdminClient(client_settings(kafka_cluster.operator))
    found = admin.list_topics(timeout=10).topics
    assert {n: len(found[n].partitions) for n in TOPICS} == {
        name: topic.partitions for name, topic in TOPICS.items()
    }
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in TOPICS]
    for resource, future in admin.describe_configs(resources).items():
        entries = future.result(10)
        wanted = TOPICS[resource.name].settings()
        assert {name: entries[name].value for name in wanted} == wanted
    assert not apply_topics(kafka_cluster.operator)


def test_a_setting_that_was_changed_by_hand_is_put_back(broker: KafkaBroker) -> None:
    """`topics apply` corrects a setting and removes an ACL that the table does not have."""
    apply_topics(broker.operator)
    _change_by_hand(AdminClient(client_settings(broker.operator)))
    changes = apply_topics(broker.operator)
    assert changes.topics_created == ()
    assert changes.topics_altered == (MEMBERS.name,)
    assert changes.acls_added == ()
    assert changes.acls_removed == (f"User:audit read topic {MEMBERS.name}",)
    assert not apply_topics(broker.operator)


def test_a_revoked_client_is_refused_at_once(broker: KafkaBroker) -> None:
    """Revoking takes the password and the permissions, and says whether there was anything."""
    apply_topics(broker.operator)
    password = add_police_client(broker.operator, "demo")
    police = broker.user("police-demo", password)
    assert answers(police)
    connected = Producer(client_settings(police))
    connected.produce(ALERTS.name, b"before")
    assert connected.flush(10) == 0

    assert revoke_client(broker.operator, police_user("demo"))
    assert clients(broker.operator) == ()
    assert not answers(police)
    errors: list[object] = []
    connected.produce(
        ALERTS.name,
        b"after",
        on_delivery=lambda error, _message: errors.append(error and error.name()),
    )
    connected.flush(10)
    assert errors == ["TOPIC_AUTHORIZATION_FAILED"]
    assert not revoke_client(broker.operator, police_user("demo"))


def test_a_revoked_witness_reads_no_more_also_after_topics_apply(broker: KafkaBroker) -> None:
    """`topics apply` gives rights to the services and to the clients that were made, to no more."""
    apply_topics(broker.operator)
    assert clients(broker.operator) == ()
    witness = broker.user("witness", add_witness(broker.operator))
    assert clients(broker.operator) == ("witness",)
    assert not apply_topics(broker.operator)
    connected = AdminClient(client_settings(witness))
    assert CHECKPOINTS.name in connected.list_topics(timeout=10).topics

    assert revoke_client(broker.operator, "witness")
    assert not apply_topics(broker.operator)
    assert not answers(witness)
    assert connected.list_topics(timeout=10).topics == {}
    assert not revoke_client(broker.operator, "witness")


def test_after_a_revocation_a_killed_broker_still_lets_everyone_in(broker: KafkaBroker) -> None:
    """Kafka 4.3.1 would not, if the revoked user's credential had been deleted."""
    add_police_client(broker.operator, "gone")
    assert revoke_client(broker.operator, police_user("gone"))
    broker.kill()
    broker.start()
    assert answers(broker.operator)


@pytest.mark.parametrize("zone", ["", "Demo", "demo.x", "demo zone", "*", "-demo", "x" * 64])
def test_a_zone_id_that_is_no_name_is_refused(kafka_cluster: KafkaCluster, zone: str) -> None:
    """A client's groups start with its name and a dot, so no zone id may hold one."""
    with pytest.raises(BadZoneIdError):
        add_police_client(kafka_cluster.operator, zone)


def _change_by_hand(admin: AdminClient) -> None:
    entry = ConfigEntry(
        "max.compaction.lag.ms", "1000000", incremental_operation=AlterConfigOpType.SET
    )
    resource = ConfigResource(ResourceType.TOPIC, MEMBERS.name, incremental_configs=[entry])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(10)
    while _setting(admin, MEMBERS.name, "max.compaction.lag.ms") != "1000000":
        time.sleep(0.05)  # the broker answers from its copy, some 0.5 s behind the controller
    acl = AclBinding(
        ResourceType.TOPIC,
        MEMBERS.name,
        ResourcePatternType.LITERAL,
        "User:audit",
        "*",
        AclOperation.READ,
        AclPermissionType.ALLOW,
    )
    for future in admin.create_acls([acl]).values():
        future.result(10)


def _setting(admin: AdminClient, topic: str, name: str) -> str | None:
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return future.result(10)[name].value
