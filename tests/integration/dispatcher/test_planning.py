"""From an accepted message to its sends and its planned event, on a real database."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pymongo.errors import AutoReconnect

from services.dispatcher.domain.intake import alert_message
from services.dispatcher.domain.ledger import Evidence
from services.dispatcher.domain.message import Message, MessageKey, Thread
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.restoring import forgotten
from services.dispatcher.domain.states import Cause
from services.dispatcher.flows.pass_on import PassOn
from services.dispatcher.store.changes import Change, ended
from services.dispatcher.store.waiting import WaitingSends
from shared.contracts import Alert, Bulletin, Erasure, Notice
from shared.contracts.base import Channel, Lane, MessageType, SendState, Status
from shared.contracts.registry import Contact
from shared.failures import Retryable
from shared.kafka import Outgoing, Positions
from shared.mongo import Session, connect, database, transaction
from shared.settings import MongoSettings
from tests.support.dispatcher import PlanningHalf, member, plans, send_events
from tests.support.memory_kafka import MemoryCluster, MemoryLog
from tests.support.police import Police

BOTH = "+32450999999"


class FlakyLog(MemoryLog):
    """A cluster that stops acknowledging on demand, after it has taken the records."""

    broken = False

    async def publish(self, records: Any) -> None:
        await super().publish(records)
        if self.broken:
            raise Retryable("no acknowledgement")


class Desk:
    """A planning half, and accepted messages without going through the judge."""

    def __init__(self, half: PlanningHalf, cluster: MemoryCluster, log: FlakyLog) -> None:
        self.half = half
        self.cluster = cluster
        self.log = log
        self.police = Police()

    async def fill(self, *events: Any) -> None:
        await self.half.publish(*events)
        await self.half.copied()

    def alert(self, **changes: Any) -> Alert:
        return self.police.alert(**{"issued_at": self.half.hands.at, **changes})

    async def accept(self, alert: Alert, behind: Positions | None = None) -> MessageKey:
        half = self.half
        networks = await half.copy.networks_by_id(alert.network_ids)
        message = alert_message(
            alert, self.police.zone(), networks, alert.network_ids, half.hands.at
        )

        async def store(session: Session) -> None:
            await half.messages.add(session, message, behind=behind)
            if alert.kind == "all_clear":
                about = Thread(alert.zone_id, str(alert.references), alert.status)
                await half.messages.end(session, about, half.hands.at)

        await transaction(half.client, store)
        half.hands.forward(timedelta(milliseconds=1))
        return message.key

    async def planned(self, **changes: Any) -> tuple[MessageKey, list[dict[str, Any]]]:
        alert = self.alert(**changes)
        key = await self.accept(alert)
        await self.half.plan()
        return key, await self.half.sends(alert.alert_id)

    async def put(self, rows: list[dict[str, Any]], state: str, **more: Any) -> None:
        """Pretend that attempts came out as told: the senders are the other half's matter."""
        ids = [row["_id"] for row in rows]
        await self.half.database["sends"].update_many(
            {"_id": {"$in": ids}}, {"$set": {"state": state, **more}}
        )


@pytest.fixture
async def desk(mongo_database: MongoSettings, tmp_path: Path) -> AsyncGenerator[Desk]:
    cluster = MemoryCluster()
    log = FlakyLog(cluster)
    async with connect(mongo_database, "test") as client:
        own = database(client, mongo_database.database)
        half = PlanningHalf(log, client, own, tmp_path)
        desk = Desk(half, cluster, log)
        await half.prepare()
        half.start()
        await desk.fill(
            desk.police.zone(),
            desk.police.network("n1"),
            desk.police.network("n2", languages=("fr", "nl"), sender_name="PLP Demo"),
        )
        yield desk
        await half.stop()


def by_destination(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["destination"]: row for row in rows}


async def test_one_sms_per_person_and_both_networks_on_record(desk: Desk) -> None:
    await desk.fill(
        member("a", "n1", phone=BOTH),
        member("b", "n2", phone=BOTH, language="fr"),
        member("c", "n2"),
    )
    _, rows = await desk.planned(network_ids=("n1", "n2"))
    assert len(rows) == 2
    shared = by_destination(rows)[BOTH]
    assert shared["members"] == ["a", "b"]
    assert shared["networks"] == ["n1", "n2"]
    (plan,) = plans(desk.cluster)
    assert (plan.people, plan.sends, plan.unreachable) == (2, {Channel.SMS: 2}, 0)
    assert plan.basis is not None
    assert plan.basis.legal == desk.police.zone().legal_basis.warm
    assert not plan.behind


