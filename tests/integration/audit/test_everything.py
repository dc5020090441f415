"""Everything that happens to a message, or to who may send one, is an entry of its zone's log."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, get_args

import orjson

from services.audit.consumers import LOGGED
from shared.contracts import (
    EVENTS,
    Access,
    Alert,
    Bulletin,
    BulletinProposed,
    CoverageAlarm,
    Erasure,
    Event,
    MessageClosed,
    MessagePlanned,
    Network,
    Notice,
    Send,
    Verdict,
    Zone,
)
from shared.contracts.base import (
    SILENT_STATES,
    BulletinKind,
    MessageType,
    SendState,
    Status,
)
from shared.contracts.common import AccessKind
from shared.contracts.dispatcher import Basis, Original, Reason, SilentChange, VerdictKind
from shared.contracts.registry import LegalBasis, PublisherKey, RoleInNetwork
from shared.kafka import Outgoing
from tests.integration.audit import rows
from tests.integration.audit.test_whole_path import ALERT, closed, planned, publish_alert
from tests.integration.audit.world import MESSAGE, NOW, World, send, until

OTHER = "7f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90"
BASIS = Basis(
    legal="police-act-1992-art-44",
    house_rules={"bin-linde": 3},
    communication_plan={"bin-linde": 2},
)


class Told(NamedTuple):
    """What an entry tells, apart from ids and times."""

    type: str
    state: str | None
    reason: str | None
    message_id: str | None


def verdicts() -> list[tuple[Event, list[Told]]]:
    cases: list[tuple[VerdictKind, Reason | None]] = [
        (VerdictKind.ACCEPTED, None),
        (VerdictKind.DUPLICATE, Reason.ID_TAKEN),
        (VerdictKind.EXPIRED, Reason.EXPIRED),
        *[(VerdictKind.REFUSED, reason) for reason in Reason],
    ]
    return [(verdict(n, *case), [said(*case)]) for n, case in enumerate(cases, start=100)]


def said(kind: VerdictKind, reason: Reason | None) -> Told:
    return Told("verdict", kind.value, None if reason is None else reason.value, OTHER)


def verdict(number: int, kind: VerdictKind, reason: Reason | None) -> Verdict:
    return Verdict(
        event_id=f"verdict-{number}",
        ce_id=None,
        original=Original(topic="bin.alerts", partition=0, offset=number, sha256="0" * 64),
        zone_id="demo",
        message_type=MessageType.BULLETIN,
        message_id=OTHER,
        verdict=kind,
        reason=reason,
        explanation="What happened and what to do.",
        judged_at=NOW,
    )


def sends() -> list[tuple[Event, list[Told]]]:
    silent = tuple(SilentChange(state=state, at=NOW, attempt=1) for state in sorted(SILENT_STATES))
    return [
        (
            send(number, state=state).model_copy(
                update={"basis": BASIS, "reason": "some_code", "before": silent}
            ),
            [Told("send", state.value, "some_code", MESSAGE)],
        )
        for number, state in enumerate(state for state in SendState if state not in SILENT_STATES)
    ]


def accesses() -> list[tuple[Event, list[Told]]]:
    actions = {
        "bulletin": [
            *("suggest", "adopt", "decline", "wait", "remind", "escalate"),
            *("release", "return", "withdraw", "expire", "sent"),
        ],
        "key": ["enrol", "confirm", "revoke"],
        "replay": ["replay"],
    }
    made: list[tuple[Event, list[Told]]] = []
    for kind in get_args(AccessKind):
        for action in actions.get(kind, ["some"]):
            event = Access(
                event_id=f"access-{kind}-{action}",
                zone_id="demo",
                service="registry",
                kind=kind,
                action=f"{kind}.{action}",
                actor="a" * 64,
                reader="coordinator-1",
                message_id=OTHER,
                reason="why",
                time=NOW,
            )
            made.append((event, [Told("access", kind, f"{kind}.{action}", OTHER)]))
    return made


def key(**changes: Any) -> PublisherKey:
    whole: dict[str, Any] = {
        "kid": "key-1",
        "jwk": {"kty": "OKP"},
        "officer_id": "officer-1",
        "nbf": NOW,
        "exp": NOW + timedelta(days=365),
        "enrolled_by": "admin-1",
    }
    return PublisherKey.model_validate({**whole, **changes})


def zones() -> list[tuple[Event, list[Told]]]:
    confirmed = {"confirmed_by": "police-2", "confirmed_at": NOW}
    keys = {
        "enrolled": key(),
        "confirmed": key(**confirmed),
        "revoked": key(**confirmed, revoked_at=NOW),
    }
    basis = LegalBasis(warm="a", cold="b")
    return [
        (
            Zone(zone_id="demo", version=version, name="Demo", legal_basis=basis, keys=(made,)),
            [Told("key", state, None, None)],
        )
        for version, (state, made) in enumerate(keys.items(), start=1)
    ]


def released() -> Bulletin:
    return Bulletin(
        zone_id="demo",
        bulletin_id=OTHER,
        network_id="bin-linde",
        kind=BulletinKind.PREVENTION,
        status=Status.ACTUAL,
        subject={"nl": "Fietsen"},
        body={"nl": "Graveer uw fiets."},
        issued_by="officer-1",
        released_by="b" * 64,
        released_at=datetime.now(UTC),  # closed within 25 hours of it, or an alarm is raised
        expires_at=NOW + timedelta(days=36_500),
    )


NOTICE = Notice(
    notice_id="8f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90",
    zone_id="demo",
    to_role=RoleInNetwork(role="coordinator", network_id="bin-linde"),
    template="bulletin_waiting",
    issued_at=NOW,
    expires_at=NOW + timedelta(days=36_500),
)
ALARM = CoverageAlarm(
    event_id="alarm-1",
    zone_id="demo",
    message_id=MESSAGE,
    message_type=MessageType.ALERT,
    network_ids=("bin-linde",),
    owed=20,
    accepted=10,
    threshold=0.95,
    within_seconds=60,
    raised_at=NOW,
)
ERASURE = Erasure(erasure_id="erasure-1", member_id="gone", zone_id="demo", erased_at=NOW)
TABLE: dict[type[Event], list[tuple[Event, list[Told]]]] = {
    Verdict: verdicts(),
    Send: sends(),
    MessagePlanned: [(planned(), [Told("planned", None, None, MESSAGE)])],
    MessageClosed: [
        (
            closed([item.event_id for item, _ in sends() if isinstance(item, Send)], 9),
            [Told("closed", None, None, MESSAGE), Told("answer", "agreed", None, MESSAGE)],
        ),
        (
            closed(["never came"], 1, 2).model_copy(update={"message_id": OTHER}),
            [
                Told("closed", None, None, OTHER),
                Told("answer", "resend", "closing_differs", OTHER),
            ],
        ),
    ],
    CoverageAlarm: [(ALARM, [Told("alarm", "raised", "low_coverage", MESSAGE)])],
    Bulletin: [(released(), [Told("bulletin", "released", None, OTHER)])],
    Notice: [(NOTICE, [Told("notice", None, None, NOTICE.notice_id)])],
    Access: accesses(),
    Zone: zones(),
    Erasure: [
        (
            ERASURE,
            [
                Told("erasure", None, None, None),
                Told("access", "erasure", "erasure.applied", None),
            ],
        )
    ],
    # names for the counters; who changed what in a network comes as an access
    Network: [],
}


def test_every_event_that_the_audit_service_reads_has_its_entries_in_the_table() -> None:
    read = {event for event in EVENTS if getattr(event, "TOPIC", None) is not None}
    police = {Alert, BulletinProposed}
    assert {event for event in read if event.TOPIC.name in LOGGED} - police == set(TABLE)


async def told(world: World, log: str) -> list[Told]:
    entries = await rows.entries(world.database, log)
    names = ("type", "state", "reason", "message_id")
    return [Told(*(entry[name] for name in names)) for entry in entries]


async def test_everything_is_an_entry_once_however_often_it_is_read(world: World) -> None:
    events = [case for cases in TABLE.values() for case in cases]
    expected = [entry for _, entries in events for entry in entries]
    # what the police wrote comes with the verdict on it
    expected += [Told("verdict", "accepted", None, MESSAGE), Told("original", None, None, MESSAGE)]
    async with world.running():
        await publish_alert(world)
        for event, _ in events:
            await world.publish(event)
        await until_told(world, expected)
        for event, _ in events:
            if not isinstance(event, MessageClosed):  # the same statement is answered again
                await world.publish(event)
        await world.publish(send(1000))
        await until_told(world, [*expected, Told("send", "accepted", None, MESSAGE)])
        # a record whose zone nobody can tell belongs to the operators, and so does a dead letter
        await world.publish_raw(Outgoing("bin.access", "demo", b"no event", ()))
        letter = Told("access", "dead_letter", "dead_letter.bin.access", None)
        await until_told(world, [letter], "operators")


async def until_told(world: World, expected: Sequence[Told], log: str = "demo") -> None:
    wanted = sorted(map(str, expected))

    async def there() -> bool:
        return len(await told(world, log)) >= len(expected)

    try:
        await until(there, f"{len(expected)} entries")
    finally:
        found = sorted(map(str, await told(world, log)))
    assert found == wanted


async def test_message_and_send_say_on_what_they_rest_and_a_text_is_its_original(
    world: World,
) -> None:
    async with world.running():
        await publish_alert(world)
        for event in (planned(), send(1)):
            await world.publish(event.model_copy(update={"basis": BASIS}))
        await world.signed(4)
    entries = {entry["type"]: entry for entry in await rows.entries(world.database)}
    for kind in ("send", "planned"):
        assert entries[kind]["basis"] == {
            "legal": BASIS.legal,
            "house_rules": {"bin-linde": 3},
            "communication_plan": {"bin-linde": 2},
        }
    part = (await rows.parts(world.database))[entries["original"]["index"]]
    assert orjson.loads(part["part"])["value"] == ALERT.decode()
