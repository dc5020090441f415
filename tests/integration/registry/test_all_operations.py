"""Random sequences of all operations by two tenants, with a crash between any two writes.

Short and seeded by default. The long form, with sequences of its own each time:
`BUURTBODE_TEST_SEQUENCES=200 pytest tests/integration/registry/test_all_operations.py`.
"""

import asyncio
import contextlib
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from services.registry.flows.ask_new_rules import ask_new_rules
from services.registry.flows.chase_bulletins import chase_bulletins
from services.registry.flows.context import Context
from services.registry.flows.end_suspensions import end_suspensions
from services.registry.flows.expire_bulletins import expire_bulletins
from services.registry.flows.remind_feedback import remind_feedback
from services.registry.flows.retain import retain
from services.registry.flows.turn_deputies import turn_deputies
from shared import pseudonyms
from shared.contracts import BulletinProposed, Erasure, Send, Verdict
from shared.contracts.base import Event
from shared.envelope import encode
from shared.outbox import OutboxPublisher
from shared.settings import MongoSettings
from shared.topics import ALERTS
from tests.integration.registry.crashes import Crash, crashing
from tests.integration.registry.harness import (
    Registry,
    add_network,
    add_zone,
    close_registry,
    make_registry,
    proposal,
    restart_registry,
)
from tests.integration.registry.history import History, check, check_step, read_history
from tests.integration.registry.operations import (
    OPERATIONS,
    SAFE_LISTS,
    Operation,
    Person,
    Target,
    Tenant,
    expect,
    nobody,
    pass_time,
)
from tests.support.memory_kafka import MemoryLog

SEQUENCES = int(os.environ.get("BUURTBODE_TEST_SEQUENCES", "0"))
JOBS: dict[str, Callable[[Context], Awaitable[bool]]] = {
    "ask": ask_new_rules,
    "chase": chase_bulletins,
    "end": end_suspensions,
    "expire": expire_bulletins,
    "remind": remind_feedback,
    "retain": retain,
    "turn": turn_deputies,
}

operations = st.sampled_from(OPERATIONS)
on_members = st.sampled_from([o for o in OPERATIONS if o.on == "member"])
relays = st.sampled_from([o for o in OPERATIONS if o.on == "bulletin"])
sides = st.sampled_from([0, 1])
picks = st.integers(0, 7)
crash_points = st.one_of(st.none(), st.integers(1, 8))