async def test_who_is_not_active_is_not_in_the_audience(desk: Desk) -> None:
    await desk.fill(
        member("active", "n1"),
        member("left", "n1", state="left"),
        member("pending", "n1", state="pending"),
        member("suspended", "n1", state="suspended"),
        member("restricted", "n1", restricted=True),
        member("cold-refused", "n1", cold_mail=False),
        member("elsewhere", "n2"),
    )
    _, rows = await desk.planned()
    assert sorted(row["members"][0] for row in rows) == ["active", "cold-refused"]


async def test_no_mobile_and_stop_are_recorded_as_unreachable(desk: Desk) -> None:
    await desk.fill(member("a", "n1", phone=None), member("b", "n1", sms_stopped=True))
    _, rows = await desk.planned()
    found = by_destination(rows)
    assert set(found) == {"member:a", "member:b"}
    assert [event.reason for event in send_events(rows)] == ["no_mobile", "stopped"]
    assert {event.state for event in send_events(rows)} == {"unreachable"}
    assert all(event.recipient is None for event in send_events(rows))
    (plan,) = plans(desk.cluster)
    assert (plan.people, plan.unreachable, plan.sends) == (2, 2, {})


async def test_fallback_of_the_communication_plan_is_a_mail_in_the_warm_lane(desk: Desk) -> None:
    await desk.fill(
        desk.police.network("n1", version=2, warm_fallback="email"),
        member("a", "n1", phone=None),
        member("b", "n1"),
        member("c", "n2", phone=None),
    )
    _, rows = await desk.planned(network_ids=("n1", "n2"))
    found = by_destination(rows)
    assert set(found) == {"member:a", "member:c", "a@example.org", found_phone(rows)}
    mail = found["a@example.org"]
    assert (mail["lane"], mail["channel"], mail["segments"]) == ("warm", "email", None)
    (plan,) = plans(desk.cluster)
    assert (plan.people, plan.sends) == (3, {Channel.SMS: 1, Channel.EMAIL: 1})


def found_phone(rows: list[dict[str, Any]]) -> str:
    return next(row["destination"] for row in rows if row["destination"].startswith("+"))


async def test_language_is_the_members_then_the_networks_then_any(desk: Desk) -> None:
    await desk.fill(
        member("own", "n1", language="fr"),
        member("network", "n2", language="de"),
        member("other", "n1", language="de"),
    )
    _, rows = await desk.planned(network_ids=("n1", "n2"))
    assert {row["members"][0]: row["language"] for row in rows} == {
        "own": "fr",
        "network": "fr",
        "other": "nl",
    }
    assert {row["members"][0]: row["sender_name"] for row in rows}["network"] == "PLP Demo"


async def test_planning_twice_plans_once(desk: Desk) -> None:
    await desk.fill(*[member(f"m{number}", "n1") for number in range(30)])
    key, rows = await desk.planned()
    await desk.half.database["messages"].update_one(
        {"_id": str(key)}, {"$set": {"state": "judged", "to_plan": True, "plan.after": None}}
    )
    await desk.half.plan()
    again = await desk.half.sends(key.message_id)
    assert [row["_id"] for row in again] == [row["_id"] for row in rows]


async def test_nothing_may_go_out_before_kafka_has_the_planned_event(desk: Desk) -> None:
    await desk.fill(member("a", "n1"))
    desk.log.broken = True
    key = await desk.accept(desk.alert())
    with pytest.raises(Retryable):
        await desk.half.plan()
    (row,) = await desk.half.sends(key.message_id)
    assert row["sendable"] is False
    stored = await desk.half.row(key)
    assert (stored["state"], stored["sendable"]) == ("planned", False)
    desk.log.broken = False
    await desk.half.plan()
    (row,) = await desk.half.sends(key.message_id)
    assert row["sendable"] is True
    assert (await desk.half.row(key))["state"] == "open"
    first, second = plans(desk.cluster)
    assert first == second


async def test_planner_that_died_midway_is_taken_over_where_it_stopped(desk: Desk) -> None:
    everyone = [member(f"m{n}", "n1", phone=f"+3245{n:07}") for n in range(2100)]
    await desk.fill(*everyone)
    key = await desk.accept(desk.alert())
    planner = desk.half.planners[Lane.WARM]
    plan = desk.half.ledger.plans.add
    calls = 0

    async def dies_at_the_second_page(session: Any, sends: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise asyncio.CancelledError
        return await plan(session, sends)

    desk.half.ledger.plans.add = dies_at_the_second_page
    with pytest.raises(asyncio.CancelledError):
        await planner.once()
    desk.half.ledger.plans.add = plan
    assert not await desk.half.planner(Lane.WARM).once(), "the dead planner's lease still runs"
    stored = await desk.half.row(key)
    assert stored["plan"]["after"] is not None
    assert stored["plan"]["counts"]["people"] == 1000
    await desk.half.database["messages"].update_one(
        {"_id": str(key)}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}]
    )
    assert await planner.once()
    rows = await desk.half.sends(key.message_id)
    assert len(rows) == len({row["destination"] for row in rows})
    (event,) = plans(desk.cluster)
    assert event.people == 2100 == sum(len(row["members"]) for row in rows)


