"""The ledger on a real database: planned once, claimed once, fenced, and taken over."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.dispatcher.domain.ledger import Evidence, Row, learn
from services.dispatcher.domain.message import Content, Message, MessageKey
from services.dispatcher.domain.send import PlannedSend
from services.dispatcher.domain.states import Cause
from services.dispatcher.flows.forget_at_provider import ForgetAtProvider
from services.dispatcher.flows.reconcile_unknown import ReconcileUnknown
from services.dispatcher.flows.recover_leases import RecoverLeases
from services.dispatcher.flows.share_rates import ShareRates
from services.dispatcher.senders.base import Delivery, Known, Senders
from services.dispatcher.store.changes import Change, back
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Messages
from services.dispatcher.store.processes import Processes
from shared.clock import Clock
from shared.contracts import Send
from shared.contracts.base import Channel, Lane, MessageType, SendState, Status
from shared.failures import Retryable
from shared.mongo import connect, transaction
from shared.mongo import database as open_database
from shared.settings import MongoSettings
from tests.support.sending import World, crowd
from tests.support.wait import until

KEY = MessageKey("demo", MessageType.ALERT, "11111111-1111-4111-8111-111111111111")
LEASE = timedelta(seconds=30)


def message(key: MessageKey = KEY) -> Message:
    now = datetime.now(UTC)
    return Message(
        key=key,
        lane=Lane.WARM,
        status=Status.ACTUAL,
        kind="alert",
        references=None,
        network_ids=("n1",),
        content=Content(body={"nl": "Tekst"}),
        template="alert",
        issued_at=now,
        accepted_at=now,
        expires_at=now + timedelta(minutes=30),
        legal_basis="public_task",
        house_rules={"n1": 2},
        communication_plan={"n1": 3},
    )


def sends(count: int, key: MessageKey = KEY) -> list[PlannedSend]:
    return [
        PlannedSend(
            send_id=str(uuid.uuid4()),
            key=key,
            lane=Lane.WARM,
            channel=Channel.SMS,
            destination=f"+32450{index:07d}",
            member_ids=(f"m{index}",),
            network_ids=("n1",),
            language="nl",
            recipient="0" * 64,
            recipient_year=2026,
            sender_name="BIN",
            reply_to=None,
            unsubscribe_token=None,
            segments=1,
            template="alert",
            expires_at=datetime.now(UTC) + timedelta(minutes=30),
        )
        for index in range(count)
    ]


@pytest.fixture
async def ledger(mongo_database: MongoSettings) -> AsyncGenerator[Ledger]:
    async with connect(mongo_database, "test") as client:
        database = open_database(client, mongo_database.database)
        messages = Messages(database)
        await transaction(client, lambda session: messages.add(session, message()))
        made = Ledger(database, Clock(), messages.get)
        await made.prepare()
        yield made


async def _claim(ledger: Ledger, most: int, lease: timedelta = LEASE) -> list[Row]:
    return await ledger.claims.take(Lane.WARM, Channel.SMS, most, lease, Clock().token())


async def _claimed(ledger: Ledger, count: int, lease: timedelta = LEASE) -> list[Row]:
    await ledger.plans.add(None, sends(count))
    await ledger.plans.make_sendable(KEY, 1)
    return await _claim(ledger, count, lease)


async def test_planning_twice_plans_once(ledger: Ledger) -> None:
    assert await ledger.plans.add(None, sends(20)) == 20
    assert await ledger.plans.add(None, sends(25)) == 5


async def test_two_planners_at_once_plan_once(ledger: Ledger) -> None:
    results = await asyncio.gather(
        *(ledger.plans.add(None, sends(200)) for _ in range(4)), return_exceptions=True
    )
    assert all(isinstance(one, int | Retryable) for one in results)
    assert await ledger.plans.add(None, sends(200)) == 0
    await ledger.plans.make_sendable(KEY, 1)
    assert len(await _claim(ledger, 500)) == 200


async def test_nothing_is_claimed_before_kafka_has_the_planned_event(ledger: Ledger) -> None:
    await ledger.plans.add(None, sends(3))
    assert await _claim(ledger, 10) == []
    await ledger.plans.make_sendable(KEY, 1)
    assert len(await _claim(ledger, 10)) == 3


async def test_many_claimers_never_share_a_send(ledger: Ledger) -> None:
    await ledger.plans.add(None, sends(300))
    await ledger.plans.make_sendable(KEY, 1)

    async def work() -> list[str]:
        mine: list[str] = []
        for _ in range(30):
            rows = await _claim(ledger, 20)
            mine += [row.send_id for row in await ledger.claims.start(rows, LEASE)]
        return mine

    taken = [one for mine in await asyncio.gather(*(work() for _ in range(6))) for one in mine]
    assert len(taken) == len(set(taken)) == 300


async def test_who_wakes_after_the_lease_can_start_nothing(ledger: Ledger) -> None:
    """Neither before nor after another process took the send over."""
    rows = await _claimed(ledger, 2, timedelta(milliseconds=50))
    await asyncio.sleep(0.2)
    assert await ledger.claims.start(rows, LEASE) == []
    assert await RecoverLeases(ledger=ledger, clock=Clock()).once() is False
    again = await _claim(ledger, 10)
    assert len(again) == 2
    assert await ledger.claims.start(rows, LEASE) == []
    assert len(await ledger.claims.start(again, LEASE)) == 2


async def test_an_attempt_whose_process_died_becomes_unknown_with_its_history(
    ledger: Ledger,
) -> None:
    started = await ledger.claims.start(await _claimed(ledger, 1), timedelta(milliseconds=50))
    await asyncio.sleep(0.2)
    await RecoverLeases(ledger=ledger, clock=Clock()).once()
    row = await ledger.changes.get(started[0].send_id)
    assert row is not None
    assert (row.state, row.reason, row.seq) == (SendState.UNKNOWN, "lease_over", 1)
    event = Send.from_json((await ledger.events.unpublished(10))[0].events[0][2])
    assert [str(one.state) for one in event.before] == ["planned", "claimed", "attempting"]
    assert event.basis.house_rules == {"n1": 2}
    # and the answer that the stalled process still brings is not lost
    late = Evidence(Cause.ACCEPTED, SendState.ACCEPTED, datetime.now(UTC), reference="SM1")
    after = await ledger.changes.learn(row.send_id, 1, late)
    assert after is not None
    assert after.state is SendState.ACCEPTED
    assert await ledger.duties.bound(["SM1", "SM2"]) == {"SM1"}


async def test_a_change_is_written_once_with_exactly_one_event(ledger: Ledger) -> None:
    """Of many that say the same at the same time, one is written; the others learn that."""
    started = await ledger.claims.start(await _claimed(ledger, 1), LEASE)
    evidence = Evidence(Cause.RECEIPT, SendState.DELIVERED, datetime.now(UTC), reference="SM1")
    await asyncio.gather(
        *(ledger.changes.learn(started[0].send_id, 1, evidence) for _ in range(20))
    )
    row = await ledger.changes.get(started[0].send_id)
    assert row is not None
    assert row.seq == 1
    assert [len(one.events) for one in await ledger.events.unpublished(10)] == [1]


async def test_a_stale_change_is_reported_as_lost_and_writes_nothing(ledger: Ledger) -> None:
    claimed = (await _claimed(ledger, 1))[0]
    started = (await ledger.claims.start([claimed], LEASE))[0]
    now = datetime.now(UTC)
    failed = learn(started, 1, Evidence(Cause.REFUSED, SendState.FAILED, now, "blocked"))
    assert failed is not None
    good = Change(Cause.REFUSED, started, failed, now)
    stale = Change(Cause.RELEASE, claimed, replace(claimed, state=SendState.PLANNED), now)
    assert await ledger.changes.write([good]) == []
    assert await ledger.changes.write([stale]) == [stale]
    row = await ledger.changes.get(claimed.send_id)
    assert row is not None
    assert row.state is SendState.FAILED


async def test_a_change_made_again_after_a_lost_answer_counts_as_made(ledger: Ledger) -> None:
    """The driver may not know whether a write came through; writing it again does no harm."""
    started = (await ledger.claims.start(await _claimed(ledger, 1), LEASE))[0]
    now = datetime.now(UTC)
    accepted = learn(started, 1, Evidence(Cause.ACCEPTED, SendState.ACCEPTED, now, None, "SM1"))
    assert accepted is not None
    change = Change(Cause.ACCEPTED, started, accepted, now)
    assert await ledger.changes.write([change]) == []
    assert await ledger.changes.write([change]) == []
    row = await ledger.changes.get(started.send_id)
    assert row is not None
    assert (row.seq, row.version) == (1, started.version + 1)


async def test_what_comes_due_behind_the_place_of_reading_is_found_within_a_moment(
    ledger: Ledger,
) -> None:
    await ledger.plans.add(None, sends(6))
    await ledger.plans.make_sendable(KEY, 1)
    first = await _claim(ledger, 3)
    now = datetime.now(UTC)
    long_due = now - timedelta(hours=1)
    assert (
        await ledger.changes.write([back(Cause.RELEASE, row, now, long_due) for row in first]) == []
    )
    found: set[str] = set()

    async def all_six() -> bool:
        found.update(row.send_id for row in await _claim(ledger, 9))
        return len(found) == 6

    await until(all_six, 5)
    assert {row.send_id for row in first} < found


async def test_events_that_another_process_left_are_found_by_whoever_publishes_for_all(
    ledger: Ledger, mongo_database: MongoSettings
) -> None:
    started = (await ledger.claims.start(await _claimed(ledger, 1), LEASE))[0]
    told = Evidence(Cause.RECEIPT, SendState.DELIVERED, datetime.now(UTC), reference="SM1")
    await ledger.changes.learn(started.send_id, 1, told)
    async with connect(mongo_database, "test") as client:
        database = open_database(client, mongo_database.database)
        another = Ledger(database, Clock(), Messages(database).get)
        assert await another.events.unpublished(10, others=False) == []
        left = await another.events.unpublished(10)
        assert [item.send_id for item in left] == [started.send_id]
        await another.events.acknowledged(left)
    assert await ledger.events.unpublished(10) == []


async def test_a_process_that_ends_leaves_it_to_the_next_to_publish_for_all(world: World) -> None:
    """At once: what it left unpublished would else wait for the end of a lease of a minute."""
    async with world.dispatcher() as dispatcher:
        leases = dispatcher.app.stores.database["leases"]

        async def held() -> bool:
            return await leases.find_one({"_id": "send events"}) is not None

        await until(held)
    async with connect(world.mongo, "test") as client:
        leases = open_database(client, world.mongo.database)["leases"]
        assert await leases.find_one({"_id": "send events"}) is None


async def test_a_message_is_read_once_however_many_sends_it_has(
    mongo_database: MongoSettings,
) -> None:
    """Read for each, it cost 100,000 people fifty seconds before their first SMS."""
    read: list[MessageKey] = []

    async def message_of(key: MessageKey) -> Message:
        read.append(key)
        return message()

    async with connect(mongo_database, "test") as client:
        ledger = Ledger(open_database(client, mongo_database.database), Clock(), message_of)
        await ledger.prepare()
        await ledger.plans.add(None, sends(50))
        await ledger.plans.add(None, sends(60)[50:])
        await ledger.plans.cancel_planned(None, KEY, "updated")
    assert len(read) == 1


async def test_processes_share_the_rates_and_get_those_of_one_that_went_or_died(
    mongo_database: MongoSettings,
) -> None:
    class Worker:
        among = 0

        def share(self, among: int) -> None:
            self.among = among

    async with connect(mongo_database, "test") as client:
        database = open_database(client, mongo_database.database)
        names = ("one", "two", "three")
        crew = [(Processes(database, name), Worker()) for name in names]
        (one, worker), (two, _), (_three, _) = crew
        for processes, their in crew:
            await ShareRates(processes, [their]).once()
        assert [their.among for _, their in crew] == [1, 2, 3]
        await two.leave()
        await ShareRates(one, [worker]).once()
        assert worker.among == 2
        long_silent = {"$set": {"seen": datetime.now(UTC) - timedelta(minutes=1)}}
        await database["processes"].update_one({"_id": "three"}, long_silent)
        await ShareRates(one, [worker]).once()
        assert worker.among == 1


async def test_erasure_drops_a_destination_unless_somebody_else_shares_it(
    ledger: Ledger,
) -> None:
    shared = replace(sends(1)[0], member_ids=("m0", "m9"))
    await ledger.plans.add(None, [shared, *sends(2)[1:]])
    assert await ledger.destinations.erase(None, ["m0", "m1"]) == 1
    await ledger.plans.make_sendable(KEY, 1)
    rows = await _claim(ledger, 10)
    assert {row.member_ids: row.destination for row in rows} == {
        ("m0", "m9"): "+324500000000",
        ("m1",): None,
    }
    assert await ledger.destinations.erase(None, ["m9"]) == 1
    assert [row.send_id for row in await ledger.destinations.to_forget(10)]


async def test_cancelling_reaches_only_the_networks_of_the_update(ledger: Ledger) -> None:
    other = replace(sends(2)[1], network_ids=("n2",))
    await ledger.plans.add(None, [sends(1)[0], other])
    assert await ledger.plans.cancel_planned(None, KEY, "updated", ["n1"]) == 1
    assert await ledger.plans.cancel_planned(None, KEY, "updated", ["n1"]) == 0
    reached = await ledger.recipients.reached(None, "demo", [KEY.message_id])
    assert reached == []


async def test_a_process_that_dies_between_write_and_request_costs_one_flagged_attempt(
    world: World, tmp_path: Path
) -> None:
    """The send is unknown, the provider does not have it, so it gets its second attempt."""
    del tmp_path
    await world.people(*crowd(3))
    async with world.dispatcher() as dispatcher:
        ledger = dispatcher.app.stores.ledger
        await world.fault("sms", "status_429", seconds=60)  # nothing leaves before one is stolen
        alert = await world.alert()
        stolen: list[Row] = []

        async def steal() -> bool:
            claimed = await _claim(ledger, 1)
            stolen.extend(await ledger.claims.start(claimed, timedelta(milliseconds=100)))
            return bool(stolen)

        await until(steal)
        await world.behave()
        closing = await world.closed(alert)
        await world.agree(alert)
    assert closing.states == {"delivered": 3}
    assert len(await world.sms()) == 3
    flagged = {event.send_id for event in world.events(alert) if event.possible_duplicate}
    assert flagged == {stolen[0].send_id}


async def test_a_message_of_several_pages_is_summed_up_whole_while_others_work(
    ledger: Ledger,
) -> None:
    """Every event's id is in it once, and the loop is never held up for the whole of it."""
    count = 2300
    await ledger.plans.add(
        None,
        [replace(one, state=SendState.UNREACHABLE, reason="no_mobile") for one in sends(count)],
    )
    turns = 0

    async def work() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    working = asyncio.create_task(work())
    states, ids = await ledger.closings.summary(KEY)
    working.cancel()
    assert states == {SendState.UNREACHABLE: count}
    stored = await ledger.events.unpublished(2 * count)
    assert list(ids) == sorted(one for item in stored for one, _, _ in item.events)
    assert turns > 3


