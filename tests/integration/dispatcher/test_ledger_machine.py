"""The ledger against a model: any order of crashes, stalls, time-outs, receipts and hours.

Hypothesis drives two processes step by step on a real database, each of which may stop anywhere.
The model is the provider: what it took is the truth that the ledger has to arrive at.
"""

import asyncio
import os
import uuid
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.dispatcher.domain.ledger import Patience, Row
from services.dispatcher.domain.permission import may_begin
from services.dispatcher.domain.states import TRANSITIONS
from services.dispatcher.flows.claim_sends import ClaimSends, Ready
from services.dispatcher.flows.expire_sends import ExpireSends
from services.dispatcher.flows.reconcile_unknown import ReconcileUnknown
from services.dispatcher.flows.record_outcomes import RecordOutcomes
from services.dispatcher.flows.recover_leases import RecoverLeases
from services.dispatcher.flows.take_receipt import TakeReceipt
from services.dispatcher.senders.base import (
    Accepted,
    Delivery,
    Failed,
    Known,
    NotSent,
    Outcome,
    Senders,
    TooLate,
    Unknown,
    attempt_id,
)
from services.dispatcher.store.closings import Closings
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.mailboxes import Mailboxes
from services.dispatcher.store.messages import Messages
from shared.contracts import Send
from shared.contracts.base import Channel, Lane, SendState
from shared.mongo import Client, connect, transaction
from shared.mongo import database as open_database
from shared.settings import MongoSettings
from tests.integration.dispatcher.test_ledger import KEY, message, sends
from tests.support.dispatcher import Hands, member

EXAMPLES = int(os.environ.get("BUURTBODE_TEST_EXAMPLES", "10"))
"""A quick look in every run; `BUURTBODE_TEST_EXAMPLES=500` for a change of the ledger."""

SENDS = 4
LEASE = timedelta(seconds=30)
SECOND_AFTER = timedelta(seconds=60)
ANSWERS = ("taken", "taken, answer lost", "lost", "refused", "throttled", "too late")
STATUSES = ("sent", "delivered", "undelivered")
LEGAL = {
    (before, after)
    for changes in TRANSITIONS.values()
    for before, afters in changes.items()
    for after in afters
}
T = TypeVar("T")


class Taken(NamedTuple):
    """A message that the provider has."""

    send_id: str
    number: int
    reference: str
    at: datetime


@dataclass
class ModelProvider:
    """What the provider took; a `Sender` as far as reconciliation asks."""

    now: Callable[[], datetime]
    taken: list[Taken] = field(default_factory=list[Taken])
    name: str = "model"
    concurrency: int = 10
    rate: float = 1000.0
    rate_each: float | None = None
    longest: timedelta = LEASE

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return

    async def send(self, delivery: Delivery) -> Outcome:
        raise NotImplementedError(delivery.attempt_id)  # the machine decides when a request goes

    def take(self, row: Row) -> str:
        reference = f"SM{len(self.taken)}"
        assert self.now() < row.expires_at
        self.taken.append(Taken(row.send_id, len(row.attempts), reference, self.now()))
        return reference

    async def find(self, delivery: Delivery, since: datetime) -> list[Known]:
        return [
            Known(one.reference, SendState.ACCEPTED, None, one.at)
            for one in self.taken
            if one.send_id == delivery.row.send_id and one.at >= since
        ]

    async def fetch(self, reference: str) -> Known | None:
        return Known(reference, SendState.ACCEPTED, None, None)

    async def forget(self, reference: str) -> None:
        raise NotImplementedError(reference)


class Started(NamedTuple):
    """A row that is `attempting`, with when it was checked and written, on the hands' clock."""

    row: Row
    checked: datetime
    written: datetime


@dataclass
class Process:
    """What a dispatcher process has in its memory: gone when it crashes."""

    claims: ClaimSends
    outcomes: RecordOutcomes
    ready: list[Ready] = field(default_factory=list[Ready])
    checked: datetime | None = None
    """When those were checked."""

    started: list[Started] = field(default_factory=list[Started])