async def test_planner_that_an_error_stopped_goes_on_at_once(desk: Desk) -> None:
    """A database that fails over must not make an alert wait for the planner's own lease."""
    await desk.fill(member("a", "n1"))
    key = await desk.accept(desk.alert())
    plan = desk.half.ledger.plans.add

    async def breaks(session: Any, sends: Any) -> int:
        await plan(session, sends)
        message = "connection closed"
        raise AutoReconnect(message)

    desk.half.ledger.plans.add = breaks
    planner = desk.half.planners[Lane.WARM]
    for _ in range(2):
        with pytest.raises(AutoReconnect):
            await planner.once()
    desk.half.ledger.plans.add = plan
    assert await planner.once()
    (row,) = await desk.half.sends(key.message_id)
    assert row["sendable"]


async def test_stalled_planner_cannot_go_on_once_another_took_over(desk: Desk) -> None:
    await desk.fill(member("a", "n1"))
    await desk.accept(desk.alert())
    first = await desk.half.messages.take(Lane.WARM, "first")
    assert first is not None
    await desk.half.database["messages"].update_one(
        {}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}]
    )
    second = await desk.half.messages.take(Lane.WARM, "second")
    assert second is not None
    with pytest.raises(Exception, match="alert"):
        await desk.half.messages.planned(first, first.counts, desk.half.hands.at)


async def test_expired_before_planning_is_recorded_and_not_sent(desk: Desk) -> None:
    await desk.fill(member("a", "n1"))
    key = await desk.accept(desk.alert())
    desk.half.hands.forward(timedelta(hours=1))
    await desk.half.plan()
    (row,) = await desk.half.sends(key.message_id)
    assert (row["state"], row["reason"]) == ("expired", "expired")


async def test_plan_made_behind_is_completed_once_the_copy_caught_up(desk: Desk) -> None:
    """Who changed number meanwhile gets it there, unless it got through to the old one."""
    await desk.fill(member("got", "n1"), member("waits", "n1"))
    await desk.half.stop()
    await desk.half.publish(
        member("new", "n1"),
        member("got", "n1", version=2, phone="+32450999998"),
        member("waits", "n1", version=2, phone=BOTH),
    )
    ends = await desk.log.end_offsets(["bin.members"])
    key = await desk.accept(desk.alert(), behind=ends)
    await desk.half.plan()
    await desk.half.again.once()
    await desk.half.plan()
    rows = await desk.half.sends(key.message_id)
    assert len(rows) == 2, "still behind"
    await desk.put([row for row in rows if row["members"] == ["got"]], "accepted")
    desk.half.start()
    await desk.half.copied()
    await desk.half.again.once()
    await desk.half.plan()
    rows = await desk.half.sends(key.message_id)
    assert sorted(row["members"][0] for row in rows) == ["got", "new", "waits", "waits"]
    assert BOTH in by_destination(rows)
    assert "+32450999998" not in by_destination(rows)
    assert all(row["sendable"] for row in rows)
    first, second = plans(desk.cluster)
    assert (first.revision, first.behind, first.people) == (1, True, 2)
    assert (second.revision, second.behind, second.people) == (2, False, 3)