class OneListed:
    """A provider that has one SMS, which may be that of any send asked about."""

    def __init__(self, askers: int) -> None:
        self.asked = asyncio.Barrier(askers)

    async def find(self, delivery: Delivery, since: datetime) -> list[Known]:
        del delivery, since
        async with asyncio.timeout(5):
            await self.asked.wait()  # both have read the list before either binds
        return [Known("SM1", SendState.ACCEPTED, None, None)]


@pytest.mark.parametrize("answered", [False, True])
async def test_an_sms_is_bound_to_one_send_whoever_finds_it_and_whenever_it_answers(
    ledger: Ledger, mongo_database: MongoSettings, *, answered: bool
) -> None:
    """Two reconcilers at once; and one of the sends gets its own late answer in between."""
    started = await ledger.claims.start(await _claimed(ledger, 2), timedelta(milliseconds=50))
    await asyncio.sleep(0.2)
    await RecoverLeases(ledger=ledger, clock=Clock()).once()
    await _look_now(mongo_database)
    provider: Any = OneListed(askers=5 if answered else 4)
    async with connect(mongo_database, "test") as client:
        database = open_database(client, mongo_database.database)
        messages = Messages(database)

        def reconciler() -> ReconcileUnknown:
            return ReconcileUnknown(
                ledger=Ledger(database, Clock(), messages.get),
                messages=messages,
                senders=Senders(provider, provider, provider, provider),
                clock=Clock(),
                reconcile_after=timedelta(seconds=5),
                second_attempt_after=timedelta(seconds=60),
            )

        late = Evidence(Cause.ACCEPTED, SendState.ACCEPTED, datetime.now(UTC), reference="SM1")

        async def answer() -> None:
            if answered:
                await provider.asked.wait()
                await ledger.changes.learn(started[0].send_id, 1, late)

        await asyncio.gather(reconciler().once(), reconciler().once(), answer())
    rows = [await ledger.changes.get(row.send_id) for row in started]
    bound = [row.send_id for row in rows if row is not None and row.reference == "SM1"]
    assert len(bound) == 1
    accepted = {row.send_id for row in rows if row is not None and row.state == "accepted"}
    # what the provider told of its own attempt is true whoever had taken the SMS for theirs
    assert accepted == {*bound, *([started[0].send_id] if answered else [])}


