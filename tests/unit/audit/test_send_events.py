"""A send's event read the short way says what the contract's own model says, or is not read so."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.audit.domain.drafting import send_draft
from services.audit.domain.entries import seal
from services.audit.domain.send_events import read_send
from shared.contracts import Send
from shared.contracts.base import LANGUAGES, Channel, Lane, MessageType, SendState
from shared.contracts.dispatcher import Basis, SilentChange

IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the zone is given apart
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))]),
)
VERSIONS = st.dictionaries(IDS, st.integers(0, 2**40), max_size=3)

SENDS = st.builds(
    Send,
    event_id=IDS,
    zone_id=st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True),
    send_id=IDS,
    seq=st.integers(1, 2**31),
    message_id=st.uuids().map(str),
    message_type=st.sampled_from(MessageType),
    network_ids=st.lists(IDS, max_size=3).map(tuple),
    member_ids=st.lists(IDS, max_size=3).map(tuple),
    recipient=st.none() | TEXTS,
    recipient_year=st.integers(2000, 2100),
    lane=st.sampled_from(Lane),
    channel=st.sampled_from(Channel),
    state=st.sampled_from(SendState),
    reason=st.none() | TEXTS,
    attempt=st.integers(0, 9),
    possible_duplicate=st.booleans(),
    language=st.sampled_from(LANGUAGES),
    template=TEXTS,
    segments=st.none() | st.integers(1, 9),
    provider_reference=st.none() | TEXTS,
    basis=st.builds(Basis, legal=TEXTS, house_rules=VERSIONS, communication_plan=VERSIONS),
    time=TIMES,
    before=st.lists(
        st.builds(
            SilentChange, state=st.sampled_from(SendState), at=TIMES, attempt=st.integers(0, 9)
        ),
        max_size=3,
    ).map(tuple),
)
SPOILT: list[object] = [
    *(None, "", 7, 1.0, 1.5, True, [], ["a b"], {}, {"x": 1}, "a b", "x" * 65, "-x", "2026-02-30"),
    *("2026-03-14T20:15:01", "2026-03-14T20:15:01+02:00", "1773519301", "6F1C2A34"),
]


@given(SENDS)
def test_what_our_services_write_is_read_the_short_way_and_means_the_same(send: Send) -> None:
    read = read_send(send.to_json())
    assert read is not None
    short, long = send_draft(read), send_draft(send)
    assert short == long
    assert seal(short, 3, "demo", bytes(32)).body == seal(long, 3, "demo", bytes(32)).body


@given(SENDS, st.sampled_from(sorted(Send.model_fields)), st.sampled_from(SPOILT))
def test_what_the_contract_refuses_is_never_read_the_short_way(
    send: Send, field: str, spoilt: object
) -> None:
    values: dict[str, Any] = json.loads(send.to_json())
    values[field] = spoilt
    check(json.dumps(values).encode())
    del values[field]
    check(json.dumps({**values, "unknown": spoilt}).encode())


def check(value: bytes) -> None:
    read = read_send(value)
    if read is None:
        return
    try:
        model = Send.from_json(value)
    except ValidationError:
        pytest.fail("read the short way, and refused by the contract")
    assert send_draft(read) == send_draft(model)


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"null", b"\xff", b'{"zone_id":"\xff"}'])
def test_what_is_no_event_is_left_to_the_contract(value: bytes) -> None:
    assert read_send(value) is None