async def test_a_completed_plan_names_every_network_of_everyone_and_misses_nobody(
    desk: Desk,
) -> None:
    """Whatever became meanwhile of the send that their number has already, and however often."""
    stands = ["planned", "attempting", "delivered", "suppressed"]
    numbers = {state: f"+3245099990{at}" for at, state in enumerate(stands)}
    await desk.fill(*(member(f"a-{one}", "n1", phone=numbers[one]) for one in stands))
    await desk.half.stop()
    await desk.half.publish(*(member(f"b-{one}", "n2", phone=numbers[one]) for one in stands))
    ends = await desk.log.end_offsets(["bin.members"])
    key = await desk.accept(desk.alert(network_ids=("n1", "n2")), behind=ends)
    await desk.half.plan()
    stored = by_destination(await desk.half.sends(key.message_id))
    held = await desk.half.ledger.changes.get(stored[numbers["attempting"]]["_id"])
    assert held is not None
    for state in stands:
        told = {"seq": 1, "v": 3} if state in {"delivered", "suppressed"} else {}
        await desk.put([stored[numbers[state]]], state, **told)
    desk.half.start()
    await desk.half.copied()
    await desk.half.again.once()
    await desk.half.plan()
    rows = await desk.half.sends(key.message_id)
    found = by_destination(rows)
    both = (["n1", "n2"], ["a-planned", "b-planned"])
    assert (found[numbers["planned"]]["networks"], found[numbers["planned"]]["members"]) == both
    assert found[numbers["attempting"]]["networks"] == ["n1", "n2"]
    # whoever made the attempt does not know that yet, and must read it before the next event
    now = desk.half.hands.at
    after = replace(held, state=SendState.FAILED, reason="blocked")
    change = Change(Cause.REFUSED, replace(held, state=SendState.ATTEMPTING), after, now)
    assert await desk.half.ledger.changes.write([change]) == [change]
    # a number that had it is named again for its further network, as a bulletin's is
    assert found[numbers["delivered"]]["networks"] == ["n1"]
    (beside,) = [row for row in rows if row["reason"] == "other_network"]
    assert (beside["state"], beside["networks"]) == ("suppressed", ["n2"])
    assert beside["members"] == ["b-delivered"]
    assert beside["recipient"] == found[numbers["delivered"]]["recipient"]
    assert [event.network_ids for event in send_events([beside])] == [("n2",)]
    # and a send that never went out stands in nobody's way
    assert found[numbers["suppressed"]]["state"] == "planned"
    assert "b-suppressed" in found[numbers["suppressed"]]["members"]
    # planned once more, it is the same
    await desk.half.database["messages"].update_one({"_id": str(key)}, {"$set": {"again": True}})
    await desk.half.again.once()
    await desk.half.plan()
    assert len(plans(desk.cluster)) == 3
    named = [(row["_id"], row["members"], row["networks"]) for row in rows]
    rows = await desk.half.sends(key.message_id)
    assert [(row["_id"], row["members"], row["networks"]) for row in rows] == named


async def test_a_restored_ledger_tells_the_sends_to_one_number_apart(desk: Desk) -> None:
    """The one that went out stands for the number; the one before it made way and stays so."""
    half = desk.half
    await desk.fill(member("a", "n1", phone=BOTH))
    key, (first,) = await desk.planned(network_ids=("n1", "n2"))
    row = await half.ledger.changes.get(first["_id"])
    assert row is not None
    now = half.hands.at
    left = ended(Cause.SUPPRESS, row, SendState.SUPPRESSED, SendReason.LEFT, now)
    assert await half.ledger.changes.write([left]) == []
    await desk.fill(member("a", "n1", version=2, state="left"), member("b", "n2", phone=BOTH))
    await half.database["messages"].update_one({"_id": str(key)}, {"$set": {"again": True}})
    await half.again.once()
    await half.plan()
    row = await half.ledger.changes.get(
        by_destination(await half.sends(key.message_id))[BOTH]["_id"]
    )
    assert row is not None
    went = Change(Cause.RESTORE, row, forgotten(row, now, now), now)
    assert await half.ledger.changes.write([went]) == []
    rows = await half.sends(key.message_id)
    await half.restored.keep(send_events(rows))
    await half.database["sends"].delete_many({})
    await half.messages.plan_restored(str(key), 2)
    await half.plan()
    names = ("_id", "destination", "state", "members", "networks", "seq")
    again = await half.sends(key.message_id)
    assert [[row[name] for name in names] for row in again] == [
        [row[name] for name in names] for row in rows
    ]
    assert await half.restored.left() == []


async def test_plan_made_behind_stays_as_it_is_once_the_message_expired(desk: Desk) -> None:
    await desk.half.stop()
    await desk.half.publish(member("late", "n1"))
    ends = await desk.log.end_offsets(["bin.members"])
    await desk.accept(desk.alert(), behind=ends)
    await desk.half.plan()
    desk.half.hands.forward(timedelta(hours=1))
    await desk.half.again.once()
    assert await desk.half.messages.waiting() == []


async def test_update_takes_the_place_of_what_is_still_planned(desk: Desk) -> None:
    await desk.fill(member("a", "n1"), member("b", "n1"), member("c", "n2"))
    first = desk.alert(network_ids=("n1", "n2"))
    await desk.accept(first)
    await desk.half.plan()
    rows = await desk.half.sends(first.alert_id)
    await desk.put([row for row in rows if row["members"] == ["a"]], "accepted")
    update = desk.alert(kind="update", references=first.alert_id, network_ids=("n1",))
    await desk.accept(update)
    await desk.half.plan()
    states = {r["members"][0]: r["state"] for r in await desk.half.sends(first.alert_id)}
    assert states == {"a": "accepted", "b": "cancelled", "c": "planned"}
    updated = await desk.half.sends(update.alert_id)
    assert sorted(row["members"][0] for row in updated) == ["a", "b"]


