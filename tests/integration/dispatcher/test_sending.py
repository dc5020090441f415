"""From an alert to people's phones and back: the real SDKs, a real database, the sandbox."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import AnyHttpUrl
from pymongo.errors import AutoReconnect
from structlog.testing import capture_logs

from services.dispatcher.domain.quiet import BRUSSELS
from services.dispatcher.flows.end_destinations import EndDestinations
from services.dispatcher.store.claims import SendClaims
from shared.clock import Clock
from shared.contracts.base import SendState
from shared.contracts.registry import QuietHours
from tests.support.dispatcher import member, published
from tests.support.sending import Dispatcher, World, crowd
from tests.support.wait import until


async def test_everyone_gets_one_sms_and_everything_agrees(world: World) -> None:
    """Sandbox, ledger, events and closing statement say the same, one to one."""
    people = crowd(40)
    both = member("n2-m0", "n2", phone=people[0].phone, language="fr")
    nobody = member("n2-m1", "n2", phone=None)
    left = member("n2-m2", "n2", state="left", phone=None, email=None)
    await world.people(*people, both, nobody, left)
    async with world.dispatcher():
        alert = await world.alert(network_ids=("n1", "n2"))
        closing = await world.closed(alert)
        await world.agree(alert)
    sms = await world.sms()
    assert sorted(one["to"] for one in sms) == sorted(str(one.phone) for one in people)
    assert closing.states == {"delivered": 40, "unreachable": 1}
    shared = next(row for row in await world.rows(alert) if row["destination"] == both.phone)
    assert set(shared["networks"]) == {"n1", "n2"}
    assert all("101" in one["body"] for one in sms)


async def test_a_receipt_that_overtakes_the_answer_implies_acceptance(world: World) -> None:
    """The time-out is real although the SDK ignores its own, and nothing is sent twice."""
    await world.people(*crowd(2))
    await world.fault("sms", "slow", seconds=4, count=1)
    async with world.dispatcher():
        alert = await world.alert()
        closing = await world.closed(alert)
        await asyncio.sleep(2.5)  # until the slow answer has timed out too
        await world.agree(alert)
    assert len(await world.sms()) == 2
    assert closing.states == {"delivered": 2}
    assert {event.attempt for event in world.events(alert)} == {1}


@pytest.mark.parametrize("write", ["take", "start"])
async def test_what_a_lost_answer_took_out_of_hand_goes_out_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    """A database that fails over keeps nobody waiting for a lease, nor flags what never began."""
    real = getattr(SendClaims, write)
    lost: list[int] = []

    async def loses_one_answer(*args: Any) -> Any:
        rows = await real(*args)
        if rows and not lost:
            lost.append(len(rows))
            message = "connection closed"
            raise AutoReconnect(message)
        return rows

    monkeypatch.setattr(SendClaims, write, loses_one_answer)
    await world.people(*crowd(5))
    async with world.dispatcher(lease=timedelta(minutes=5)):
        alert = await world.alert()
        closing = await world.closed(alert)
        await world.agree(alert)
    assert lost
    assert closing.states == {"delivered": 5}
    assert {event.attempt for event in world.events(alert)} <= {1, 2}
    assert not any(event.possible_duplicate for event in world.events(alert))
    assert len(await world.sms()) == 5


async def test_one_id_follows_an_alert_from_its_topic_to_the_provider_and_back(
    world: World,
) -> None:
    """The message's own: as the trace id of W3C Trace Context, and in the log."""
    await world.people(*crowd(2))
    with capture_logs() as lines:
        async with world.dispatcher():
            alert = await world.alert()
            await world.closed(alert)
    steps: dict[str, set[str]] = {}
    for record in world.cluster.on("bin.verdicts") + world.cluster.on("bin.sends"):
        told = dict(record.headers)["ce_traceparent"].decode()
        version, trace, span, flags = told.split("-")
        assert (version, trace, flags) == ("00", alert.replace("-", ""), "01")
        steps.setdefault(record.topic, set()).add(span)
    # planned, accepted and delivered for each of both, closed
    assert {topic: len(spans) for topic, spans in steps.items()} == {
        "bin.verdicts": 1,
        "bin.sends": 6,
    }
    requests = {one["trace"].split("-")[1] for one in await world.sms()}
    assert requests == {alert.replace("-", "")}
    told = [line["event"] for line in lines if line.get("message_id") == alert]
    assert told == ["judged", "planned", "closed"]


