"""Judging on a real database: one verdict each, claims, two officers, the wait for the copy."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.dispatcher.domain.message import MessageKey, Thread
from services.dispatcher.flows.wait_for_copy import CopyGate
from shared.clock import Clock
from shared.consume import PositionStore
from shared.contracts import Access, Alert, DeadLetter, Verdict
from shared.contracts.base import MessageType, Status
from shared.contracts.dispatcher import Reason, VerdictKind
from shared.failures import Held
from shared.kafka import KafkaLog, Outgoing, Record
from shared.mongo import connect, database, transaction
from shared.settings import MongoSettings
from tests.support.cluster import KafkaCluster
from tests.support.dispatcher import PlanningHalf, member, verdicts
from tests.support.memory_kafka import MemoryCluster, MemoryLog
from tests.support.police import Police, outgoing, public_part

NETWORKS = tuple(f"n{number}" for number in range(1, 16))


class Court:
    """A planning half with a zone of 15 networks, and its police."""

    def __init__(self, half: PlanningHalf, cluster: MemoryCluster) -> None:
        self.half = half
        self.cluster = cluster
        self.police = Police()

    @property
    def now(self) -> Any:
        return self.half.hands.at

    async def open(self) -> None:
        await self.half.prepare()
        await self.half.publish(
            self.police.zone(keys=self.enrolled()),
            *[self.police.network(name) for name in NETWORKS],
            member("a", "n1"),
            member("b", "n1", phone=None),
            member("c", "n2", phone="+32450000001"),
            member("d", "n3", phone="+32450000001"),
        )
        self.half.start()
        await self.half.copied()

    def enrolled(self) -> tuple[Any, ...]:
        start, end = self.now - timedelta(days=1), self.now + timedelta(days=1)
        return tuple(
            public_part(kid, self.police.keys[kid], officer, nbf=start, exp=end)
            for kid, officer in (("key-1", "officer-1"), ("key-2", "officer-2"), ("system", None))
        )

    def alert(self, **changes: Any) -> Alert:
        return self.police.alert(**{"issued_at": self.now, **changes})

    async def judge(self, *records: Record) -> list[Verdict]:
        """Publish records together and give their verdicts, in the same order."""
        before = len(verdicts(self.cluster))
        await self.half.log.publish([outgoing(record) for record in records])
        async with asyncio.timeout(20):
            while len(verdicts(self.cluster)) < before + len(records):
                await asyncio.sleep(0.02)
        new = verdicts(self.cluster)
        by_hash = {verdict.ce_id: verdict for verdict in new}
        return [by_hash[dict(record.headers)["ce_id"].decode()] for record in records]


@pytest.fixture
async def court(mongo_database: MongoSettings, tmp_path: Path) -> AsyncGenerator[Court]:
    cluster = MemoryCluster()
    async with connect(mongo_database, "test") as client:
        own = database(client, mongo_database.database)
        half = PlanningHalf(MemoryLog(cluster), client, own, tmp_path)
        court = Court(half, cluster)
        await court.open()
        yield court
        await half.stop()


def outcome(found: Sequence[Verdict]) -> list[tuple[VerdictKind, Reason | None]]:
    return [(verdict.verdict, verdict.reason) for verdict in found]


async def test_good_alert_among_bad_records_is_accepted_and_each_gets_its_verdict(
    court: Court,
) -> None:
    police, good = court.police, court.alert()
    found = await court.judge(
        police.value_record(b"\x00 no json"),
        police.record(court.alert(), kid=None),
        police.record(court.alert(network_ids=("n1", "elsewhere"))),
        police.record(good),
        police.record(court.alert(issued_at=court.now - timedelta(hours=1))),
        police.record(court.alert(issued_at=court.now + timedelta(minutes=3))),
        police.record(court.alert(text={"nl": "я" * 300})),
        police.record(court.alert(), headers={"ce_type": b"unheard.of"}),
    )
    assert outcome(found) == [
        (VerdictKind.REFUSED, Reason.NOT_JSON),
        (VerdictKind.REFUSED, Reason.NO_SIGNATURE),
        (VerdictKind.REFUSED, Reason.UNKNOWN_NETWORK),
        (VerdictKind.ACCEPTED, None),
        (VerdictKind.EXPIRED, Reason.EXPIRED),
        (VerdictKind.REFUSED, Reason.ISSUED_IN_FUTURE),
        (VerdictKind.REFUSED, Reason.TOO_LONG),
        (VerdictKind.REFUSED, Reason.WRONG_TYPE),
    ]
    assert all(verdict.key() == "demo" for verdict in found)
    assert found[3].people == 2
    assert found[3].message_id == good.alert_id
    assert await court.half.messages.get(MessageKey("demo", MessageType.ALERT, good.alert_id))
    assert await court.half.database["messages"].count_documents({}) == 1


async def test_verdict_of_a_record_without_headers_or_known_zone_goes_under_a_dash(
    court: Court,
) -> None:
    await court.half.log.publish([Outgoing("bin.alerts", "no zone!", b"\xff", ())])
    async with asyncio.timeout(20):
        while not verdicts(court.cluster):
            await asyncio.sleep(0.02)
    (verdict,) = verdicts(court.cluster)
    assert (verdict.key(), verdict.zone_id, verdict.ce_id) == ("-", None, None)
    assert verdict.reason is Reason.NOT_A_CLOUDEVENT


async def test_unreadable_record_goes_to_the_dlq_as_well_and_the_audit_hears_of_it(
    court: Court,
) -> None:
    await court.judge(
        court.police.value_record(b"[]"), court.police.record(court.alert(), kid=None)
    )
    async with asyncio.timeout(20):
        while not court.cluster.on("bin.access"):
            await asyncio.sleep(0.02)
    (letter,) = [DeadLetter.from_json(r.value) for r in court.cluster.on("bin.alerts.dlq")]
    assert letter.reason == Reason.INVALID_FIELD
    (access,) = [Access.from_json(record.value) for record in court.cluster.on("bin.access")]
    assert access.kind == "dead_letter"


async def test_accepted_id_is_taken_for_good(court: Court) -> None:
    police, alert = court.police, court.alert()
    await court.judge(police.record(alert))
    other = alert.model_copy(update={"text": {"nl": "Een ander bericht."}})
    court.half.hands.forward(timedelta(hours=2))  # the message has expired, its id has not
    assert outcome(await court.judge(police.record(alert), police.record(other))) == [
        (VerdictKind.DUPLICATE, None),
        (VerdictKind.REFUSED, Reason.ID_TAKEN),
    ]


async def test_same_id_twice_in_one_batch_is_accepted_once(court: Court) -> None:
    alert = court.alert()
    records = [court.police.record(alert) for _ in range(3)]
    assert outcome(await court.judge(*records)) == [
        (VerdictKind.ACCEPTED, None),
        (VerdictKind.DUPLICATE, None),
        (VerdictKind.DUPLICATE, None),
    ]


async def test_refused_id_is_still_free(court: Court) -> None:
    alert = court.alert()
    unsigned, signed = court.police.record(alert, kid=None), court.police.record(alert)
    assert outcome(await court.judge(unsigned, signed)) == [
        (VerdictKind.REFUSED, Reason.NO_SIGNATURE),
        (VerdictKind.ACCEPTED, None),
    ]


async def test_same_record_read_again_repeats_its_own_verdict(court: Court) -> None:
    (first,) = await court.judge(court.police.record(court.alert()))
    await court.half.stop()
    await court.half.database["positions"].delete_many({"_id": {"$regex": "alerts"}})
    court.half.others[0].health.positions.clear()
    court.half.start()
    async with asyncio.timeout(20):
        while len(verdicts(court.cluster)) < 2:
            await asyncio.sleep(0.02)
    assert verdicts(court.cluster) == [first, first]


async def test_networks_that_cannot_take_it_are_left_out_and_named(court: Court) -> None:
    police = court.police
    await court.half.publish(
        police.network("n2", version=2, state="suspended"),
        police.network("n3", version=2, exercises=False),
    )
    await court.half.copied()
    names = ("n1", "n2", "n3")
    actual, exercise, none = await court.judge(
        police.record(court.alert(network_ids=names)),
        police.record(court.alert(network_ids=names, status="exercise")),
        police.record(court.alert(network_ids=("n2", "n3"), status="exercise")),
    )
    assert actual.network_ids == ("n1", "n3")
    assert exercise.network_ids == ("n1",)
    assert none.reason is Reason.NO_NETWORK_LEFT
    assert {one.network_id: one.reason for one in none.left_out} == {
        "n2": Reason.NETWORK_NOT_ACTIVE,
        "n3": Reason.NO_EXERCISES,
    }


async def test_person_in_two_networks_counts_once(court: Court) -> None:
    (verdict,) = await court.judge(court.police.record(court.alert(network_ids=("n1", "n2", "n3"))))
    assert verdict.people == 3


async def test_more_than_ten_networks_in_half_an_hour_need_a_second_officer(court: Court) -> None:
    police = court.police
    six, five = NETWORKS[:6], NETWORKS[6:11]
    first, second = await court.judge(
        police.record(court.alert(network_ids=six)), police.record(court.alert(network_ids=five))
    )
    assert first.verdict is VerdictKind.ACCEPTED
    assert second.reason is Reason.APPROVAL_NEEDED
    approved = court.alert(network_ids=five, approved_by="officer-2")
    (third,) = await court.judge(police.record(approved, approver="key-2"))
    assert (third.verdict, third.approver) == (VerdictKind.ACCEPTED, "key-2")
    (ends,) = await court.judge(
        police.record(
            court.alert(network_ids=NETWORKS, kind="all_clear", references=approved.alert_id)
        )
    )
    assert ends.verdict is VerdictKind.ACCEPTED
    court.half.hands.forward(timedelta(minutes=31))
    (later,) = await court.judge(police.record(court.alert(network_ids=five)))
    assert later.verdict is VerdictKind.ACCEPTED


async def test_two_judges_at_once_cannot_both_slip_below_the_limit(court: Court) -> None:
    """Each in its own transaction, started together, on the same zone."""
    half, police = court.half, court.police
    records = [
        police.record(court.alert(network_ids=NETWORKS[:6]), offset=100),
        police.record(court.alert(network_ids=NETWORKS[6:12]), offset=200),
    ]
    both = asyncio.Barrier(2)

    async def judge(record: Record) -> None:
        async def work(session: Any) -> None:
            await half.judge.apply(session, [record])

        await both.wait()
        await transaction(half.client, work)

    await asyncio.gather(*[judge(record) for record in records])
    rows = await half.database["messages"].count_documents({})
    assert rows == 1
    stored = await half.addressed.look("demo")
    assert len(stored) == 1


async def test_all_clear_before_its_alert_leaves_its_marker(court: Court) -> None:
    unseen = str(uuid.uuid4())
    (verdict,) = await court.judge(
        court.police.record(court.alert(kind="all_clear", references=unseen))
    )
    assert verdict.verdict is VerdictKind.ACCEPTED
    threads = [Thread(zone, unseen, status) for zone in ("demo", "other") for status in Status]
    ended = {Thread("demo", unseen, Status.ACTUAL)}
    assert await court.half.messages.ended(threads) == ended


@pytest.mark.parametrize("kind", ["update", "all_clear"])
@pytest.mark.parametrize(
    ("first", "other"), [(Status.ACTUAL, Status.TEST), (Status.TEST, Status.ACTUAL)]
)
async def test_what_follows_an_alert_has_the_alerts_status(
    court: Court, kind: str, first: Status, other: Status
) -> None:
    """No test ends what is real, and nobody hears the all-clear of a test."""
    alert = court.alert(status=first)
    wrong, right = (
        court.alert(kind=kind, references=alert.alert_id, status=status)
        for status in (other, first)
    )
    together = await court.judge(court.police.record(alert), court.police.record(wrong))
    later = await court.judge(court.police.record(wrong, offset=7))
    for refused in (together[1], later[0]):
        assert (refused.reason, refused.field) == (Reason.STATUS_DIFFERS, "status")
    (accepted,) = await court.judge(court.police.record(right, offset=8))
    assert accepted.verdict is VerdictKind.ACCEPTED


async def test_revoked_key_counts_as_soon_as_the_copy_has_it(court: Court) -> None:
    keys = [key.model_copy(update={"revoked_at": court.now}) for key in court.enrolled()]
    await court.half.publish(court.police.zone(version=2, keys=tuple(keys)))
    (verdict,) = await court.judge(court.police.record(court.alert()))
    assert verdict.reason is Reason.KEY_REVOKED


async def test_copy_that_stands_still_delays_an_alert_by_two_seconds_and_marks_it(
    court: Court, tmp_path: Path
) -> None:
    half = court.half
    await half.stop()
    late = PlanningHalf(
        half.log, half.client, half.database, tmp_path, patience=timedelta(milliseconds=300)
    )
    await half.publish(member("new", "n1"))
    task = asyncio.create_task(late.others[0].run())
    alert = court.alert()
    try:
        await half.log.publish([outgoing(court.police.record(alert))])
        key = MessageKey("demo", MessageType.ALERT, alert.alert_id)
        async with asyncio.timeout(20):
            while await late.messages.get(key) is None:
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
    assert (await half.row(key))["ends"]


async def test_a_long_wait_for_the_first_copy_says_that_it_is_on_purpose(
    mongo_database: MongoSettings, tmp_path: Path
) -> None:
    """Its watchdog would take it for a stall, and have the copy begin again each minute."""
    cluster, police, passed = MemoryCluster(), Police(), itertools.count(step=10)
    async with connect(mongo_database, "test") as client:
        own = database(client, mongo_database.database)
        half = PlanningHalf(MemoryLog(cluster), client, own, tmp_path)
        await half.prepare()
        await half.publish(police.zone())
        clock = Clock(monotonic=lambda: float(next(passed)))
        with pytest.raises(Held):
            await CopyGate(half.copy, half.log, PositionStore(own), clock).wait()


async def test_alert_waits_without_bound_for_a_copy_that_was_never_complete(
    mongo_database: MongoSettings, tmp_path: Path
) -> None:
    cluster = MemoryCluster()
    police = Police()
    async with connect(mongo_database, "test") as client:
        own = database(client, mongo_database.database)
        half = PlanningHalf(
            MemoryLog(cluster), client, own, tmp_path, patience=timedelta(milliseconds=50)
        )
        court = Court(half, cluster)
        court.police = police
        await half.prepare()
        await half.publish(police.zone(keys=court.enrolled()), police.network("n1"))
        judging = asyncio.create_task(half.others[0].run())
        await half.log.publish([outgoing(police.record(court.alert()))])
        await asyncio.sleep(0.6)  # twelve times its patience
        assert await own["messages"].count_documents({}) == 0
        half.start_copying()
        async with asyncio.timeout(20):
            while await own["messages"].count_documents({}) == 0:
                await asyncio.sleep(0.02)
        judging.cancel()
        await half.stop()
        row = await own["messages"].find_one({})
    assert row is not None
    assert row["ends"] == []


async def test_network_member_key_and_alert_published_together_are_judged_right(
    mongo_database: MongoSettings, kafka_cluster: KafkaCluster, tmp_path: Path
) -> None:
    """On Apache Kafka: what was on its topics before the alert counts for it, 20 times over."""
    zone_id = f"z{uuid.uuid4().hex[:8]}"
    police = Police(zone_id)
    async with (
        KafkaLog(kafka_cluster.operator, "test") as log,
        connect(mongo_database, "test") as client,
    ):
        own = database(client, mongo_database.database)
        half = PlanningHalf(log, client, own, tmp_path)
        court = Court(half, MemoryCluster())
        court.police = police
        keys = court.enrolled()
        await half.prepare()
        half.start()
        for turn in range(1, 21):
            revoked = keys[1].model_copy(update={"revoked_at": court.now})
            name = f"{zone_id}-{turn}"
            news = [
                police.zone(version=turn, keys=(keys[0], revoked, keys[2])),
                police.network(name),
                member(f"m-{name}", name, zone_id=zone_id),
            ]
            good = court.alert(network_ids=(name,), approved_by=None, issued_by="system")
            bad = court.alert(network_ids=(name,), issued_by="officer-2")
            await half.publish(*news)
            await log.publish(
                [
                    outgoing(police.record(good, kid="system")),
                    outgoing(police.record(bad, kid="key-2")),
                ]
            )
            key = MessageKey(zone_id, MessageType.ALERT, good.alert_id)
            async with asyncio.timeout(20):
                while await half.messages.get(key) is None:
                    await asyncio.sleep(0.01)
            claim = await own["claims"].find_one({"_id": f"{zone_id}|alert|{good.alert_id}"})
            assert claim is not None
            assert Verdict.from_json(claim["verdict"].encode()).people == 1
            refused = await own["messages"].find_one({"message_id": bad.alert_id})
            assert refused is None
            half.hands.forward(timedelta(minutes=31))  # or the eleventh needs two officers
            keys = court.enrolled()
        await half.stop()