async def test_update_planned_before_its_alert_still_replaces_it(desk: Desk) -> None:
    await desk.fill(member("a", "n1"))
    first = desk.alert()
    update = desk.alert(kind="update", references=first.alert_id)
    await desk.accept(update)
    await desk.half.plan()
    await desk.accept(first)
    await desk.half.plan()
    (old,) = await desk.half.sends(first.alert_id)
    (new,) = await desk.half.sends(update.alert_id)
    assert (old["state"], new["state"]) == ("cancelled", "planned")


async def test_all_clear_goes_to_whoever_got_the_alert_and_to_nobody_else(desk: Desk) -> None:
    people = ("got", "planned", "held", "failed", "trying", "unsure", "expired")
    await desk.fill(*[member(name, "n1") for name in people], member("new", "n2"))
    first = desk.alert()
    await desk.accept(first)
    await desk.half.plan()
    rows = {row["members"][0]: row for row in await desk.half.sends(first.alert_id)}
    for name, state in (
        ("got", "delivered"),
        ("failed", "failed"),
        ("trying", "attempting"),
        ("unsure", "unknown"),
        ("held", "claimed"),
    ):
        await desk.put([rows[name]], state)
    # as an alert's expiry leaves what is still unknown
    await desk.put([rows["expired"]], "unknown", settled=True)
    ends = desk.alert(kind="all_clear", references=first.alert_id, network_ids=("n2",))
    key = await desk.accept(ends)
    await desk.half.plan()
    assert [r["members"] for r in await desk.half.sends(ends.alert_id)] == [["got"]]
    states = {r["members"][0]: r["state"] for r in await desk.half.sends(first.alert_id)}
    assert states["planned"] == "cancelled"
    await desk.half.again.once()
    assert (await desk.half.row(key))["state"] == "open", "attempts are unresolved"
    await desk.put([rows["trying"]], "accepted")
    desk.half.hands.forward(timedelta(seconds=61))
    await desk.half.again.once()
    await desk.half.plan()
    reached = sorted(r["members"][0] for r in await desk.half.sends(ends.alert_id))
    assert reached == ["expired", "got", "trying", "unsure"]
    assert [plan.revision for plan in plans(desk.cluster)][-2:] == [1, 2]


@pytest.mark.parametrize("kind", ["update", "all_clear"])
async def test_what_is_a_test_never_touches_what_is_real(desk: Desk, kind: str) -> None:
    """Also where it was read before the alert that it names, and so could not be refused."""
    await desk.fill(member("a", "n1"))
    real = desk.alert()
    later = desk.alert(kind=kind, references=real.alert_id, status=Status.TEST)
    await desk.accept(later)
    key = await desk.accept(real)
    await desk.half.plan()
    rows = await desk.half.sends(key.message_id)
    assert [row["state"] for row in rows] == ["planned"]
    await desk.put(rows, "accepted")
    desk.half.hands.forward(timedelta(seconds=61))
    await desk.half.again.once()
    await desk.half.plan()
    reached = await desk.half.sends(later.alert_id)
    assert [row["state"] for row in reached] == (["planned"] if kind == "update" else [])


async def test_all_clear_waits_no_longer_than_it_has_to(desk: Desk) -> None:
    await desk.fill(member("a", "n1"))
    first = desk.alert()
    await desk.accept(first)
    await desk.half.plan()
    rows = await desk.half.sends(first.alert_id)
    await desk.put(rows, "attempting")
    ends = desk.alert(kind="all_clear", references=first.alert_id)
    await desk.accept(ends)
    await desk.half.plan()
    await desk.put(rows, "failed")
    await desk.half.again.once()
    await desk.half.plan()
    assert await desk.half.sends(ends.alert_id) == []


async def test_alert_after_its_all_clear_is_planned_and_cancelled(desk: Desk) -> None:
    await desk.fill(member("a", "n1"))
    first = desk.alert()
    await desk.accept(desk.alert(kind="all_clear", references=first.alert_id))
    await desk.accept(first)
    await desk.half.plan()
    (row,) = await desk.half.sends(first.alert_id)
    assert (row["state"], row["reason"]) == ("cancelled", "all_clear")


def bulletin(desk: Desk, network_id: str, bulletin_id: str) -> Bulletin:
    at = desk.half.hands.at
    return Bulletin.model_validate(
        {
            "bulletin_id": bulletin_id,
            "zone_id": "demo",
            "network_id": network_id,
            "kind": "prevention",
            "status": "actual",
            "subject": {"nl": "Sluit uw poort"},
            "body": {"nl": "Een open poort nodigt uit."},
            "issued_by": "officer-1",
            "released_by": "0" * 64,
            "released_at": at,
            "expires_at": at + timedelta(days=14),
        }
    )