@pytest.mark.parametrize("fallback", ["email", None])
async def test_who_turns_out_to_have_said_stop_gets_a_mail_where_the_plan_says_so(
    world: World, fallback: str | None
) -> None:
    """The same alert, once, still warm; what the number refused stays on record as it was."""
    stopped = member("a", "n1", phone="+32450021610", email="a@example.org")
    await world.people(stopped, *crowd(1), warm_fallback=fallback)
    async with world.dispatcher():
        alert = await world.alert()
        wanted = {"failed": 1, "delivered": 1} | ({"accepted": 1} if fallback else {})

        async def closed() -> bool:
            return any(one.states == wanted for one in world.closings(alert))

        await until(closed)
        await world.agree(alert)
    rows = {row["channel"]: row for row in await world.rows(alert) if row["members"] == ["a"]}
    assert (rows["sms"]["state"], rows["sms"]["reason"]) == ("failed", "stopped")
    assert {row["lane"] for row in rows.values()} == {"warm"}
    assert [mail["to"] for mail in await world.mail()] == (["a@example.org"] if fallback else [])


async def test_a_mailbox_that_refuses_for_good_is_spared_until_its_address_is_corrected(
    world: World,
) -> None:
    """For bulletins only: who asks for a notice, or is to be warned, is tried."""
    await world.people(member("a", "n1", email="typo@example.org"))
    await world.fault("mail", "refuse", count=1)

    async def sends() -> tuple[str, str | None]:
        name = str(uuid.uuid4())
        await world.bulletin(name, "n1")
        await world.closed(name)
        (row,) = await world.rows(name)
        return row["state"], row["reason"]

    async with world.dispatcher():
        assert await sends() == ("failed", "invalid_address")
        assert await sends() == ("unreachable", "mailbox_refused")
        await world.log.publish(
            [published(member("a", "n1", version=2, email="right@example.org"))]
        )
        await asyncio.sleep(0.5)
        assert await sends() == ("accepted", None)
    assert [mail["to"] for mail in await world.mail()] == ["right@example.org"]


async def test_where_a_message_went_and_what_it_said_end_some_time_after_its_closing(
    world: World,
) -> None:
    await world.people(*crowd(2))
    async with world.dispatcher() as dispatcher:
        stores = dispatcher.app.stores
        alert = await world.alert()
        await world.closed(alert)

        async def kept(*, after: timedelta) -> str:
            end = EndDestinations(
                ledger=stores.ledger,
                closings=stores.closings,
                messages=stores.messages,
                clock=Clock(),
                kept_for=after,
            )
            while await end.once():
                pass
            messages = await stores.database["messages"].find({}).to_list()
            return str(await world.rows(alert)) + str(messages)

        said = (await world.sms())[0]["body"].split(".")[0]
        early, late = await kept(after=timedelta(hours=1)), await kept(after=timedelta(0))
        url = f"{dispatcher.settings.public_url}v1/messages/{alert}/coverage"
        coverage = (await world.http.get(url, headers=world.token("police"))).json()
    assert "+3245007" in early
    assert said in early
    assert "+3245007" not in late
    assert said not in late
    assert coverage["states"] == {"delivered": 2}


