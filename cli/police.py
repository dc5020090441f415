"""A zone's police client: signs an event, writes it to the topic, and waits for its verdict.

The original is recognised by topic, partition, offset and CloudEvents id, so that somebody else's
record with the same id can never be taken for ours.
"""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from cli.failures import NO_ANSWER, CommandError, UnclearError
from cli.keyfile import SigningKey
from deploy.kafka_admin import client_settings, police_user
from shared import envelope
from shared.clock import Clock
from shared.contracts import Verdict
from shared.contracts.police import APPROVAL_HEADER, SIGNATURE_HEADER, PoliceEvent
from shared.failures import Rejected
from shared.records import Outgoing, Record
from shared.settings import KafkaSettings
from shared.topics import VERDICTS

_CONNECT_S = 5.0
_DELIVERY_S = 15.0
_HOPELESS = (KafkaError._AUTHENTICATION, KafkaError.TOPIC_AUTHORIZATION_FAILED)  # noqa: SLF001
"""What trying longer cannot help. librdkafka's own codes begin with an underscore."""


@dataclass(frozen=True, slots=True)
class Published:
    """Where our record stands."""

    topic: str
    partition: int
    offset: int
    ce_id: str


def signed(event: PoliceEvent, key: SigningKey, clock: Clock) -> Outgoing:
    """Turn an event into a signed record of the zone's police client."""
    plain = envelope.encode(
        event, ce_id=clock.new_id(), source=police_user(event.zone_id), time=clock.now()
    )
    return with_header(plain, SIGNATURE_HEADER, key.sign(plain.value, plain.topic))


def approved(draft: Outgoing, key: SigningKey) -> Outgoing:
    """Add a second officer's signature over the same bytes."""
    return with_header(draft, APPROVAL_HEADER, key.sign(draft.value, draft.topic))


def with_header(record: Outgoing, name: str, value: bytes) -> Outgoing:
    """Give the record with one more header, in place of one of that name."""
    others = tuple(item for item in record.headers if item[0] != name)
    return Outgoing(record.topic, record.key, record.value, (*others, (name, value)))


class PoliceClient:
    """The connection of `police-<zone_id>`. Use as a context manager."""

    def __init__(self, kafka: KafkaSettings) -> None:
        """Keep the settings; nothing connects before `with`."""
        self._kafka = kafka
        self._settings = client_settings(kafka)
        self._consumer: Consumer | None = None
        self._seen: dict[Published, Verdict] = {}
        """Verdicts that came while we waited for another."""

    def __enter__(self) -> Self:
        """Stand at the end of the verdicts, so that ours is seen however soon it comes.

        Raises `CommandError` where the cluster or the password is wrong.
        """
        options: dict[str, Any] = {
            **self._settings,
            "group.id": f"{self._kafka.user}.command-line",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 100,
        }
        consumer = Consumer(options)
        try:
            consumer.assign(_ends(consumer))
        except KafkaException:
            consumer.close()
            message = (
                f"cannot connect to Kafka at {self._kafka.bootstrap} as {self._kafka.user}: "
                "is it running, is the password right, and was the client not revoked?"
            )
            raise CommandError(message) from None
        self._consumer = consumer
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()

    def publish(self, outgoing: Outgoing) -> Published:
        """Write one record and wait until all replicas have it.

        Raises `CommandError`, and `UnclearError` where it may have been written all the same.
        """
        done: list[Message] = []
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                failed.append(error)
            else:
                done.append(message)

        def troubled(error: KafkaError) -> None:
            if error.code() in _HOPELESS:
                failed.append(error)

        producer = Producer(
            {
                **self._settings,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",  # what Java and aiokafka do with a key
                "delivery.timeout.ms": int(_DELIVERY_S * 1000),
                "error_cb": troubled,
            }
        )
        producer.produce(
            outgoing.topic,
            key=outgoing.key,
            value=outgoing.value,
            headers=list(outgoing.headers),
            on_delivery=delivered,
        )
        deadline = time.monotonic() + _DELIVERY_S + 1
        while not done and not failed and time.monotonic() < deadline:
            producer.poll(0.1)
        if not done:
            raise self._refusal(failed, outgoing.topic)
        return _published(done[0], outgoing)

    def verdict(self, published: Published, within: float) -> Verdict:
        """Wait for the verdict on our record, at most `within` seconds. Raises `UnclearError`."""
        if self._consumer is None:
            message = "a PoliceClient is a context manager"
            raise RuntimeError(message)
        deadline = time.monotonic() + within
        while published not in self._seen and time.monotonic() < deadline:
            for message in self._consumer.consume(100, timeout=0.2):
                self._seen.update(_verdict(message))
        if published in self._seen:
            return self._seen.pop(published)
        message = (
            f"no verdict after {within:.0f} s. The message is on the topic and may still go out; "
            "'buurtbode status' tells what is down."
        )
        raise UnclearError(message, NO_ANSWER)

    def _refusal(self, failed: list[KafkaError], topic: str) -> CommandError:
        code = failed[0].code() if failed else None
        if code in _HOPELESS:
            message = f"{self._kafka.user} may not write {topic} any more: was the client revoked?"
            return CommandError(message)
        reason = failed[0].name() if failed else "no answer"
        return UnclearError(
            f"Kafka did not say that it has the message ({reason}): it may be on the topic or not."
        )


def _ends(consumer: Consumer) -> list[TopicPartition]:
    metadata = consumer.list_topics(VERDICTS.name, timeout=_CONNECT_S).topics[VERDICTS.name]
    if metadata.error is not None:
        raise KafkaException(metadata.error)
    ends: list[TopicPartition] = []
    for number in metadata.partitions:
        at = TopicPartition(VERDICTS.name, number)
        _, end = consumer.get_watermark_offsets(at, timeout=_CONNECT_S)
        ends.append(TopicPartition(VERDICTS.name, number, end))
    return ends


def _published(message: Message, outgoing: Outgoing) -> Published:
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise CommandError("Kafka acknowledged the message without saying where it stands")
    ce_id = dict(outgoing.headers).get("ce_id", b"").decode()
    return Published(outgoing.topic, partition, offset, ce_id)


def _verdict(message: Message) -> dict[Published, Verdict]:
    """Give a verdict by the record that it is on; nothing for what is none."""
    value = message.value()
    if message.error() is not None or value is None:
        return {}
    record = Record(
        topic=VERDICTS.name,
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=None,
        value=value,
        headers=_headers(message),
    )
    try:
        verdict = envelope.decode(record, Verdict).event
    except Rejected:
        return {}  # not ours: ours comes from a judge that writes what it can read
    original = verdict.original
    at = Published(original.topic, original.partition, original.offset, verdict.ce_id or "")
    return {at: verdict}


def _headers(message: Message) -> tuple[tuple[str, bytes], ...]:
    found: Any = message.headers() or []
    return tuple((str(name), bytes(value or b"")) for name, value in found)
