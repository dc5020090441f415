"""What was given up can be looked at, judged anew from its original, or let go; all on record."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from shared.callers import Caller, Role
from shared.consume import Consumer
from shared.contracts import Access
from shared.dead_letters import GivenUpAgain, LetterDesk, RecordGone
from shared.failures import Rejected
from shared.kafka import Log
from shared.mongo import Session
from shared.records import Outgoing, Partition, Record
from shared.tasks import end
from shared.topics import SENDS
from tests.integration.shared.conftest import Service
from tests.support.cluster import KafkaCluster
from tests.support.wait import until

OPERATOR = Caller("sub-operator", frozenset({Role.OPERATOR}), None, None)


class Numbers:
    """Stores numbers; refuses what it is told to."""

    def __init__(self, service: Service) -> None:
        self.rows = service.database["effects"]
        self.refused = {b"3", b"5"}

    async def apply(self, session: Session, records: Sequence[Record]) -> None:
        for record in records:
            if record.value in self.refused:
                raise Rejected("invalid_field", "seq")
        rows = [{"_id": record.value.decode()} for record in records]
        await self.rows.insert_many(rows, session=session)

    async def stored(self) -> set[str]:
        return {row["_id"] async for row in self.rows.find()}


@contextlib.asynccontextmanager
async def given_up(service: Service, topic: str) -> AsyncGenerator[tuple[LetterDesk, Numbers]]:
    """Run a consumer until it has given up two of eight records, and go on running it."""
    numbers = Numbers(service)
    await service.log.publish([Outgoing(topic, "zone", str(n).encode(), ()) for n in range(8)])
    consumer: Consumer = service.consumer(topic, numbers.apply)
    desk = LetterDesk(
        service="registry",
        database=service.database,
        client=service.client,
        outbox=service.outbox,
        log=service.log,
        clock=service.clock,
        consumers=[consumer],
    )
    running = asyncio.create_task(consumer.run())

    async def done() -> bool:
        return len((await desk.page(None, 10))[0]) == 2 and len(await numbers.stored()) == 6

    try:
        await until(done)
        yield desk, numbers
    finally:
        await end([running])


async def actions(service: Service) -> list[Access]:
    rows = service.database["outbox"].find({"topic": "bin.access"})
    found = [Access.from_json(bytes(row["value"])) async for row in rows]
    return [one for one in found if one.reader == OPERATOR.subject]


@pytest.fixture
def topic(kafka_cluster: KafkaCluster) -> str:
    return kafka_cluster.new_topic(SENDS)


async def test_a_replay_reads_the_original_again_and_handles_it_once(
    service: Service, topic: str
) -> None:
    async with given_up(service, topic) as (desk, numbers):
        first, second = (await desk.page(None, 10))[0]
        assert (await desk.page(None, 1)) == ([first], first.letter_id)
        with pytest.raises(GivenUpAgain, match="invalid_field"):
            await desk.replay(OPERATOR, first, "perhaps it is mended")
        assert await desk.get(first.letter_id) == first
        numbers.refused = set()
        await desk.replay(OPERATOR, first, "the fault is mended")
        assert await numbers.stored() == {"0", "1", "2", "3", "4", "6", "7"}
        assert await desk.get(first.letter_id) is None
        await desk.drop(OPERATOR, second, "nobody needs it")
        assert await desk.page(None, 10) == ([], None)
        assert "5" not in await numbers.stored()
    done = [(one.kind, one.action.split(".")[1], one.reason) for one in await actions(service)]
    assert sorted(done) == [
        ("dead_letter", "drop", "nobody needs it"),
        ("replay", "replay", "perhaps it is mended"),
        ("replay", "replay", "the fault is mended"),
    ]


async def test_another_record_in_its_place_is_never_taken_for_the_original(
    service: Service, topic: str
) -> None:
    async with given_up(service, topic) as (desk, numbers):
        numbers.refused = set()
        (letter, _), _ = await desk.page(None, 10)
        await service.database["dead_letters"].update_one(
            {"_id": letter.letter_id}, {"$set": {"sha256": "0" * 64}}
        )
        forged = await desk.get(letter.letter_id)
        assert forged is not None
        with pytest.raises(RecordGone):
            await desk.replay(OPERATOR, forged, "try it anyway")
        assert len(await numbers.stored()) == 6
        gone = replace(letter, offset=99)
        with pytest.raises(RecordGone):
            await desk.replay(OPERATOR, gone, "its topic was cut")


async def test_reading_between_two_positions_gives_exactly_what_stands_there(
    any_log: Log, kafka_cluster: KafkaCluster
) -> None:
    name = kafka_cluster.new_topic(SENDS)
    await any_log.publish([Outgoing(name, f"k{n % 5}", str(n).encode(), ()) for n in range(500)])
    ends = {p: end for p, end in (await any_log.end_offsets([name])).items() if end}
    start = {partition: min(7, end) for partition, end in ends.items()}
    until_ = {partition: end - 3 for partition, end in ends.items()}
    found = [record async for page in any_log.read(start, until_) for record in page]
    wanted = {(p, at) for p in ends for at in range(start[p], until_[p])}
    assert {(record.source, record.offset) for record in found} == wanted
    assert len(found) == len(wanted)
    assert [page async for page in any_log.read(ends, ends)] == []
    assert [page async for page in any_log.read({}, {Partition(name, 0): 0})] == []