async def test_without_receipts_the_provider_is_asked(world: World) -> None:
    """Its list tells what became of an unknown send, and its records of accepted ones."""
    await world.people(*crowd(3))
    await world.fault("sms", "accept_then_drop", count=1)
    nowhere = AnyHttpUrl("http://127.0.0.1:9")
    async with world.dispatcher(public_url=nowhere, receipt_wait=timedelta(seconds=0)):
        alert = await world.alert(expires_at=datetime.now(UTC) + timedelta(seconds=3))
        closing = await world.closed(alert)
        await world.agree(alert)
    assert len(await world.sms()) == 3
    assert closing.states == {"delivered": 3}
    unknown = [event for event in world.events(alert) if event.state is SendState.UNKNOWN]
    assert [event.reason for event in unknown] == ["connection_lost"]


async def test_refusals_and_bad_receipts_are_outcomes_with_a_reason(world: World) -> None:
    """A STOP, an invalid number and a dead handset are recorded, each with its reason."""
    numbers = {"+32450021610": "stopped", "+32450021211": "invalid_number"}
    late = {"+32450030003": "unreachable_handset"}
    people = [
        member(f"m{index}", "n1", phone=number) for index, number in enumerate((*numbers, *late))
    ]
    await world.people(*people)
    async with world.dispatcher():
        alert = await world.alert()
        closing = await world.closed(alert)
        await world.agree(alert)
    rows = {row["destination"]: row for row in await world.rows(alert)}
    assert {number: rows[number]["reason"] for number in numbers} == numbers
    assert rows["+32450030003"]["reason"] == "unreachable_handset"
    assert closing.states == {"failed": 2, "undelivered": 1}


async def test_every_outcome_is_counted_by_lane_state_provider_and_reason(world: World) -> None:
    """What no attempt found out too: the unreachable, the cancelled, and what a receipt said."""
    nobody = member("m1", "n1", phone=None)
    stopped = member("m2", "n1", phone="+32450021610")
    await world.people(*crowd(2), nobody, stopped)
    async with world.dispatcher() as dispatcher:
        before = await sends_counted(dispatcher)
        alert = await world.alert()
        test = await world.alert(status="test")
        await world.closed(alert)
        await world.closed(test)
        await world.fault("sms", "status_429", seconds=300)
        second = await world.alert()

        async def refused() -> bool:
            counted = await sends_counted(dispatcher) - before
            return counted["warm", "planned", "twilio", "rate_limited"] > 0

        await until(refused)
        await world.alert(kind="all_clear", references=second)
        await world.closed(second)
        counted = await sends_counted(dispatcher) - before
    assert counted["warm", "planned", "twilio", ""] == 2 * 3
    assert counted["warm", "planned", "test_twilio", ""] == 3
    assert counted["warm", "delivered", "twilio", ""] == 2
    assert counted["warm", "delivered", "test_twilio", ""] == 2
    assert counted["warm", "unreachable", "twilio", "no_mobile"] == 2
    assert counted["warm", "failed", "twilio", "stopped"] == 1
    assert counted["warm", "cancelled", "twilio", "all_clear"] == 3


async def sends_counted(dispatcher: Dispatcher) -> Counter[tuple[str, ...]]:
    """Read `buurtbode_sends_total` from /metrics, by lane, state, provider and reason."""
    url = str(dispatcher.settings.public_url).rstrip("/")
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{url}/metrics")).text
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return Counter(
        {
            tuple(one.labels[name] for name in ("lane", "state", "provider", "reason")): one.value
            for one in samples
            if one.name == "buurtbode_sends_total"
        }
    )


async def test_what_is_not_sent_in_time_expires_and_is_never_delivered(world: World) -> None:
    """A provider that is away until the message is over leaves `expired`, not a late SMS."""
    await world.people(*crowd(3))
    await world.fault("sms", "status_429", seconds=30)
    async with world.dispatcher():
        alert = await world.alert(expires_at=datetime.now(UTC) + timedelta(seconds=3))
        closing = await world.closed(alert)
        await world.agree(alert)
    assert closing.states == {"expired": 3}
    assert await world.sms() == []


