"""Counting what was sent, what it cost, and figures that tell nobody who somebody is."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain import figures as rules
from services.registry.domain.figures import Activity, Figure, People, Sent
from services.registry.domain.network import NetworkRecord
from services.registry.domain.tally import Counted, count
from services.registry.domain.tariff import Price, Tariff
from shared.contracts import Send
from shared.contracts.base import Channel
from tests.unit.registry.people import NOW, network

TARIFF = Tariff(
    prices=(
        Price(since=date(2026, 7, 1), per_segment=Decimal("0.08")),
        Price(since=date(2026, 1, 1), per_segment=Decimal("0.10")),
    )
)


def send(seq: int, state: str, **changes: Any) -> Send:
    return Send.model_validate(
        {
            "zone_id": "demo",
            "event_id": f"send-1-{seq}",
            "send_id": "send-1",
            "seq": seq,
            "message_id": "11111111-1111-1111-1111-111111111111",
            "message_type": "alert",
            "network_ids": ["bin-linde", "bin-eik"],
            "member_ids": ["m-1", "m-2"],
            "recipient": "a" * 64,
            "recipient_year": 2026,
            "lane": "warm",
            "channel": "sms",
            "state": state,
            "attempt": 1,
            "language": "nl",
            "template": "alert",
            "segments": 2,
            "basis": {"legal": "x"},
            "time": NOW,
            **changes,
        }
    )


def totals(events: list[Send]) -> dict[str, Counter[str]]:
    """Count events in this order, and give outcomes and segments by network."""
    known: Counted | None = None
    found: dict[str, Counter[str]] = {}
    for event in events:
        result = count(known, event)
        if result is None:
            continue
        known, changes = result
        for change in changes:
            counter = found.setdefault(change.place.network_id, Counter())
            counter.update({"segments": change.segments})
            counter.update({str(name): number for name, number in change.outcomes.items()})
    return {name: Counter({k: v for k, v in c.items() if v}) for name, c in found.items()}


LIFE = [send(1, "accepted"), send(2, "delivered")]


@given(st.lists(st.sampled_from(LIFE), max_size=8))
def test_however_often_an_event_is_read_again_it_counts_once(again: list[Send]) -> None:
    """The `seq` of a send has no gaps, and tells an event that was read before."""
    assert totals([*LIFE, *again]) == totals(LIFE)


def test_a_person_in_two_networks_counts_in_both_and_is_paid_once() -> None:
    """One SMS goes to one person, of whom both networks are on record (docs/architecture.md)."""
    assert totals(LIFE) == {
        "bin-eik": Counter(reached=1, segments=2),
        "bin-linde": Counter(reached=1),
    }


def test_a_late_no_moves_from_reached_to_failed_and_stays_paid() -> None:
    found = totals([send(1, "accepted"), send(2, "undelivered")])

    assert found["bin-eik"] == Counter(failed=1, segments=2)


def test_a_second_attempt_is_paid_once_more() -> None:
    """A fresh warm send gets one, flagged `possible_duplicate` (docs/architecture.md)."""
    second = [send(1, "unknown"), send(2, "accepted", attempt=2), send(3, "delivered", attempt=1)]

    assert totals(second)["bin-eik"] == Counter(reached=1, segments=4)


@pytest.mark.parametrize(
    ("state", "outcome"),
    [("unreachable", "unreachable"), ("expired", "not_sent"), ("unknown", "unknown")],
)
def test_what_was_not_sent_costs_nothing(state: str, outcome: str) -> None:
    assert totals([send(1, state)])["bin-eik"] == Counter({outcome: 1})


def test_mail_costs_nothing_and_a_notice_is_no_message() -> None:
    mail = send(1, "accepted", channel="email", segments=None)

    assert totals([mail])["bin-eik"] == Counter(reached=1)
    assert totals([send(1, "accepted", message_type="notice")]) == {}


def test_a_day_is_one_in_belgium() -> None:
    """Half past eleven in the evening of 31 December, UTC, is the new year there."""
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    result = count(None, send(1, "accepted", time=late))

    assert result is not None
    assert result[0].day == date(2027, 1, 1)
    since, until = rules.year_bounds(2027)
    assert since <= late < until


def test_each_day_has_the_price_of_its_day() -> None:
    """Rules text: "cost in segments by a dated tariff"."""
    before, after = date(2026, 6, 30), date(2026, 7, 1)

    assert TARIFF.cost([(before, 10), (after, 10)]) == Decimal("1.80")
    assert TARIFF.cost([(date(2025, 12, 31), 1)]) is None
    assert TARIFF.cost([(date(2025, 12, 31), 0), (after, 1)]) == Decimal("0.08")


def activity(number: int, members: int, **changes: Any) -> Activity:
    of = network().model_copy(
        update={
            "network_id": f"bin-{number}",
            "name": f"BIN {number}",
            **{k: v for k, v in changes.items() if k in NetworkRecord.model_fields},
        }
    )
    sent = Sent("nl", Channel.SMS, date(2026, 8, 1), members, 0, members * 2)
    return Activity(
        network=of,
        people=(People("nl", members, joined=1, left=7),),
        alerts=frozenset({"alert-0", f"alert-{number}"}),
        bulletins=frozenset({f"bulletin-{number}"}),
        sent=(sent,),
    )


def lines(*activities: Activity, by: rules.By = "network") -> dict[str, Figure]:
    return {line.key: line for line in rules.figures(activities, by, TARIFF)}


def test_figures_add_up_by_each_key() -> None:
    first, second = activity(1, 60), activity(2, 40, municipality="11002", kind="self_employed")

    [one, two] = lines(first, second).values()
    assert (one.name, one.members, one.segments, one.cost) == ("BIN 1", 60, 120, Decimal("9.60"))
    assert two.alerts == 2
    assert set(lines(first, second, by="municipality")) == {"44021", "11002"}
    assert set(lines(first, second, by="province")) == {"Oost-Vlaanderen", "Antwerpen"}
    assert set(lines(first, second, by="kind")) == {"residents", "self_employed"}
    both = lines(first, second, by="language")["nl"]
    assert (both.networks, both.members, both.sms_reached, both.alerts) == (2, 100, 100, None)


def test_an_alert_to_two_networks_is_one_alert_of_their_municipality() -> None:
    found = lines(activity(1, 60), activity(2, 40), by="municipality")["44021"]

    assert (found.networks, found.members, found.alerts, found.bulletins) == (2, 100, 3, 2)


def test_small_groups_are_withheld_from_outsiders_and_what_was_paid_is_not() -> None:
    """Rules text: "without personal data"; GDPR, recital 26: anonymous is nobody identifiable."""
    found = rules.figures([activity(1, 4), activity(2, 62)], "network", TARIFF)

    small, large = rules.for_outsiders(found, "network")

    assert (small.members, small.sms_reached, small.joined, small.left) == (None,) * 4
    assert (small.segments, small.cost, small.alerts) == (8, Decimal("0.64"), 2)
    assert (large.members, large.joined, large.left) == (60, None, 5)


def test_a_few_who_share_a_language_are_not_told_by_what_was_paid_either() -> None:
    few = Activity(
        network=network(),
        people=(People("de", 2, 0, 0),),
        sent=(Sent("de", Channel.SMS, date(2026, 8, 1), 2, 0, 4),),
    )

    [line] = rules.for_outsiders(rules.figures([few], "language", TARIFF), "language")

    assert (line.networks, line.members, line.segments, line.cost) == (0, None, None, None)


@given(st.integers(5, 400), st.integers(0, 4))
def test_a_total_less_its_parts_tells_no_small_group(large: int, small: int) -> None:
    """The municipality's total and the large network's line: their difference is a multiple."""
    both = [activity(1, large), activity(2, small)]
    [total] = rules.for_outsiders(rules.figures(both, "municipality", TARIFF), "municipality")
    shown = rules.for_outsiders(rules.figures(both, "network", TARIFF), "network")[0]

    assert total.members is not None
    assert shown.members is not None
    assert (total.members - shown.members) % rules.FEW == 0


def test_a_price_is_never_negative() -> None:
    with pytest.raises(ValueError, match="per_segment"):
        Price.model_validate({"since": NOW.date() + timedelta(days=1), "per_segment": "-1"})