class Registries(RuleBasedStateMachine):
    """The registry, its model of the members, and the crash that may come."""

    def __init__(self, mongo: MongoSettings, folder: Path) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.mongo, self.folder = mongo, folder
        self.tenants = (
            Tenant("kornoelje", "44021", 10_000),
            Tenant("sleedoorn", "11002", 20_000),
        )
        self.messages = 0
        self.succeeded: set[str] = set()

    def run(self, work: Awaitable[Any]) -> Any:
        async def whole() -> Any:
            return await work

        return self.loop.run(whole())

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        self.registry = await make_registry(self.mongo, self.folder)
        await self.registry.client.drop_database(self.mongo.database)
        await self.registry.app.context.prepare()
        for tenant in self.tenants:
            await add_zone(self.registry, tenant.zone)
            subject = f"coordinator-{tenant.mark}"
            await add_network(self.registry, tenant.network, tenant.zone, subject)
            await self._rename(tenant, tenant.network)
            spare = f"{tenant.network}-spare"
            await add_network(self.registry, spare, tenant.zone, subject)
            await self._rename(tenant, spare)
            await self._furnish(tenant)
        await _read_topics(self.registry)
        self.history = await read_history(self.registry)
        for tenant in self.tenants:
            self._learn(tenant)

    async def _furnish(self, tenant: Tenant) -> None:
        """Have members, a proposal and a tip from the start, so that there is something to do."""
        coordinator = tenant.as_(self.registry, "coordinator")
        path = f"/networks/{tenant.network}"
        signed = {"signed_on": "2026-11-01", "witness": f"Getuige {tenant.mark}"}
        for more in ({}, {"accepted_on_paper": signed}, {"accepted_on_paper": signed}):
            await coordinator.post(f"{path}/members", 201, json=tenant.newcomer(**more))
        await self.registry.propose(self.new_proposal(tenant))
        texts = {"subject": {"nl": f"Tip {tenant.mark}"}, "body": {"nl": f"Tip {tenant.mark}."}}
        await tenant.as_(self.registry, "municipality").post(f"{path}/bulletins", 201, json=texts)

    def new_proposal(self, tenant: Tenant) -> BulletinProposed:
        texts: dict[str, Any] = {
            "subject": {"nl": f"Voorstel {tenant.mark}"},
            "body": {"nl": f"Tekst {tenant.mark}."},
            "zone_id": tenant.zone,
        }
        return proposal(self.registry, tenant.network, **texts)

    async def _rename(self, tenant: Tenant, network: str) -> None:
        """Give a network the tenant's name and municipality."""
        police, path = tenant.as_(self.registry, "police"), f"/networks/{network}"
        await police.call(
            "PATCH",
            path,
            200,
            json={"name": f"BIN {tenant.mark}", "municipality": tenant.nis},
            headers={"If-Match": (await police.raw("GET", path)).headers["ETag"]},
        )

    def teardown(self) -> None:
        if hasattr(self, "registry"):
            self.run(close_registry(self.registry))
        self.loop.close()

    # -- what is asked for over HTTP

    @rule(operation=operations, side=sides, pick=picks, at=crash_points, late=st.booleans())
    def act(self, operation: Operation, side: int, pick: int, at: int | None, late: bool) -> None:  # noqa: FBT001
        self.run(self.perform(operation, self.tenants[side], pick, at, late=late))

    @rule(operation=on_members, side=sides, pick=picks, at=crash_points, late=st.booleans())
    def act_on_a_member(
        self,
        operation: Operation,
        side: int,
        pick: int,
        at: int | None,
        late: bool,  # noqa: FBT001
    ) -> None:
        self.run(self.perform(operation, self.tenants[side], pick, at, late=late))

    @rule(operation=relays, side=sides, pick=picks, at=crash_points, late=st.booleans())
    def act_on_a_bulletin(
        self,
        operation: Operation,
        side: int,
        pick: int,
        at: int | None,
        late: bool,  # noqa: FBT001
    ) -> None:
        self.run(self.perform(operation, self.tenants[side], pick, at, late=late))

    async def perform(
        self, operation: Operation, tenant: Tenant, pick: int, at: int | None, *, late: bool
    ) -> None:
        target = self.target_of(operation, tenant, pick)
        call = operation.call(self.registry, tenant, target)
        caller = tenant.as_(self.registry, operation.who)
        with crashing(at, after_commit=late) as writes:
            try:
                answer = await caller.raw(call.method, call.path, **call.rest)
            except Crash:
                answer = None
        if answer is not None:
            assert answer.status_code < 500, (operation.name, answer.text)
            assert answer.status_code != 401
            self._check_no_leak(tenant, answer.text)
            if answer.status_code < 400:
                self.succeeded.add(operation.name)
        done = answer is not None or writes.committed > 0
        await self._settle(operation, tenant, target, answer, done=done)
        if answer is None:
            self.registry = await restart_registry(self.registry, writes.left_open)
            self.history = await self._read()

    async def _settle(
        self, operation: Operation, tenant: Tenant, target: Target, answer: Any, *, done: bool
    ) -> None:
        """Compare with the model; who was added is learnt from the rows, by their names."""
        before, self.history = self.history, await self._read()
        check_step(before, self.history)
        if not done or (answer is not None and answer.status_code >= 400):
            assert self.history.rows == before.rows, f"{operation.name}: half of it was stored"
        if not done:
            assert self.history.events.keys() == before.events.keys()
            return
        person = tenant.people.get(target.member)
        if operation.on == "member" and person is not None and operation.name in _MODELLED:
            wanted = expect(operation.name, person, self.registry.time.now)
            if answer is not None:
                assert answer.status_code == wanted, (operation.name, answer.text)
        self._learn(tenant)

    def _learn(self, tenant: Tenant) -> None:
        for member_id, row in self.history.rows["members"].items():
            if row["zone_id"] != tenant.zone or member_id in tenant.people:
                continue
            assert row["state"] in {"pending", "active"}
            tenant.people[member_id] = Person(row["state"], row["created_at"])
            tenant.links[f"accept:{member_id}"] = row["accept_token"]
            tenant.links[f"stop:{member_id}"] = row["unsubscribe_token"]

    # -- what one may not see

    @rule(operation=operations, side=sides, pick=picks, mixed=st.booleans())
    def pry(self, operation: Operation, side: int, pick: int, mixed: bool) -> None:  # noqa: FBT001
        """Ask for what is the other tenant's; with `mixed`, under the path of an own network."""
        if operation.name in SAFE_LISTS or operation.who == "public":
            return
        self.run(self._pry(operation, self.tenants[side], self.tenants[1 - side], pick, mixed))

    async def _pry(
        self,
        operation: Operation,
        caller: Tenant,
        other: Tenant,
        pick: int,
        mixed: bool,  # noqa: FBT001
    ) -> None:
        target = self.target_of(operation, other, pick)
        if mixed and operation.on in {"member", "bulletin", "meeting", "coordinator"}:
            target = replace(target, tenant=caller, network=caller.network)
        call = operation.call(self.registry, caller, target)
        answer = await caller.as_(self.registry, operation.who).raw(
            call.method, call.path, **call.rest
        )
        steered = operation.name == "steer" and target.network == caller.network
        assert answer.status_code == (422 if steered else 404), (operation.name, answer.text)
        assert other.mark not in answer.text
        after = await self._read()
        assert after.rows == self.history.rows
        assert after.events.keys() == self.history.events.keys()

    def _check_no_leak(self, tenant: Tenant, text: str) -> None:
        other = self.tenants[1 - self.tenants.index(tenant)]
        assert other.mark not in text
        assert not any(member_id in text for member_id in other.people)

    # -- what comes by a topic, by the clock, and from an operator

    @rule(side=sides, at=crash_points, late=st.booleans())
    def propose(self, side: int, at: int | None, late: bool) -> None:  # noqa: FBT001
        wanted = self.new_proposal(self.tenants[side])
        self.run(self.registry.propose(wanted))
        self.run(self.read_on(at, late=late))

    @rule(side=sides, pick=picks, what=st.sampled_from(["alert", "stop", "erasure"]))
    def hear(self, side: int, pick: int, what: str) -> None:
        self.run(self.heard(self.tenants[side], pick, what))

    async def heard(self, tenant: Tenant, pick: int, what: str) -> None:
        event = self._event(tenant, pick, what)
        if event is None:
            return
        self.messages += 1
        outgoing = encode(
            event, ce_id=f"ce-{self.messages}", source="test", time=self.registry.time.now
        )
        await self.registry.cluster.append(outgoing)
        await self.read_on(None, late=False)

    def _event(self, tenant: Tenant, pick: int, what: str) -> Event | None:
        now = self.registry.time.now
        if what == "alert":
            alert = _alert(tenant, now)
            tenant.alerts.append(str(alert.message_id))
            return alert
        member_id = _nth(sorted(tenant.people), pick)
        if member_id is None:
            return None
        if what == "stop":
            return _stop(self.registry, tenant, self.history, member_id)
        ordered = [e for e in self.history.of(Erasure) if e.member_id == member_id]
        return ordered[0] if ordered else None

    @rule(at=crash_points, late=st.booleans())
    def consume(self, at: int | None, late: bool) -> None:  # noqa: FBT001
        self.run(self.read_on(at, late=late))

    async def read_on(self, at: int | None, *, late: bool) -> None:
        await self._crash_then_do(_read_topics, at, late=late)

    @rule(job=st.sampled_from(sorted(JOBS)), at=crash_points, late=st.booleans())
    def work(self, job: str, at: int | None, late: bool) -> None:  # noqa: FBT001
        async def once(registry: Registry) -> None:
            while await JOBS[job](registry.app.context):
                pass

        self.run(self._crash_then_do(once, at, late=late))

    @rule(hours=st.sampled_from([1, 13, 25, 24 * 15, 24 * 61, 24 * 91]), run=st.booleans())
    def wait(self, hours: int, run: bool) -> None:  # noqa: FBT001
        self.registry.time.advance(hours=hours)
        pseudonyms.rotate(
            self.registry.ring, [t.zone for t in self.tenants], self.registry.time.now.year
        )
        if run:
            self.run(self._crash_then_do(_all_jobs, None, late=False))

    @rule(at=crash_points)
    def publish(self, at: int | None) -> None:
        self.run(self._crash_then_do(_publish, at, late=False))

    async def _crash_then_do(
        self, once: Callable[[Registry], Awaitable[None]], at: int | None, *, late: bool
    ) -> None:
        """Do what a service repeats by itself: a crash costs nothing but the time."""
        with crashing(at, after_commit=late) as writes, contextlib.suppress(Crash):
            await once(self.registry)
        if writes.crashed:
            self.registry = await restart_registry(self.registry, writes.left_open)
            check(await self._read(), self.registry)
            await once(self.registry)
        before, self.history = self.history, await self._read()
        check_step(before, self.history)
        self._note_what_time_did(before)

    def _note_what_time_did(self, before: History) -> None:
        """Move the model along, where a job did what was due."""
        now = self.registry.time.now
        for tenant in self.tenants:
            for member_id, person in tenant.people.items():
                due = Person(**vars(person))
                pass_time(due, now)
                row = self.history.rows["members"].get(member_id)
                if before.rows["members"].get(member_id) != row and _is(row, due):
                    tenant.people[member_id] = due

    @rule(topic=st.sampled_from(["bin.zones", "bin.networks", "bin.members", "bin.erasures"]))
    def republish(self, topic: str) -> None:
        self.run(self._republish_alone(topic))

    @rule(operation=operations, side=sides, pick=picks)
    def race(self, operation: Operation, side: int, pick: int) -> None:
        """Change something while everything is sent again."""
        self.run(self._race(operation, self.tenants[side], pick))

    async def _race(self, operation: Operation, tenant: Tenant, pick: int) -> None:
        target = self.target_of(operation, tenant, pick)
        call = operation.call(self.registry, tenant, target)
        caller = tenant.as_(self.registry, operation.who)
        answer, *_ = await asyncio.gather(
            caller.raw(call.method, call.path, **call.rest),
            self._republish("bin.members"),
            self._republish("bin.networks"),
            self._republish("bin.zones"),
        )
        assert answer.status_code < 500, (operation.name, answer.text)
        await self._settle(operation, tenant, target, answer, done=True)

    async def _republish_alone(self, topic: str) -> None:
        await self._republish(topic)
        before, self.history = self.history, await self._read()
        assert self.history.rows == before.rows

    async def _republish(self, topic: str) -> None:
        cursor: str | None = None
        while True:
            params = {"topic": topic} | ({} if cursor is None else {"cursor": cursor})
            page = await self.registry.operator.post("/republish", params=params)
            cursor = page["next"]
            if cursor is None:
                return

    # -- what always holds

    @invariant()
    def everything_holds(self) -> None:
        if not hasattr(self, "history"):
            return
        check(self.history, self.registry)
        rows = self.history.rows["members"]
        for tenant in self.tenants:
            for member_id, person in tenant.people.items():
                assert _is(rows.get(member_id), person), person

    async def _read(self) -> History:
        return await read_history(self.registry, self.history)

    # -- choosing

    def target_of(self, operation: Operation, tenant: Tenant, pick: int) -> Target:
        """Choose what an operation is done to, of all that the tenant has."""
        rows = self.history.rows
        mine = {
            name: sorted(k for k, row in rows[name].items() if row["zone_id"] == tenant.zone)
            for name in ("networks", "members", "bulletins", "meetings")
        }
        networks = [n for n in mine["networks"] if n != tenant.network] or [nobody()]
        network = tenant.network
        if operation.name in _ON_ANY_NETWORK:
            network = networks[pick % len(networks)]
        member = _nth(sorted(tenant.people), pick) or nobody()
        bulletin = _nth(mine["bulletins"], -1 - pick)
        meeting = _nth(mine["meetings"], pick)
        extra = [
            c["coordinator_id"]
            for c in rows["networks"][tenant.network]["coordinators"]
            if c["subject"].startswith("extra-")
        ]
        keys = [k["kid"] for k in rows["zones"][tenant.zone]["keys"] if k["kid"] != "key-1"]
        row = {
            "member": rows["members"].get(member),
            "network": rows["networks"].get(network),
            "zone": rows["zones"][tenant.zone],
            "meeting": rows["meetings"].get(meeting or ""),
        }.get(operation.on)
        return Target(
            tenant=tenant,
            network=network,
            member=member,
            bulletin=nobody() if bulletin is None else rows["bulletins"][bulletin]["bulletin_id"],
            meeting=meeting or nobody(),
            coordinator=_nth(extra, pick) or nobody(),
            key=_nth(keys, pick) or "key-unknown",
            alert=_nth(tenant.alerts, -1 - pick) or nobody(),
            rules=int(rows["networks"][tenant.network]["documents"]["house_rules"]),
            version=1 if row is None else int(row["version"]),
            network_version=int(rows["networks"][network]["version"]),
        )


