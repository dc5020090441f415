"""What a restored ledger knows of a send again is what its events say, and no attempt is free."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain.events import send_event
from services.dispatcher.domain.ledger import AttemptRow, Evidence, Row, Silent, learn
from services.dispatcher.domain.message import Content, Message, MessageKey
from services.dispatcher.domain.restoring import (
    forgotten,
    key_of,
    no_second_attempt,
    replayed,
    row_of_event,
)
from services.dispatcher.domain.states import Cause, is_event
from shared.contracts import Send
from shared.contracts.base import Channel, Lane, MessageType, SendState, Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = MessageKey("demo", MessageType.BULLETIN, "6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90", "n1")
MESSAGE = Message(
    key=KEY,
    lane=Lane.COLD,
    status=Status.ACTUAL,
    kind="prevention",
    references=None,
    network_ids=("n1",),
    content=Content({"nl": "Tekst."}, {"nl": "Onderwerp"}),
    template="bulletin",
    issued_at=NOW,
    accepted_at=NOW,
    expires_at=NOW + timedelta(days=14),
    legal_basis="consent",
    house_rules={},
    communication_plan={},
)
PLANNED = Row(
    send_id="7a1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e91",
    key=KEY,
    lane=Lane.COLD,
    channel=Channel.EMAIL,
    destination="lid@example.org",
    member_ids=("m1",),
    network_ids=("n1",),
    language="nl",
    recipient="0" * 64,
    recipient_year=2026,
    sender_name="BIN",
    reply_to=None,
    unsubscribe_token=None,
    segments=None,
    template="bulletin",
    expires_at=MESSAGE.expires_at,
    state=SendState.PLANNED,
    silent=(Silent(SendState.PLANNED, NOW, 0),),
)
TOLD = [
    (Cause.ACCEPTED, SendState.ACCEPTED),
    (Cause.REFUSED, SendState.FAILED),
    (Cause.NOT_SENT, SendState.PLANNED),
    (Cause.UNCERTAIN, SendState.UNKNOWN),
    (Cause.RECEIPT, SendState.DELIVERED),
    (Cause.RECEIPT, SendState.UNDELIVERED),
]


def lived(outcomes: list[int]) -> tuple[Row, list[Send]]:
    """Give a send after some outcomes, one attempt after the other, and its events."""
    row, events, at = PLANNED, list[Send](), NOW
    for chosen in outcomes:
        cause, state = TOLD[chosen]
        at += timedelta(minutes=1)
        if row.state is SendState.PLANNED:
            number = len(row.attempts) + 1
            silent = (
                *row.silent,
                Silent(SendState.CLAIMED, at, number - 1),
                Silent(SendState.ATTEMPTING, at, number),
            )
            begun = AttemptRow(number, at, SendState.ATTEMPTING)
            row = replace(
                row, state=SendState.ATTEMPTING, attempts=(*row.attempts, begun), silent=silent
            )
        if cause is not Cause.RECEIPT and row.state is not SendState.ATTEMPTING:
            continue
        after = learn(row, len(row.attempts), Evidence(cause, state, at, "why", "ref"))
        if after is None:
            continue
        if after.state is not row.state and is_event(after.state):
            _, value = send_event(after, MESSAGE, at, row.seq + 1)
            events.append(Send.from_json(value))
            after = replace(after, seq=row.seq + 1, silent=())
        elif after.state is not row.state:
            after = replace(after, silent=(*after.silent, Silent(after.state, at, 1)))
        row = after
    return row, events


HISTORIES = st.lists(st.integers(0, len(TOLD) - 1), min_size=1, max_size=6)


@given(HISTORIES, st.integers(0, 3))
def test_events_bring_back_what_they_told_from_wherever_the_backup_stood(
    outcomes: list[int], kept: int
) -> None:
    row, events = lived(outcomes)
    if not events:
        return
    first = row_of_event(events[0], "lid@example.org", row.expires_at)
    assert key_of(events[0]) == KEY
    whole = replayed(first, events)
    halfway = replayed(replayed(first, events[:kept]), reversed(events))
    assert whole == halfway
    last = events[-1]
    assert (whole.state, whole.seq, whole.reason) == (last.state, len(events), last.reason)
    assert whole.reference == last.provider_reference
    assert [one.number for one in whole.attempts] == list(range(1, last.attempt + 1))
    assert (whole.accepted_at is None) == (row.accepted_at is None)
    if row.state is last.state:
        assert [one.state for one in whole.attempts] == [one.state for one in row.attempts]


@given(HISTORIES)
def test_what_may_have_been_attempted_is_unknown_and_never_tried_again_by_itself(
    outcomes: list[int],
) -> None:
    row, _ = lived(outcomes)
    if row.state in {SendState.PLANNED, SendState.CLAIMED, SendState.ATTEMPTING}:
        row = forgotten(row, NOW, NOW + timedelta(days=1))
        assert row.attempts[-1].state is SendState.UNKNOWN
    elif row.state is SendState.UNKNOWN:
        row = no_second_attempt(row)
    else:
        return
    assert row.state is SendState.UNKNOWN
    assert row.restored
    assert len({one.number for one in row.attempts}) == len(row.attempts)
