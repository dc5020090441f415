"""The port to the log: one suite, run on Apache Kafka and on the flow tests' in-memory log."""

import asyncio
import os
import uuid
from collections import Counter
from collections.abc import Collection
from typing import Any, cast

import psutil
import pytest
from aiokafka import AIOKafkaProducer  # pyright: ignore[reportMissingTypeStubs]
from aiokafka.record.default_records import (  # pyright: ignore[reportMissingTypeStubs]
    _DefaultRecordBatchBuilderPy,  # pyright: ignore[reportPrivateUsage]
)
from pydantic import SecretStr

from shared.failures import Retryable
from shared.kafka import KafkaLog, Log, Outgoing, Partition, Positions, Reader, Record
from shared.topics import ALERTS
from tests.support.cluster import KafkaCluster


def outgoing(topic: str, key: str, value: str) -> Outgoing:
    return Outgoing(topic, key, value.encode(), (("ce_id", b"1"), ("empty", b"")))


async def nothing_stored(_partitions: Collection[Partition]) -> Positions:
    return {}


async def read(reader: Reader, count: int) -> list[Record]:
    found: list[Record] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            found += await reader.poll(7, wait=0.2)
    return found


@pytest.fixture
def topic(kafka_cluster: KafkaCluster) -> str:
    return kafka_cluster.new_topic(ALERTS)


async def test_records_come_whole_and_in_order_per_key(any_log: Log, topic: str) -> None:
    sent = [outgoing(topic, f"zone-{n % 5}", str(n)) for n in range(100)]
    await any_log.publish(sent)
    async with any_log.reader("registry.test-order", [topic], nothing_stored) as reader:
        found = await read(reader, 100)
    for key in {record.key for record in sent}:
        assert [r.value for r in found if r.key == key.encode()] == [
            r.value for r in sent if r.key == key
        ]
    assert {record.headers for record in found} == {sent[0].headers}


async def test_the_end_offsets_are_those_of_the_next_records(any_log: Log, topic: str) -> None:
    assert set((await any_log.end_offsets([topic])).values()) == {0}
    await any_log.publish([outgoing(topic, str(n), "x") for n in range(40)])
    ends = await any_log.end_offsets([topic])
    assert sum(ends.values()) == 40
    async with any_log.reader("registry.test-ends", [topic], nothing_stored) as reader:
        await read(reader, 40)
        assert await reader.reached() == ends


async def test_a_reader_starts_and_rewinds_where_its_stored_positions_say(
    any_log: Log, topic: str
) -> None:
    await any_log.publish([outgoing(topic, "zone", str(n)) for n in range(10)])
    place = next(p for p, end in (await any_log.end_offsets([topic])).items() if end)
    stored: Positions = {place: 4}

    async def load(partitions: Collection[Partition]) -> Positions:
        return {p: at for p, at in stored.items() if p in partitions}

    async with any_log.reader("registry.test-rewind", [topic], load) as reader:
        assert [r.offset for r in await read(reader, 6)] == [4, 5, 6, 7, 8, 9]
        stored[place] = 8
        reader.rewind()
        assert [r.offset for r in await read(reader, 2)] == [8, 9]


_NUMBER = 1
"""The partition that is written to by its number."""


class _Bytes(str):
    """A text that is written as bytes which are no UTF-8."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        del encoding, errors
        return b"r\xe9f"


def _values(batch: str) -> list[bytes]:
    return [value.encode() for value in batch]


async def _publish_malformed(cluster: KafkaCluster, topic: str, values: str) -> None:
    """Write one batch as a client without checks does; "x" gets such a header name."""
    settings = cluster.operator
    producer = cast("Any", AIOKafkaProducer)(
        bootstrap_servers=settings.bootstrap,
        security_protocol=settings.protocol,
        sasl_mechanism=settings.mechanism,
        sasl_plain_username=settings.user,
        sasl_plain_password=settings.password.get_secret_value(),
    )
    async with producer:
        batch = producer.create_batch()
        # the builder in C takes no name but a plain text, and encodes it itself
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 16_384)
        for value in values:
            name = _Bytes("name") if value == "x" else "name"
            batch.append(key=None, value=value.encode(), timestamp=None, headers=[(name, b"1")])
        await (await producer.send_batch(batch, topic, partition=_NUMBER))


@pytest.mark.parametrize(("batch", "good"), [("01x2", "01"), ("xx0", ""), ("x", "")])
async def test_a_header_name_that_is_no_text_spoils_the_rest_of_its_own_batch_alone(
    kafka_cluster: KafkaCluster, kafka_log: Log, topic: str, batch: str, good: str
) -> None:
    """That comes empty, to be refused; what stands before, behind and beside it comes as it is."""
    odd_one = Partition(topic, _NUMBER)
    await kafka_log.publish([outgoing(topic, str(n), "beside") for n in range(40)])
    begins = (await kafka_log.end_offsets([topic]))[odd_one]
    await _publish_malformed(kafka_cluster, topic, batch)
    await _publish_malformed(kafka_cluster, topic, "34")
    ends = await kafka_log.end_offsets([topic])
    stored: Positions = {}

    async def load(partitions: Collection[Partition]) -> Positions:
        return {p: at for p, at in stored.items() if p in partitions}

    found: list[Record] = []
    group = f"registry.test-{uuid.uuid4().hex[:8]}"
    async with kafka_log.reader(group, [topic], load) as reader, asyncio.timeout(60):
        while stored != ends:
            records = await reader.poll(7, wait=0.2)
            found += records
            stored |= {record.source: record.offset + 1 for record in records}
    spoilt = [b""] * (len(batch) - len(good))
    for records in (found, [one async for page in kafka_log.read({}, ends) for one in page]):
        assert Counter(one.value for one in records)[b"beside"] == 40
        odd = [one for one in records if one.source == odd_one and one.offset >= begins]
        assert [one.offset for one in odd] == list(range(begins, ends[odd_one]))
        assert [one.value for one in odd] == [*_values(good), *spoilt, b"3", b"4"]
        assert [one.value for one in odd if not one.headers] == spoilt


async def test_a_wrong_password_is_said_to_be_one(kafka_cluster: KafkaCluster) -> None:
    wrong = kafka_cluster.operator.model_copy(update={"password": SecretStr("wrong")})
    with pytest.raises(Retryable, match="is the password right"):
        async with KafkaLog(wrong, "test"):
            pass


async def test_a_topic_that_is_missing_names_the_command_that_makes_it(kafka_log: Log) -> None:
    with pytest.raises(Retryable, match="topics apply"):
        await kafka_log.end_offsets(["bin.unheard-of"])


def _open_to(port: int) -> int:
    """Count this process's connections to a broker."""
    found = psutil.Process(os.getpid()).net_connections("tcp4")
    return sum(bool(one.raddr) and one.raddr.port == port for one in found)


async def test_cancelled_while_it_connects_it_leaves_no_connection_open(
    kafka_cluster: KafkaCluster, topic: str
) -> None:
    async def stay() -> None:
        async with (
            KafkaLog(kafka_cluster.operator, "test") as log,
            log.reader("registry.test-cancelled", [topic], nothing_stored),
        ):
            await asyncio.Event().wait()

    port = int(kafka_cluster.bootstrap.rpartition(":")[2])
    before = _open_to(port)
    for step in range(30):
        task = asyncio.create_task(stay())
        await asyncio.sleep(step * 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.01)
        assert _open_to(port) <= before, f"cancelled after {step * 3} ms"