_ON_ANY_NETWORK = {"dissolve", "suspend_network"}
"""Of a tenant's other networks, so that there is always one in which things happen."""

_MODELLED = {
    "edit",
    "accept",
    "leave",
    "reprimand",
    "suspend",
    "reinstate",
    "exclude",
    "restrict",
    "lift",
    "erase",
    "accept_by_link",
    "one_click",
    "leave_by_link",
}


def _is(row: dict[str, Any] | None, person: Person) -> bool:
    return person.state == "erased" if row is None else _facts(row) == person.facts()


def _facts(row: dict[str, Any]) -> tuple[object, ...]:
    names = ("state", "cold_mail", "restricted", "suspended_until", "left_at")
    return tuple(row[name] for name in names)


def _nth(items: list[str], at: int) -> str | None:
    return items[at % len(items)] if items else None


def _alert(tenant: Tenant, now: Any) -> Verdict:
    alert_id = nobody()
    return Verdict.model_validate(
        {
            "event_id": f"verdict-{alert_id}",
            "ce_id": "ce-1",
            "original": {"topic": ALERTS.name, "partition": 0, "offset": 1, "sha256": "0" * 64},
            "zone_id": tenant.zone,
            "message_type": "alert",
            "message_id": alert_id,
            "kind": "alert",
            "status": "actual",
            "network_ids": [tenant.network],
            "verdict": "accepted",
            "explanation": "Accepted for 1 network.",
            "judged_at": now,
        }
    )


