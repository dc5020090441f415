"""What an integration test gets to see of the run's Kafka."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pydantic import SecretStr

from deploy.kafka_admin import client_settings
from shared.settings import KafkaSettings
from shared.topics import Topic

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """One broker with the topics of the table and a user of each kind."""

    operator: KafkaSettings
    """The superuser, who may also use the topics that a test makes for itself."""

    passwords: Mapping[str, str]
    """Per user: `registry`, `dispatcher`, `audit`, `witness`, `police-demo`, `police-other`."""

    @property
    def bootstrap(self) -> str:
        """Where clients connect, `host:port`."""
        return self.operator.bootstrap

    def user(self, name: str) -> KafkaSettings:
        """Give the connection of a user; `operator` is one too."""
        if name == self.operator.user:
            return self.operator
        password = SecretStr(self.passwords[name])
        return self.operator.model_copy(update={"user": name, "password": password})

    def new_topic(self, like: Topic, partitions: int | None = None) -> str:
        """Make a topic of the test's own, set up like one of the table, and give its name."""
        name = f"test.{like.name}.{uuid.uuid4().hex[:12]}"
        topic = Topic(
            name,
            like.key,
            (),
            (),
            like.personal_data,
            like.retention,
            like.compact_within,
            partitions or like.partitions,
        )
        create_topic(self.operator, topic)
        return name


def create_topic(operator: KafkaSettings, topic: Topic) -> None:
    """Create a topic that is not of the table."""
    admin: Any = AdminClient(client_settings(operator))
    new = NewTopic(topic.name, topic.partitions, 1, config=topic.settings())
    made = admin.create_topics([new], operation_timeout=_TIMEOUT_S)  # until the broker knows it
    made[topic.name].result(_TIMEOUT_S)