class LedgerMachine(RuleBasedStateMachine):
    """Two processes, one ledger, one provider."""

    mongo: MongoSettings

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.hands = Hands()
        self.provider = ModelProvider(lambda: self.hands.at)
        self.topic: dict[str, bytes] = {}
        self.per_send: dict[str, dict[int, Send]] = defaultdict(dict)
        self.run(self._open())

    def run(self, what: Awaitable[T]) -> T:
        async def go() -> T:
            return await what

        return self.runner.run(go())

    async def _open(self) -> None:
        name = f"machine_{uuid.uuid4().hex[:12]}"
        self.client: Client = connect(self.mongo, "machine")
        database = self.database = open_database(self.client, name)
        clock = self.hands.clock
        messages, copy = Messages(database), Copy(database)
        self.ledger = Ledger(database, clock, messages.get, Patience(look_back=timedelta(0)))
        await self.ledger.prepare()
        await copy.prepare()
        closings = Closings(database)
        await closings.prepare()
        one = message()
        self.over = one.expires_at
        people = [member(f"m{n}", "n1", phone=f"+32450{n:07d}") for n in range(SENDS)]
        await transaction(self.client, lambda session: messages.add(session, one))
        await transaction(self.client, lambda session: copy.apply_members(session, people))
        await self.ledger.plans.add(None, sends(SENDS))
        await self.ledger.plans.make_sendable(KEY, 1)
        senders = Senders(self.provider, self.provider, self.provider, self.provider)
        self.reconciling = ReconcileUnknown(
            ledger=self.ledger,
            messages=messages,
            senders=senders,
            clock=clock,
            reconcile_after=timedelta(seconds=5),
            second_attempt_after=SECOND_AFTER,
        )
        self.recovering = RecoverLeases(ledger=self.ledger, clock=clock)
        self.expiring = ExpireSends(ledger=self.ledger, closings=closings, clock=clock)
        self.receipts = TakeReceipt(ledger=self.ledger, clock=clock)

        mailboxes = Mailboxes(self.database)

        def process() -> Process:
            claims = ClaimSends(
                lane=Lane.WARM,
                channel=Channel.SMS,
                ledger=self.ledger,
                messages=messages,
                copy=copy,
                mailboxes=mailboxes,
                clock=clock,
                lease=LEASE,
                unknown_patience=SECOND_AFTER + LEASE,
            )
            outcomes = RecordOutcomes(
                ledger=self.ledger,
                mailboxes=mailboxes,
                clock=clock,
                random=lambda low, high: (low + high) / 2,
            )
            return Process(claims, outcomes)

        self.make_process = process
        self.processes = [process(), process()]

    # ---- what processes do

    @rule(who=st.integers(0, 1), most=st.integers(1, SENDS))
    def claims(self, who: int, most: int) -> None:
        process = self.processes[who]
        # a second claim does not make the first one's check any younger
        process.checked = process.checked if process.ready else self.hands.at
        process.ready += self.run(process.claims.claim(most))[1]

    @rule(who=st.integers(0, 1))
    def starts(self, who: int) -> None:
        """Write `attempting`: every earlier attempt was provably not sent, or is unknown, once."""
        process = self.processes[who]
        rows = [one.row for one in process.ready]
        process.ready = []
        checked, written = process.checked or self.hands.at, self.hands.at
        for row in self.run(self.ledger.claims.start(rows, LEASE)):
            earlier = Counter(attempt.state for attempt in row.attempts[:-1])
            assert set(earlier) <= {SendState.PLANNED, SendState.UNKNOWN}, earlier
            assert earlier[SendState.UNKNOWN] <= 1
            assert row.attempts[-1].flagged == (earlier[SendState.UNKNOWN] == 1) or row.flagged
            process.started.append(Started(row, checked, written))

    @precondition(lambda self: any(one.started for one in self.processes))
    @rule(data=st.data(), answer=st.sampled_from(ANSWERS))
    def requests(self, data: st.DataObject, answer: str) -> None:
        """One request goes out, or does not; its outcome is in the process's memory only."""
        process = data.draw(st.sampled_from([one for one in self.processes if one.started]))
        one = process.started.pop(data.draw(st.integers(0, len(process.started) - 1)))
        row = one.row
        if not may_begin(
            row.expires_at,
            self.hands.at,
            since_check=(self.hands.at - one.checked).total_seconds(),
            since_written=(self.hands.at - one.written).total_seconds(),
        ):
            answer = "too late"
        reference = self.provider.take(row) if answer.startswith("taken") else None
        outcome: Outcome
        match answer:
            case "taken":
                outcome = Accepted(reference)
            case "refused":
                outcome = Failed("blocked")
            case "throttled":
                outcome = NotSent("rate_limited", timedelta(seconds=1), everyone=True)
            case "too late":
                outcome = TooLate()
            case _:
                outcome = Unknown("timed_out")
        process.outcomes.add(row, outcome)

    @rule(who=st.integers(0, 1))
    def records(self, who: int) -> None:
        self.run(self.processes[who].outcomes.flush())

    @rule(who=st.integers(0, 1))
    def crashes(self, who: int) -> None:
        self.processes[who] = self.make_process()

    @rule(who=st.integers(0, 1))
    def releases(self, who: int) -> None:
        process = self.processes[who]
        back = [(one.row, timedelta(0)) for one in process.ready]
        self.run(process.claims.release(back))
        process.ready = []

    # ---- what happens around them

    @rule()
    def leases_end(self) -> None:
        """The database's clock passes all leases; who held them may only be stalled."""
        past = [{"$set": {"lease": -1000}}]
        self.run(self.database["sends"].update_many({"held": {"$exists": True}}, past))

    @rule()
    def recovers(self) -> None:
        self.run(self.recovering.once())

    @rule()
    def reconciles(self) -> None:
        self.run(self.reconciling.once())

    @rule(seconds=st.sampled_from([1, 6, 61, 601]))
    def time_passes(self, seconds: int) -> None:
        self.hands.forward(timedelta(seconds=seconds))

    @rule()
    def expires(self) -> None:
        self.run(self.expiring.once())

    @rule()
    def is_cancelled(self) -> None:
        self.run(self.ledger.plans.cancel_planned(None, KEY, "all_clear"))

    @precondition(lambda self: self.provider.taken)
    @rule(data=st.data(), status=st.sampled_from(STATUSES))
    def reports(self, data: st.DataObject, status: str) -> None:
        """A receipt comes: any, in any order, as often as it likes."""
        one = data.draw(st.sampled_from(self.provider.taken))
        name = attempt_id(one.send_id, one.number)
        code = 30003 if status == "undelivered" else None
        assert self.run(self.receipts.take(name, status, one.reference, code))

    @rule(acknowledged=st.booleans())
    def publishes(self, *, acknowledged: bool) -> None:
        """Events reach the topic; the process may die before it notes that."""
        waiting = self.run(self.ledger.events.unpublished(100))
        for item in waiting:
            for event_id, _, value in item.events:
                assert self.topic.setdefault(event_id, value) == value
                event = Send.from_json(value)
                self.per_send[event.send_id][event.seq] = event
        if acknowledged:
            self.run(self.ledger.events.acknowledged(waiting))

    # ---- what must hold at any moment

    @invariant()
    def every_change_has_its_event(self) -> None:
        for row in self._stored():
            events = [Send.from_json(bytes(one["value"])) for one in row.get("events", [])]
            assert [event.seq for event in events] == list(range(1, row["seq"] + 1))
            path = [SendState.PLANNED]
            for event in events:
                silent = [one.state for one in event.before]
                path += [*(silent[1:] if path == [SendState.PLANNED] else silent), event.state]
            path += [SendState(one["state"]) for one in row["silent"]]
            start = 1 if not events and row["silent"] else 0
            steps = set(zip(path[start:], path[start + 1 :], strict=False))
            assert steps <= LEGAL, steps - LEGAL
            assert str(path[-1]) == row["state"]

    @invariant()
    def nobody_gets_two_unflagged(self) -> None:
        times = Counter(one.send_id for one in self.provider.taken)
        flagged = {
            row["_id"]: any(attempt["flagged"] for attempt in row["attempts"])
            for row in self._stored()
        }
        for send_id, count in times.items():
            assert count <= 1 + flagged[send_id]

    def _stored(self) -> list[dict[str, Any]]:
        async def read() -> list[dict[str, Any]]:
            return await self.database["sends"].find({}).to_list()

        return self.run(read())

    # ---- how every story ends

    def teardown(self) -> None:
        """Let all wake, and time pass: ledger, provider and topic then say the same."""
        try:
            self._comes_to_rest()
        finally:
            self.run(self._close())
            self.runner.close()

    def _comes_to_rest(self) -> None:
        for process in self.processes:
            self.run(process.outcomes.flush())
        self.hands.at = max(self.hands.at, self.over)
        for _ in range(6):
            self.leases_end()
            self.recovers()
            self.expires()
            for process in self.processes:
                assert self.run(process.claims.claim(SENDS))[1] == []
            self.reconciles()
            self.hands.forward(timedelta(minutes=10))
        self.publishes(acknowledged=True)
        self.every_change_has_its_event()
        taken = {one.send_id for one in self.provider.taken}
        through = {SendState.ACCEPTED, SendState.DELIVERED, SendState.UNDELIVERED}
        for row in self._stored():
            assert row["settled"], row["state"]
            assert (SendState(row["state"]) in through) == (row["_id"] in taken), row["state"]
            events = self.per_send[row["_id"]]
            assert sorted(events) == list(range(1, row["seq"] + 1))
            assert str(events[row["seq"]].state) == row["state"]

    async def _close(self) -> None:
        await self.client.drop_database(self.database.name)
        await self.client.close()


def test_whatever_happens_ledger_provider_and_topic_end_up_the_same(
    mongo_database: MongoSettings,
) -> None:
    """No send is lost, none goes twice unflagged, no change is without its event."""
    LedgerMachine.mongo = mongo_database
    machine: Any = LedgerMachine.TestCase
    machine.settings = settings(
        max_examples=EXAMPLES,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    machine("runTest").runTest()
