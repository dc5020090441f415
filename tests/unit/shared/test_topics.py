"""The topic table keeps the promises that the design makes of it."""

import pytest

from shared.topics import PARTITIONS, SERVICES, SOURCE_TOPICS, TOPICS, Party, Topic


@pytest.mark.parametrize("topic", SOURCE_TOPICS, ids=lambda topic: topic.name)
def test_every_source_has_a_dead_letter_topic_for_its_consumers(topic: Topic) -> None:
    dlq = TOPICS[topic.dlq]
    assert set(dlq.writers) == {party for party in topic.readers if party in SERVICES}
    assert dlq.readers == ()


def test_all_sources_have_equal_partitions_so_that_one_process_owns_a_zone() -> None:
    assert {topic.partitions for topic in SOURCE_TOPICS} == {PARTITIONS}


def test_the_police_write_only_what_is_judged() -> None:
    written = {topic.name for topic in TOPICS.values() if Party.POLICE in topic.writers}
    assert written == {"bin.alerts", "bin.bulletins.proposed"}


def test_only_the_registry_and_the_dispatcher_read_contact_details() -> None:
    assert set(TOPICS["bin.members"].readers) == {Party.REGISTRY, Party.DISPATCHER}


def test_an_overwritten_member_is_compacted_within_a_day() -> None:
    settings = TOPICS["bin.members"].settings()
    assert int(settings["max.compaction.lag.ms"]) <= 24 * 3600 * 1000
    assert int(settings["segment.ms"]) <= 24 * 3600 * 1000