async def taken(desk: Desk, count: int) -> None:
    async with asyncio.timeout(20):
        while await desk.half.database["messages"].count_documents({}) < count:
            await asyncio.sleep(0.02)


async def test_bulletin_goes_once_to_a_person_in_two_networks(desk: Desk) -> None:
    await desk.fill(
        member("a", "n1", email="both@example.org"),
        member("b", "n2", email="both@example.org"),
        member("c", "n2"),
        member("d", "n1", cold_mail=False),
        member("e", "n1", email=None),
        member("f", "n1", state="pending"),
    )
    name = str(uuid.uuid4())
    for count, network in enumerate(("n1", "n2"), start=1):
        await desk.half.publish(bulletin(desk, network, name))
        await taken(desk, count)
        await desk.half.plan()
    rows = await desk.half.sends(name)
    assert sorted((row["members"][0], row["state"], row["reason"]) for row in rows) == [
        ("a", "planned", None),
        ("b", "planned", None),
        ("c", "planned", None),
        ("e", "unreachable", "no_address"),
    ]
    assert {row["lane"] for row in rows} == {"cold"}
    assert {plan.release: plan.people for plan in plans(desk.cluster)} == {"n1": 2, "n2": 2}
    claimed = await desk.half.ledger.claims.take(
        Lane.COLD, Channel.EMAIL, 9, timedelta(minutes=1), "f"
    )
    assert sorted(row.member_ids[0] for row in claimed) == ["a", "c"]


@pytest.mark.parametrize(
    ("cause", "state", "reason", "second"),
    [
        (Cause.ACCEPTED, "accepted", None, "suppressed"),
        (Cause.REFUSED, "failed", SendReason.MAILBOX_REFUSED, "suppressed"),
        (Cause.UNCERTAIN, "unknown", SendReason.TIMED_OUT, "planned"),
        (Cause.SUPPRESS, "suppressed", SendReason.LEFT, "claimed"),
        (Cause.EXPIRE, "expired", SendReason.EXPIRED, "claimed"),
    ],
)
async def test_through_two_networks_it_goes_again_only_where_the_first_never_went_out(
    desk: Desk, cause: Cause, state: str, reason: SendReason | None, second: str
) -> None:
    await desk.fill(
        member("a", "n1", email="both@example.org"), member("b", "n2", email="both@example.org")
    )
    name, ledger, clock = str(uuid.uuid4()), desk.half.ledger, desk.half.hands.clock
    for count, network in enumerate(("n1", "n2"), start=1):
        await desk.half.publish(bulletin(desk, network, name))
        await taken(desk, count)
        await desk.half.plan()
    pass_on = PassOn(ledger=ledger, waiting=WaitingSends(desk.half.database, clock), clock=clock)
    (row,) = await ledger.claims.take(Lane.COLD, Channel.EMAIL, 9, timedelta(minutes=1), "first")
    await pass_on.once()
    assert [row["state"] for row in await desk.half.sends(name)] == ["claimed", "planned"]
    if cause in {Cause.SUPPRESS, Cause.EXPIRE}:
        await ledger.changes.write([ended(cause, row, SendState(state), reason, clock.now())])
    else:
        await ledger.claims.start([row], timedelta(minutes=1))
        await ledger.changes.learn(
            row.send_id, 1, Evidence(cause, SendState(state), clock.now(), reason)
        )
    await pass_on.once()
    await asyncio.sleep(0.5)  # until the ledger looks back at what is due since just now
    await ledger.claims.take(Lane.COLD, Channel.EMAIL, 9, timedelta(minutes=1), "second")
    rows = {row["networks"][0]: row["state"] for row in await desk.half.sends(name)}
    assert rows == {"n1": state, "n2": second}


