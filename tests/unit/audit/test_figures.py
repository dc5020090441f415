"""What is counted of sends: by whoever appends, batch by batch, and by whoever checks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.drafting import send_draft
from services.audit.domain.entries import Draft, seal
from services.audit.domain.figures import TEN_MINUTES, Figures, joined, periods
from services.audit.store.sends import Projection
from shared.contracts import Send
from shared.contracts.base import Channel, Lane, MessageType, SendState
from shared.contracts.dispatcher import Basis

BEGAN = datetime(2026, 3, 14, 22, 15, tzinfo=UTC)
STATES = [SendState.ACCEPTED, SendState.UNKNOWN, SendState.DELIVERED, SendState.FAILED]
MESSAGES = ("6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90", "7f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90")


def event(number: int, seq: int, state: SendState, minutes: int) -> Send:
    sms = number % 2 == 0
    return Send(
        event_id=f"{number}.{seq}",
        zone_id="demo",
        send_id=f"send-{number}",
        seq=seq,
        message_id=MESSAGES[number % 2],
        message_type=MessageType.ALERT,
        network_ids=("bin-linde", "bin-beuk")[: number % 3],
        member_ids=(f"member-{number}",),
        recipient="0" * 64,
        recipient_year=2026,
        lane=Lane.WARM,
        channel=Channel.SMS if sms else Channel.EMAIL,
        state=state,
        attempt=1,
        language="nl",
        template="alert",
        segments=1 if sms else None,
        provider_reference=f"SM{number}",
        basis=Basis(legal="police-act-1992-art-44", house_rules={"bin-linde": 2}),
        time=BEGAN + timedelta(minutes=minutes),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Draft]:
    """Give the changes of a few sends, in whatever order they were read."""
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    changes = [
        event(number, seq, draw(st.sampled_from(STATES)), draw(st.integers(0, 180)))
        for number, length in enumerate(lengths)
        for seq in range(1, length + 1)
    ]
    return [send_draft(change) for change in draw(st.permutations(changes))]


def written(drafts: list[Draft], cuts: list[int]) -> tuple[Figures, list[dict[str, Any]]]:
    """Count as whoever appends does: each batch knows the rows that those before it left."""
    total, rows = Figures(), list[dict[str, Any]]()
    for start, end in zip([0, *cuts], [*cuts, len(drafts)], strict=True):
        batch = Projection("demo", rows)
        batch.take(start, drafts[start:end])
        total.add(batch.figures())
        rows = [change.row for change in batch.changes.values()]
    return total, rows


@given(histories(), st.data())
def test_any_cut_of_a_log_counts_the_same_for_who_appends_and_who_checks(
    drafts: list[Draft], data: st.DataObject
) -> None:
    places = st.lists(st.integers(0, len(drafts)), max_size=4).map(sorted)
    by_writer, rows = written(drafts, data.draw(places))
    entries = [
        orjson.loads(seal(draft, index, "demo", bytes(32)).body)
        for index, draft in enumerate(drafts)
    ]
    by_checker, cuts = Figures(), data.draw(places)
    for start, end in zip([0, *cuts], [*cuts, len(drafts)], strict=True):
        for row in rows:
            own = [entry for entry in entries if row["_id"] == f"demo|{entry['send_id']}"]
            by_checker.move(row, own, start, end)
            by_checker.place(row, own, len(drafts))
    assert +by_checker.days == +by_writer.days
    assert +by_checker.outcomes == +by_writer.outcomes
    assert all(count >= 0 for count in by_writer.days.values())
    written_places = by_writer.places()
    for place, (lowest, highest) in by_checker.places().items():
        assert written_places[place][0] <= lowest <= highest <= written_places[place][1]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 8)).map(lambda p: (p[0], sum(p)))))
def test_joined_places_are_the_same_places_apart_and_in_order(
    places: list[tuple[int, int]],
) -> None:
    whole = joined(places)
    covered = [place for lowest, highest in whole for place in range(lowest, highest + 1)]
    assert sorted(covered) == sorted({p for low, high in places for p in range(low, high + 1)})
    assert all(low > high + 1 for (low, _), (_, high) in pairwise(whole))


MOMENTS = st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 9), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it


@given(MOMENTS, MOMENTS, MOMENTS)
def test_a_time_is_looked_for_where_its_sends_stand_and_at_most_ten_minutes_beside_it(
    since: datetime, until: datetime, moment: datetime
) -> None:
    stands = Figures()
    stands.reach(moment, 0)
    asked = periods(since, until)
    found = [
        (kind, number)
        for (kind, number), _ in stands.places()
        if any(kind == other and begin <= number < end for other, begin, end in asked)
    ]
    if since <= moment < until:
        assert len(found) == 1, "by its day, its hour or its ten minutes"
    slack = timedelta(minutes=10)
    if moment < since - slack or moment >= until + slack:
        assert not found
    few = [end - begin for kind, begin, end in asked if kind == TEN_MINUTES]
    assert all(number < 2 * 6 for number in few), "however long the time is"
    days = abs(until - since) / timedelta(days=1)
    assert sum(end - begin for _, begin, end in asked) <= days + 2 * 24 + 2 * 6


@given(MOMENTS)
def test_a_time_without_an_end_is_looked_for_to_the_end_of_the_calendar(moment: datetime) -> None:
    stands = Figures()
    stands.reach(moment, 0)
    for since, until in ((None, None), (moment, None), (None, moment)):
        asked = periods(since, until)
        assert any(
            kind == other and begin <= number < end
            for (kind, number), _ in stands.places()
            for other, begin, end in asked
        )