async def _look_now(mongo_database: MongoSettings) -> None:
    async with connect(mongo_database, "test") as client:
        sends = open_database(client, mongo_database.database)["sends"]
        due = {"$set": {"check_at": datetime.now(UTC) - timedelta(seconds=1)}}
        await sends.update_many({"state": "unknown"}, due)


class Forgetful:
    """A provider that drops what it is asked to, but for what is still on its way."""

    def __init__(self, *on_their_way: str) -> None:
        self.forgotten: list[str] = []
        self._on_their_way = on_their_way

    async def forget(self, reference: str) -> None:
        if reference in self._on_their_way:
            raise Retryable("not while it is being sent")
        self.forgotten.append(reference)


@pytest.mark.parametrize(
    "order",
    [
        "answer erase forget",
        "erase forget answer forget",
        "erase answer forget",
        "answer end erase forget",
    ],
)
async def test_the_providers_copy_goes_whether_erasure_or_answer_comes_first(
    ledger: Ledger, mongo_database: MongoSettings, order: str
) -> None:
    """However long the attempt takes, and however long ago its destination has ended."""
    started = (await ledger.claims.start(await _claimed(ledger, 1), LEASE))[0]
    answer = Evidence(Cause.ACCEPTED, SendState.ACCEPTED, datetime.now(UTC), reference="SM1")
    provider: Any = Forgetful()
    async with connect(mongo_database, "test") as client:
        messages = Messages(open_database(client, mongo_database.database))
        senders = Senders(provider, provider, provider, provider)
        forget = ForgetAtProvider(ledger=ledger, messages=messages, senders=senders, clock=Clock())
        steps: dict[str, Callable[[], Awaitable[object]]] = {
            "answer": lambda: ledger.changes.learn(started.send_id, 1, answer),
            "erase": lambda: ledger.destinations.erase(None, ["m0"]),
            "end": lambda: ledger.destinations.end(KEY),
            "forget": forget.once,
        }
        for step in order.split():
            await steps[step]()
        assert provider.forgotten == ["SM1"]
        assert await ledger.destinations.to_forget(10) == []


