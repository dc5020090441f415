"""The bytes of a send's event: written by hand for speed, so held against the contract."""

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain.events import EventIds, digest, send_event
from services.dispatcher.domain.ledger import AttemptRow, Silent, event_id
from services.dispatcher.domain.message import Content, Message
from shared.contracts import Send
from shared.contracts.base import Channel, Lane, SendState, Status
from tests.unit.dispatcher.test_ledger_rules import NOW, row

KEY = replace(row().key, message_id="6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90")
MESSAGE = Message(
    key=KEY,
    lane=Lane.WARM,
    status=Status.ACTUAL,
    kind="alert",
    references=None,
    network_ids=("n", "n.2"),
    content=Content(body={"nl": "Tekst"}),
    template="alert",
    issued_at=NOW,
    accepted_at=NOW,
    expires_at=NOW + timedelta(minutes=30),
    legal_basis="public_task",
    house_rules={"n": 2},
    communication_plan={"n": 3, "n.2": 1, "another": 9},
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
)
WORDS = st.none() | st.text(max_size=12)
STATES = st.sampled_from(SendState)
ATTEMPTS = st.builds(
    AttemptRow, st.integers(1, 3), MOMENTS, STATES, WORDS, WORDS, flagged=st.booleans()
)
SILENT = st.builds(Silent, STATES, MOMENTS, st.integers(0, 3))


@given(
    attempts=st.lists(ATTEMPTS, max_size=3),
    silent=st.lists(SILENT, max_size=4),
    state=STATES,
    channel=st.sampled_from(Channel),
    networks=st.lists(st.sampled_from(["n", "n.2", "unknown"]), unique=True),
    reason=WORDS,
    segments=st.none() | st.integers(1, 9),
    at=MOMENTS,
    seq=st.integers(1, 40),
)
def test_an_event_written_by_hand_is_what_the_contract_would_write(  # noqa: PLR0917
    attempts: list[AttemptRow],
    silent: list[Silent],
    state: SendState,
    channel: Channel,
    networks: list[str],
    reason: str | None,
    segments: int | None,
    at: datetime,
    seq: int,
) -> None:
    """Byte for byte, defaults included: a field that the contract gains is missed here."""
    sent = replace(
        row(*attempts, state=state),
        key=KEY,
        channel=channel,
        network_ids=tuple(networks),
        member_ids=("m-1", "m-2"),
        reason=reason,
        segments=segments,
        silent=tuple(silent),
    )
    named, value = send_event(sent, MESSAGE, at, seq)
    event = Send.from_json(value)
    assert value == event.to_json()
    assert (event.event_id, event.seq) == (named, seq)
    assert named == event_id(sent.send_id, seq)
    assert (event.state, event.reason, event.time) == (state, reason, at)
    assert event.attempt == len(attempts)
    assert [(one.state, one.at) for one in event.before] == [(s.state, s.at) for s in silent]
    assert set(event.basis.communication_plan) == {"n", "n.2"} & set(networks)


@given(st.lists(st.tuples(st.uuids().map(str), st.integers(0, 4)), max_size=40))
def test_ids_in_little_room_are_the_same_in_the_same_order(sends: list[tuple[str, int]]) -> None:
    """The statement's digest is the one that the audit service makes of the ids as text."""
    wanted = sorted(event_id(one, seq) for one, last in sends for seq in range(1, last + 1))
    ids = EventIds()
    for one in sends:
        ids.add([one])
    assert list(ids) == wanted
    assert len(ids) == len(wanted)
    assert digest(ids) == digest(reversed(wanted))


def test_ids_of_many_sends_take_little_room() -> None:
    ids = EventIds()
    tracemalloc.start()
    try:
        ids.add((f"send-{number}", 2) for number in range(10_000))
        _, most = tracemalloc.get_traced_memory()
        digest(ids)
        _, afterwards = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20_000 * 40
    assert afterwards < 20_000 * 50
