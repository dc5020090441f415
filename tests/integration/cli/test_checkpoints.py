"""A witness's place in `bin.checkpoints`: where it is gone, that is said, and the rest is read."""

# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false
# (confluent-kafka does not mark what it exports, and leaves its futures' results untyped)

import json
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cli.checkpoints import PublishedCheckpoints
from deploy.kafka_admin import add_witness, apply_topics, client_settings
from deploy.local.kafka import KafkaBroker
from shared.contracts import Checkpoint
from shared.envelope import encode
from shared.settings import KafkaSettings
from shared.topics import CHECKPOINTS
from tests.support.servers import local_broker

NOW = datetime(2026, 3, 14, 20, 15, tzinfo=UTC)
COUNT, PARTITION = 6, 3


@pytest.fixture
def broker(tmp_path: Path) -> Generator[KafkaBroker]:
    """Give a broker of the test's own, from which it may delete."""
    kafka = local_broker(tmp_path)
    kafka.start()
    yield kafka
    kafka.stop()


def publish(operator: KafkaSettings, sizes: range) -> None:
    producer = Producer(client_settings(operator))
    for size in sizes:
        event = Checkpoint(
            zone_id="demo", size=size, root="0" * 64, note=f"note {size}", signed_at=NOW
        )
        sent = encode(event, ce_id=f"ce-{size}", source="buurtbode/audit", time=NOW)
        producer.produce(sent.topic, sent.value, sent.key, PARTITION, headers=[*sent.headers])
    assert producer.flush(10) == 0


def read(witness: KafkaSettings, positions: Path) -> tuple[list[str], list[str]]:
    """Give what is said of gaps, and the notes up to the end."""
    notes: list[str] = []
    with PublishedCheckpoints(witness, "demo", positions) as published:
        gaps = [*published.gaps]
        while not published.caught_up:
            notes += published.notes(0.5)
    return gaps, notes


def test_a_place_that_is_gone_is_said_once_and_the_rest_is_read(
    broker: KafkaBroker, tmp_path: Path
) -> None:
    positions, operator = tmp_path / "positions.json", broker.operator
    apply_topics(operator)
    witness = broker.user("witness", add_witness(operator))
    publish(operator, range(COUNT))
    assert read(witness, positions) == ([], [f"note {size}" for size in range(COUNT)])
    publish(operator, range(COUNT, 3 * COUNT))
    admin = AdminClient(client_settings(operator))  # held: one that is collected never answers
    ended = admin.delete_records([TopicPartition(CHECKPOINTS.name, PARTITION, 2 * COUNT)])
    for future in ended.values():
        future.result(10)

    gaps, notes = read(witness, positions)
    assert len(gaps) == 1
    assert f"partition {PARTITION}: this witness had read up to {COUNT}" in gaps[0]
    assert f"begins at {2 * COUNT} by now (it keeps 365 days)" in gaps[0]
    assert notes == [f"note {size}" for size in range(2 * COUNT, 3 * COUNT)]
    assert read(witness, positions) == ([], [])

    positions.write_text(json.dumps({PARTITION: 5 * COUNT}))
    gaps, notes = read(witness, positions)
    assert [f"ends at {3 * COUNT}: it was made anew" in gap for gap in gaps] == [True]
    assert notes == [f"note {size}" for size in range(2 * COUNT, 3 * COUNT)]
    # whoever never read it misses nothing that it could have had
    assert read(witness, tmp_path / "others.json") == ([], notes)
