"""Every Kafka user against every topic of the table: what it does not allow is refused."""

# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false
# (confluent-kafka does not mark what it exports, and leaves its futures' results untyped)

from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer  # pyright: ignore[reportMissingTypeStubs]
from aiokafka.client import AIOKafkaClient  # pyright: ignore[reportMissingTypeStubs]
from aiokafka.errors import (  # pyright: ignore[reportMissingTypeStubs]
    GroupAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest  # pyright: ignore[reportMissingTypeStubs]
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.error import KafkaError

from deploy.kafka_admin import client_settings
from shared.settings import KafkaSettings
from shared.topics import POLICE_TOPICS, TOPICS, Party, Topic
from tests.support.cluster import KafkaCluster

_PARTIES = {
    "registry": Party.REGISTRY,
    "dispatcher": Party.DISPATCHER,
    "audit": Party.AUDIT,
    "witness": Party.WITNESS,
    "police-demo": Party.POLICE,
    "police-other": Party.POLICE,
}
_OWN_GROUPS = {user: [f"{user}.some-purpose"] for user in _PARTIES}
_OWN_GROUPS["police-demo"].append("police-demo")
_REFUSED = "TOPIC_AUTHORIZATION_FAILED"
_ALLOWED = "allowed"

every_user = pytest.mark.parametrize("name", _PARTIES)


def test_the_table_allows_and_forbids_something_to_everyone() -> None:
    """The matrix below cannot pass by allowing everything, or by refusing everything."""
    for party in set(_PARTIES.values()):
        assert any(party in topic.writers or party in topic.readers for topic in TOPICS.values())
        assert any(party not in topic.writers for topic in TOPICS.values())
        assert any(party not in topic.readers for topic in TOPICS.values())


@every_user
def test_a_user_writes_what_the_table_allows_and_nothing_else(
    kafka_cluster: KafkaCluster, name: str
) -> None:
    """Each refusal is an authorisation error; each allowed record is acknowledged.

    The producer is idempotent, as all of ours are, for whoever may write anything at all.
    """
    expected = {
        topic: _ALLOWED if _PARTIES[name] in TOPICS[topic].writers else _REFUSED for topic in TOPICS
    }
    idempotent = _ALLOWED in expected.values()
    assert _writes(kafka_cluster.user(name), idempotent=idempotent) == expected


@every_user
async def test_a_user_reads_what_the_table_allows_and_nothing_else(
    kafka_cluster: KafkaCluster, name: str
) -> None:
    """Each refusal is an authorisation error; each allowed fetch is answered."""
    expected = {
        topic: _ALLOWED if _PARTIES[name] in TOPICS[topic].readers else _REFUSED for topic in TOPICS
    }
    assert await _reads(kafka_cluster.user(name)) == expected


@every_user
async def test_a_user_has_its_own_consumer_groups_only(
    kafka_cluster: KafkaCluster, name: str
) -> None:
    """A user joins the groups that carry its name, and none of another user's."""
    user = kafka_cluster.user(name)
    readable = next(topic for topic, t in TOPICS.items() if _PARTIES[name] in t.readers)
    for owner, groups in _OWN_GROUPS.items():
        for group in groups:
            if owner == name:
                await _join(user, group, readable)
            else:
                with pytest.raises(GroupAuthorizationFailedError):
                    await _join(user, group, readable)


@every_user
def test_a_user_cannot_change_the_cluster(kafka_cluster: KafkaCluster, name: str) -> None:
    """Making and deleting topics, and seeing who may do what, are the operator's."""
    admin = AdminClient(client_settings(kafka_cluster.user(name)))
    with pytest.raises(KafkaException, match=_REFUSED):
        admin.create_topics([NewTopic("bin.mine", 1, 1)])["bin.mine"].result(10)
    with pytest.raises(KafkaException, match=_REFUSED):
        admin.delete_topics(["bin.members"])["bin.members"].result(10)


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4"])
@pytest.mark.parametrize("topic", POLICE_TOPICS, ids=lambda topic: topic.name)
def test_a_record_of_the_police_is_as_large_as_what_it_holds(
    kafka_cluster: KafkaCluster, topic: Topic, compression: str
) -> None:
    """The broker would measure what it was compressed to, and whoever reads it would not."""
    told: list[str] = []
    user = client_settings(kafka_cluster.user("police-demo"))
    limits = {"message.max.bytes": 50_000_000, "compression.type": compression}
    producer = Producer({**user, **limits})
    for size in (20_000_000, 100_000):
        producer.produce(
            topic.name,
            b"a" * size,
            key=b"acls",
            on_delivery=lambda error, _: told.append(error.name() if error else _ALLOWED),
        )
        producer.flush(30)
    assert told == ["MSG_SIZE_TOO_LARGE", _ALLOWED]


def _writes(user: KafkaSettings, *, idempotent: bool) -> dict[str, str]:
    """Try to write one record to each topic; gives what came of it."""
    outcome: dict[str, str] = {}

    def note(topic: str, error: KafkaError | None) -> None:
        outcome[topic] = error.name() if error else _ALLOWED

    producer = Producer({**client_settings(user), "enable.idempotence": idempotent})
    for topic in TOPICS:
        producer.produce(topic, b"{}", key=b"acls", on_delivery=lambda e, _m, t=topic: note(t, e))
    producer.flush(30)
    return outcome


async def _reads(user: KafkaSettings) -> dict[str, str]:
    """Fetch from each topic in one request; gives what came of it.

    A consumer would do, but keeps asking for what it may not have and hides the broker's answer.
    """
    client = cast("Any", AIOKafkaClient)(**_connection(user))
    await client.bootstrap()
    try:
        wanted = [(topic, [(0, 0, 1024)]) for topic in TOPICS]
        request = FetchRequest(100, 1, 1 << 20, 0, wanted)
        answer = await client.send(client.get_random_node(), request)
    finally:
        await client.close()
    return {topic: _outcome(partitions[0][1]) for topic, partitions in answer.topics}


def _outcome(code: int) -> str:
    if code == 0:
        return _ALLOWED
    return _REFUSED if code == KafkaError.TOPIC_AUTHORIZATION_FAILED else for_code(code).__name__


async def _join(user: KafkaSettings, group: str, topic: str) -> None:
    consumer = cast("Any", AIOKafkaConsumer)(topic, **_connection(user), group_id=group)
    try:
        await consumer.start()
    finally:
        await consumer.stop()


def _connection(user: KafkaSettings) -> dict[str, Any]:
    return {
        "bootstrap_servers": user.bootstrap,
        "security_protocol": user.protocol,
        "sasl_mechanism": user.mechanism,
        "sasl_plain_username": user.user,
        "sasl_plain_password": user.password.get_secret_value(),
    }