def _stop(registry: Registry, tenant: Tenant, history: History, member_id: str) -> Send | None:
    row = history.rows["members"].get(member_id)
    if row is None or row["phone"] is None:
        return None
    year = registry.time.now.year
    return Send.model_validate(
        {
            "zone_id": tenant.zone,
            "event_id": nobody(),
            "send_id": nobody(),
            "seq": 1,
            "message_id": nobody(),
            "message_type": "alert",
            "network_ids": [tenant.network],
            "member_ids": [member_id],
            "recipient": registry.app.context.keys.pseudonym(tenant.zone, year, row["phone"]),
            "recipient_year": year,
            "lane": "warm",
            "channel": "sms",
            "state": "failed",
            "reason": "stopped",
            "attempt": 1,
            "language": "nl",
            "template": "alert",
            "segments": 1,
            "basis": {"legal": "x"},
            "time": registry.time.now,
        }
    )


async def _read_topics(registry: Registry) -> None:
    await registry.catch_up()


async def _all_jobs(registry: Registry) -> None:
    for job in JOBS.values():
        while await job(registry.app.context):
            pass


async def _publish(registry: Registry) -> None:
    """Publish all that waits; a crash comes between Kafka's acknowledgement and forgetting it."""
    outbox, log = registry.app.context.outbox, MemoryLog(registry.cluster)
    publisher = OutboxPublisher(outbox, log, registry.database, "test")
    while await publisher.publish_once():
        pass