@pytest.mark.parametrize(
    ("first", "stored"),
    [
        ("accepted", [("a", "accepted", None, False), ("b", "suppressed", "other_network", False)]),
        ("unknown", [("a", "unknown", "restored", False), ("b", "planned", None, True)]),
        ("left", [("a", "suppressed", "left", False), ("b", "unknown", "restored", False)]),
    ],
)
async def test_of_a_bulletins_two_networks_a_restored_ledger_has_both_sends(
    desk: Desk, first: str, stored: list[tuple[object, ...]]
) -> None:
    """As its events say, and as planning would have it where one of them has no event."""
    half, name = desk.half, str(uuid.uuid4())
    await desk.fill(
        member("a", "n1", email="both@example.org"), member("b", "n2", email="both@example.org")
    )
    for count, network in enumerate(("n1", "n2"), start=1):
        await half.publish(bulletin(desk, network, name))
        await taken(desk, count)
        await half.plan()
    documents = {row["members"][0]: row for row in await half.sends(name)}
    rows = {who: await half.ledger.changes.get(row["_id"]) for who, row in documents.items()}
    before, behind, now = rows["a"], rows["b"], half.hands.at
    assert before is not None
    assert behind is not None
    if first == "left":
        changes = [
            ended(Cause.SUPPRESS, before, SendState.SUPPRESSED, SendReason.LEFT, now),
            Change(Cause.RESTORE, behind, forgotten(behind, now, now), now),
        ]
        for change in changes:  # in their order: the second takes the place of the first
            assert await half.ledger.changes.write([change]) == []
    else:
        change = Change(Cause.RESTORE, before, forgotten(before, now, now), now)
        assert await half.ledger.changes.write([change]) == []
    if first == "accepted":
        told = Evidence(Cause.RECEIPT, SendState.ACCEPTED, now, reference="<1@example.org>")
        await half.ledger.changes.learn(before.send_id, 1, told)
    await half.restored.keep(send_events(await half.sends(name)))
    await half.database["sends"].delete_many({})
    for row in (before, behind):
        await half.messages.plan_restored(str(row.key), 1)
    await half.plan()
    assert (
        sorted(
            (row["members"][0], row["state"], row["reason"], "behind" in row)
            for row in await half.sends(name)
        )
        == stored
    )
    assert await half.restored.left() == []


async def test_release_that_is_read_twice_is_planned_once(desk: Desk) -> None:
    await desk.fill(member("a", "n1"))
    one = bulletin(desk, "n1", str(uuid.uuid4()))
    await desk.half.publish(one, one)
    await taken(desk, 1)
    await desk.half.plan()
    behind = bulletin(desk, "n1", str(uuid.uuid4()))
    await desk.half.publish(one, behind)
    await taken(desk, 2)  # and so the first of the two was read before
    await desk.half.plan()
    assert [
        len(await desk.half.sends(bulletin_id))
        for bulletin_id in (one.bulletin_id, behind.bulletin_id)
    ] == [1, 1]
    assert len(plans(desk.cluster)) == 2


async def test_record_that_is_no_bulletin_goes_to_the_dlq_and_the_next_is_taken(
    desk: Desk,
) -> None:
    await desk.fill(member("a", "n1"))
    await desk.log.publish([Outgoing("bin.bulletins", "demo", b"{}", ())])
    await desk.half.publish(bulletin(desk, "n1", str(uuid.uuid4())))
    await taken(desk, 1)
    async with asyncio.timeout(20):
        while not desk.cluster.on("bin.bulletins.dlq"):
            await asyncio.sleep(0.02)


def notice(desk: Desk, **changes: Any) -> Notice:
    at = desk.half.hands.at
    fields: dict[str, Any] = {
        "notice_id": str(uuid.uuid4()),
        "zone_id": "demo",
        "template": "bulletin_waiting",
        "about": {"bulletin_id": "b1"},
        "issued_at": at,
        "expires_at": at + timedelta(days=3),
        **changes,
    }
    return Notice.model_validate(fields)


async def test_notice_goes_to_whoever_holds_the_role(desk: Desk) -> None:
    contacts = [
        Contact(
            contact_id=f"c{number}",
            role=cast("Any", role),
            subject=f"sub-{number}",
            email=email,
            language="fr",
            active=active,
        )
        for number, (role, email, active) in enumerate(
            [
                ("coordinator", "First@example.org", True),
                ("co_coordinator", "second@example.org", True),
                ("coordinator", "gone@example.org", False),
                ("deputy", "deputy@example.org", True),
                ("coordinator", None, True),
            ]
        )
    ]
    await desk.fill(desk.police.network("n1", version=2, contacts=tuple(contacts)))
    one = notice(desk, to_role={"role": "coordinator", "network_id": "n1"})
    await desk.half.publish(one)
    await taken(desk, 1)
    await desk.half.plan()
    rows = by_destination(await desk.half.sends(one.notice_id))
    assert set(rows) == {"first@example.org", "second@example.org", "member:c4"}
    assert {row["language"] for row in rows.values()} == {"fr"}


@pytest.mark.parametrize(("state", "expected"), [("pending", 1), ("active", 0), ("left", 0)])
async def test_pending_member_gets_the_link_to_accept_and_nobody_else(
    desk: Desk, state: str, expected: int
) -> None:
    one = notice(desk, template="accept_house_rules", to_member="m1", about={})
    await desk.half.publish(member("m1", "n1", state=state, accept_token="secret-token"), one)
    await taken(desk, 1)
    await desk.half.plan()
    rows = await desk.half.sends(one.notice_id)
    assert len(rows) == expected
    stored = await desk.half.messages.get(MessageKey("demo", MessageType.NOTICE, one.notice_id))
    assert stored is not None
    if expected:
        assert "https://registry.example/v1/accept/secret-token" in stored.content.body["nl"]
        assert rows[0]["networks"] == ["n1"]