async def test_a_copy_that_the_provider_cannot_drop_yet_keeps_no_other_from_being_dropped(
    ledger: Ledger, mongo_database: MongoSettings
) -> None:
    for row in await ledger.claims.start(await _claimed(ledger, 3), LEASE):
        reference = f"SM of {row.member_ids[0]}"
        now = datetime.now(UTC)
        answer = Evidence(Cause.ACCEPTED, SendState.ACCEPTED, now, reference=reference)
        await ledger.changes.learn(row.send_id, 1, answer)
    for member in ("m0", "m1", "m2"):  # each due a little later than the one before
        await ledger.destinations.erase(None, [member])
        await asyncio.sleep(0.002)
    provider: Any = Forgetful("SM of m0")
    async with connect(mongo_database, "test") as client:
        messages = Messages(open_database(client, mongo_database.database))
        senders = Senders(provider, provider, provider, provider)
        forget = ForgetAtProvider(ledger=ledger, messages=messages, senders=senders, clock=Clock())
        with pytest.raises(Retryable):
            await forget.once()
        await forget.once()
    assert provider.forgotten == ["SM of m1", "SM of m2"]


async def test_a_send_is_restored_though_another_has_bound_its_sms(ledger: Ledger) -> None:
    """Reconciled for the other before its own event was read; what its event says is kept."""
    started = await ledger.claims.start(await _claimed(ledger, 1), LEASE)
    now = datetime.now(UTC)
    answer = Evidence(Cause.ACCEPTED, SendState.ACCEPTED, now, reference="SM1")
    bound = await ledger.changes.learn(started[0].send_id, 1, answer)
    assert bound is not None
    row = replace(bound, send_id=str(uuid.uuid4()), destination="+32450999999", seq=1)
    kept = {"id": "e1", "seq": 1, "at": now, "value": b"{}"}
    await ledger.recovery.restore([(row, [kept])])
    restored = await ledger.changes.get(row.send_id)
    assert restored is not None
    assert (restored.state, restored.reference) == (SendState.ACCEPTED, None)
    await ledger.recovery.restore([(row, [kept])])