def slow_start(
    monkeypatch: pytest.MonkeyPatch, seconds: float, then: Callable[[], Awaitable[None]]
) -> None:
    """Have the write of `attempting` take its time, and something happen meanwhile."""
    real = SendClaims.start

    async def start(self: SendClaims, *args: Any) -> Any:
        started = await real(self, *args)
        await asyncio.sleep(seconds)
        await then()
        return started

    monkeypatch.setattr(SendClaims, "start", start)


async def test_what_expires_while_its_attempt_is_written_is_not_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write may take longer than the rest of the message's life."""
    expires_at = datetime.now(UTC) + timedelta(hours=1)

    async def until_it_is_over() -> None:
        left = (expires_at - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(0.0, left + 0.01))

    slow_start(monkeypatch, 0.0, until_it_is_over)
    await world.people(*crowd(2))
    async with world.dispatcher():
        await asyncio.sleep(0.5)
        expires_at = datetime.now(UTC) + timedelta(seconds=1)
        alert = await world.alert(expires_at=expires_at)
        closing = await world.closed(alert)
        await world.agree(alert)
    assert closing.states == {"expired": 2}
    assert await world.sms() == []


async def test_who_leaves_while_the_attempt_is_written_gets_nothing_and_all_others_do(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a slow write membership is read again: a check is never over a second old."""
    first, second = crowd(2)
    gone = first.model_copy(update={"version": 2, "state": "left", "phone": None, "email": None})
    dispatcher = world.dispatcher()

    async def leaves() -> None:
        await world.log.publish([published(gone)])

        async def copied() -> bool:
            known = await dispatcher.app.stores.copy.members([first.member_id])
            return known[first.member_id].version == 2

        await until(copied)

    slow_start(monkeypatch, 1.1, leaves)
    await world.people(first, second)
    async with dispatcher:
        alert = await world.alert()
        closing = await world.closed(alert)
        await world.agree(alert)
    assert [one["to"] for one in await world.sms()] == [second.phone]
    assert closing.states == {"delivered": 1, "suppressed": 1}
    assert {event.attempt for event in world.events(alert) if event.state == "delivered"} == {1}


async def test_who_leaves_before_the_attempt_gets_nothing(world: World) -> None:
    """Membership is checked just before each attempt, not only at planning."""
    first, second = crowd(2)
    await world.people(first, second)
    await world.fault("sms", "status_429", seconds=300)
    async with world.dispatcher() as dispatcher:
        alert = await world.alert()

        async def planned() -> bool:
            return len(await world.rows(alert)) == 2

        async def copied() -> bool:
            known = await dispatcher.app.stores.copy.members([first.member_id])
            return known[first.member_id].version == 2

        await until(planned)
        gone = first.model_copy(
            update={"version": 2, "state": "left", "phone": None, "email": None}
        )
        await world.log.publish([published(gone)])
        await until(copied)
        await asyncio.sleep(1.5)  # a check of a second ago still counts
        await world.behave()
        closing = await world.closed(alert)
        await world.agree(alert)
    assert [one["to"] for one in await world.sms()] == [second.phone]
    assert closing.states == {"delivered": 1, "suppressed": 1}


async def test_an_update_takes_the_place_of_what_was_not_sent_yet(world: World) -> None:
    """Nobody gets the alert after its update; an all-clear goes to who was reached only."""
    await world.people(*crowd(3))
    await world.fault("sms", "status_429", seconds=300)
    async with world.dispatcher():
        alert = await world.alert()

        async def planned() -> bool:
            return len(await world.rows(alert)) == 3

        await until(planned)
        update = await world.alert(kind="update", references=alert, text={"nl": "Nieuw."})
        first = await world.closed(alert)
        await world.behave()
        await world.closed(update)
        over = await world.alert(kind="all_clear", references=alert, text={"nl": "Voorbij."})
        last = await world.closed(over)
        for message in (alert, update, over):
            await world.agree(message)
    assert first.states == {"cancelled": 3}
    assert last.states == {"delivered": 3}
    bodies = [one["body"] for one in await world.sms()]
    assert len([body for body in bodies if "Nieuw" in body]) == 3
    assert len([body for body in bodies if "Voorbij" in body]) == 3
    assert len(bodies) == 6


async def test_an_all_clear_stops_what_has_not_gone_out(world: World) -> None:
    """Whoever had no attempt gets neither the alert nor the all-clear."""
    await world.people(*crowd(3))
    await world.fault("sms", "status_429", seconds=300)
    async with world.dispatcher():
        alert = await world.alert()

        async def planned() -> bool:
            return len(await world.rows(alert)) == 3

        await until(planned)
        over = await world.alert(kind="all_clear", references=alert)
        assert (await world.closed(alert, seconds=60)).states == {"cancelled": 3}
        assert (await world.closed(over)).sends == 0
    assert await world.sms() == []


async def test_a_test_goes_by_the_test_account_only(world: World) -> None:
    """`status: test` never meets the real provider, whatever the network agreed to."""
    await world.people(*crowd(2))
    real = world.dispatcher().settings.twilio
    dead = real.model_copy(update={"api_url": AnyHttpUrl("http://127.0.0.1:9")})
    async with world.dispatcher(twilio=dead):
        test = await world.alert(status="test")
        closing = await world.closed(test)
    assert closing.states == {"delivered": 2}
    assert all(one["body"].startswith("TEST") for one in await world.sms())


async def test_a_bulletin_reaches_each_mailbox_once_through_whichever_network(
    world: World,
) -> None:
    """A person in two networks gets one mail; the other release says `other_network`."""
    people = crowd(3)
    twice = member("n2-x", "n2", email=people[0].email)
    alone = member("n2-y", "n2", email="n2-y@example.org", language="fr")
    refuses = member("n1-z", "n1", email="n1-z@example.org", cold_mail=False)
    await world.people(*people, twice, alone, refuses)
    bulletin = str(uuid.uuid4())
    async with world.dispatcher():
        await world.bulletin(bulletin, "n1")
        await world.closed(bulletin)
        await world.bulletin(bulletin, "n2")

        async def both() -> bool:
            return len(world.closings(bulletin)) == 2

        await until(both)
    mails = await world.mail()
    wanted = {str(one.email) for one in (*people, alone)}
    assert sorted(one["to"] for one in mails) == sorted(wanted)
    reasons = [row["reason"] for row in await world.rows(bulletin) if row["release"] == "n2"]
    assert sorted(reasons, key=str) == [None, "other_network"]
    mail = message_from_string(mails[0]["raw"], policy=policy.default)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].startswith("<https://registry.example/v1/unsubscribe/token-")
    assert mail["Reply-To"] == "coordinator@example.org"
    assert mail["Message-ID"].endswith("@bin.example>")
    html = mail.get_body(("html",))
    assert html is not None
    assert "Graveer &lt;hem&gt;." in html.get_content()
    assert "https://registry.example/v1/unsubscribe/token-" in html.get_content()


async def test_a_bulletin_waits_for_the_end_of_its_networks_quiet_hours(world: World) -> None:
    """Only there: another network's mail, and every alert, goes out at once."""
    local = datetime.now(BRUSSELS)
    begun, soon = ((local + timedelta(hours=h)).time().replace(second=0) for h in (-1, 1))
    await world.people(*crowd(2), *crowd(1, "n2"), quiet_hours=QuietHours(start=begun, end=soon))
    bulletin = str(uuid.uuid4())
    async with world.dispatcher():
        await world.bulletin(bulletin, "n1")
        await world.bulletin(bulletin, "n2")
        alert = await world.alert()
        await world.closed(alert)
        await world.closed(bulletin)

        async def put_off() -> bool:
            rows = [row for row in await world.rows(bulletin) if row["release"] == "n1"]
            later = datetime.now(UTC) + timedelta(minutes=50)
            return len(rows) == 2 and all(row["due"] > later for row in rows)

        await until(put_off)
        await asyncio.sleep(0.5)
    assert [one["to"] for one in await world.mail()] == ["n2-m0@example.org"]
    assert len(await world.sms()) == 2