@pytest.mark.parametrize(("token", "expected"), [("secret-token", 1), (None, 0)])
async def test_new_house_rules_go_to_who_has_a_link_to_accept_them(
    desk: Desk, token: str | None, expected: int
) -> None:
    one = notice(desk, template="house_rules_changed", to_member="m1", about={})
    await desk.half.publish(member("m1", "n1", state="active", accept_token=token), one)
    await taken(desk, 1)
    await desk.half.plan()
    assert len(await desk.half.sends(one.notice_id)) == expected
    stored = await desk.half.messages.get(MessageKey("demo", MessageType.NOTICE, one.notice_id))
    assert stored is not None
    if expected:
        assert "https://registry.example/v1/accept/secret-token" in stored.content.body["nl"]


async def test_erased_member_never_comes_back(desk: Desk) -> None:
    await desk.fill(member("a", "n1"))
    erasure = Erasure(erasure_id="e1", member_id="a", zone_id="demo", erased_at=desk.half.hands.at)
    await desk.fill(erasure)
    await desk.fill(member("a", "n1", version=9))
    assert await desk.half.copy.members(["a"]) == {}
    _, rows = await desk.planned()
    assert rows == []
    async with asyncio.timeout(20):
        while not desk.cluster.on("bin.access"):
            await asyncio.sleep(0.02)


async def test_older_version_never_replaces_a_newer_one_in_any_batch(desk: Desk) -> None:
    await desk.fill(member("a", "n1", version=5, language="de"))
    await desk.fill(
        member("a", "n1", version=4, language="en"),
        member("b", "n1", version=2, language="fr"),
        member("b", "n1", version=1, language="en"),
    )
    copied = await desk.half.copy.members(["a", "b"])
    assert {name: one.language for name, one in copied.items()} == {"a": "de", "b": "fr"}


async def test_contact_details_of_who_left_are_not_kept(desk: Desk) -> None:
    await desk.fill(member("a", "n1"))
    await desk.fill(member("a", "n1", version=2, state="left"))
    row = await desk.half.database["copy_members"].find_one({"_id": "a"})
    assert row is not None
    assert "+32" not in str(row)
    assert "@" not in str(row)


async def test_missing_pseudonym_key_holds_back_its_own_message_only(desk: Desk) -> None:
    await desk.fill(
        member("a", "n1"),
        Police("keyless").zone(),
        Police("keyless").network("k1"),
        member("k", "k1", zone_id="keyless"),
    )
    message = await keyless(desk)
    key = await desk.accept(desk.alert())
    await desk.half.plan()
    assert (await desk.half.row(key))["state"] == "open"
    assert (await desk.half.row(message.key))["state"] != "open"


async def keyless(desk: Desk) -> Message:
    half, police = desk.half, Police("keyless")
    alert = police.alert(network_ids=("k1",), issued_at=half.hands.at)
    networks = await half.copy.networks_by_id(["k1"])
    message = alert_message(alert, police.zone(), networks, ("k1",), half.hands.at)
    message = replace(message, accepted_at=half.hands.at - timedelta(seconds=5))

    async def store(session: Session) -> None:
        await half.messages.add(session, message)

    await transaction(half.client, store)
    return message


@pytest.mark.parametrize("count", [3, 150])
async def test_audience_is_read_in_order_from_an_index(desk: Desk, count: int) -> None:
    """No sort in memory, whether the networks are few or many: memory must not grow."""
    names = [f"x{number}" for number in range(count)]
    scope = "network_id" if count <= 100 else "zone_id"
    found = (
        await desk.half.database["copy_members"]
        .find({"network_id": {"$in": names}, "zone_id": "demo", "sms": {"$exists": True}})
        .sort([("sms", 1), ("_id", 1)])
        .hint(f"{scope}_sms")
        .explain()
    )
    assert "'SORT'" not in str(found["queryPlanner"]["winningPlan"])


async def test_many_networks_are_planned_like_few(desk: Desk) -> None:
    names = tuple(f"x{number:03}" for number in range(130))
    await desk.fill(
        *[desk.police.network(name) for name in names],
        *[member(f"m-{name}", name) for name in names],
        member("elsewhere", "n1"),
    )
    _, rows = await desk.planned(network_ids=names)
    assert sum(len(row["members"]) for row in rows) == 130