def test_two_tenants_never_mix_and_every_change_has_its_event_whatever_crashes(
    mongo_database: MongoSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules text: "random sequences of all operations with two tenants against a model"."""
    monkeypatch.setattr("services.registry.flows.republish.PAGE", 3)

    class Prepared(Registries):
        def __init__(self) -> None:
            super().__init__(mongo_database, tmp_path)

    run_state_machine_as_test(
        Prepared,
        settings=settings(
            max_examples=SEQUENCES or 4,
            stateful_step_count=60 if SEQUENCES else 50,
            derandomize=not SEQUENCES,
            database=None,
            deadline=None,
            # shrinking takes minutes, so that only the time limit would be told of a fault
            phases=[Phase.generate, Phase.shrink] if SEQUENCES else [Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


MUTATING = {"post", "put", "patch", "delete"}
NO_TENANTS = {
    "POST /v1/zones",
    "POST /v1/republish",
    "POST /v1/recover",
    "POST /v1/dead-letters/{letter_id}/replay",
    "POST /v1/dead-letters/{letter_id}/drop",
}
"""What an operator does, or what makes a tenant: `republish` is a rule, the others have tests."""

FIRST: dict[str, tuple[str, ...]] = {
    "accept": ("invite",),
    "accept_by_link": ("invite",),
    "suspend": ("add",),
    "reinstate": ("add", "suspend"),
    "lift": ("restrict",),
    "adopt": ("suggest",),
    "decline": ("suggest",),
    "move_meeting": ("call_meeting",),
    "cancel_meeting": ("call_meeting",),
    "report_meeting": ("call_meeting",),
    "screen": ("coordinate",),
    "deputise": ("coordinate", "screen"),
    "remove": ("coordinate",),
    "confirm": ("enrol",),
    "revoke": ("enrol",),
    "dissolve": ("found",),
}
"""What has to be done before an operation can succeed."""


def test_the_operations_are_all_that_change_something_and_each_can_succeed(
    mongo_database: MongoSettings, tmp_path: Path
) -> None:
    """One that is missing, or always refused, would make the random sequences prove little."""
    machine = Registries(mongo_database, tmp_path)
    try:
        machine.begin()
        tenant = machine.tenants[0]
        documented = machine.registry.app.http.openapi()["paths"]
        changing = {
            f"{method.upper()} {path}"
            for path, methods in documented.items()
            for method in MUTATING & methods.keys()
        }
        assert {_route(machine, o, changing) for o in OPERATIONS} - {None} == changing - NO_TENANTS

        named = {operation.name: operation for operation in OPERATIONS}
        machine.run(machine.heard(tenant, 0, "alert"))
        for operation in OPERATIONS:
            machine.run(_succeed(machine, tenant, operation, named))
        assert named.keys() - machine.succeeded == REFUSED
    finally:
        machine.teardown()


REFUSED = {"import_twice"}
"""What is there to be refused."""


async def _succeed(
    machine: Registries, tenant: Tenant, operation: Operation, named: dict[str, Operation]
) -> None:
    """Do what an operation needs, and then the operation on one thing after another."""
    if operation.name in {"release", "return", "withdraw"}:
        await machine.registry.propose(machine.new_proposal(tenant))
        await machine.read_on(None, late=False)
    for name in (*FIRST.get(operation.name, ()), operation.name):
        if name == "report_meeting":
            machine.registry.time.advance(days=4)
        for pick in range(12):
            machine.succeeded.discard(name)
            await machine.perform(named[name], tenant, pick, None, late=False)
            check(machine.history, machine.registry)
            if name in machine.succeeded:
                break


def _route(machine: Registries, operation: Operation, changing: set[str]) -> str | None:
    """Give the documented route that an operation asks for; None for one that only reads."""
    tenant = machine.tenants[0]
    call = operation.call(machine.registry, tenant, machine.target_of(operation, tenant, 0))
    asked = f"{call.method} /v1{call.path.partition('?')[0]}"
    if call.method == "GET":
        return None
    fits = [route for route in changing if re.fullmatch(re.sub(r"{[^}]+}", "[^/]+", route), asked)]
    return min(fits, key=lambda route: route.count("{"))
