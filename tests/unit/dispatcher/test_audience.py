"""People made of members, and sends made of people."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain.audience import Addressee, Counts, Person, Planner, person_of
from services.dispatcher.domain.intake import alert_message
from services.dispatcher.domain.message import Message
from shared.contracts.base import Channel, SendState
from tests.support.police import NOW, Police

POLICE = Police()
NETWORKS = {
    "n1": POLICE.network("n1"),
    "n2": POLICE.network("n2", sender_name="PLP", reply_to=None, languages=("fr",)),
}
PHONE = "+32450000001"


def message() -> Message:
    alert = POLICE.alert(network_ids=("n1", "n2"))
    return alert_message(alert, POLICE.zone(), NETWORKS, alert.network_ids, NOW)


def planner(one: Message) -> Planner:
    return Planner(
        one,
        NETWORKS,
        now=NOW,
        pseudonym=lambda zone, year, value: f"{zone}|{year}|{value}",
        new_id=lambda: "send-1",
    )


def person(**changes: object) -> Person:
    fields = Person(Channel.SMS, PHONE, ("m1",), ("n2",), "de")
    return replace(fields, **changes)  # pyright: ignore[reportArgumentType]


def test_send_rests_on_the_networks_of_the_person() -> None:
    send = planner(message()).send(person())
    assert send.language == "fr"
    assert send.sender_name == "PLP"
    assert send.reply_to is None
    assert send.recipient == f"demo|2026|{PHONE}"
    assert send.segments == 1
    assert send.state is SendState.PLANNED


def test_who_cannot_be_reached_has_no_pseudonym_even_after_expiry() -> None:
    one = replace(message(), expires_at=NOW - timedelta(seconds=1))
    send = planner(one).send(person(destination="member:m1", reason="no_mobile"))
    assert (send.state, send.reason, send.recipient) == (
        SendState.UNREACHABLE,
        "no_mobile",
        None,
    )
    assert planner(one).send(person()).state is SendState.EXPIRED


def test_message_carries_the_versions_that_it_rests_on() -> None:
    one = message()
    assert one.house_rules == {"n1": 2, "n2": 2}
    assert one.communication_plan == {"n1": 3, "n2": 3}
    assert one.legal_basis == "public_task"


@given(st.permutations(["m1", "m2", "m3"]))
def test_person_is_the_same_whatever_order_their_members_come_in(order: list[str]) -> None:
    networks = {"m1": "n2", "m2": "n1", "m3": "n2"}
    group = [Addressee(name, networks[name], "nl", PHONE) for name in order]
    found = person_of(Channel.SMS, group)
    assert found.member_ids == ("m1", "m2", "m3")
    assert found.network_ids == ("n1", "n2")
    assert found.reachable


@pytest.mark.parametrize(
    ("channel", "stopped", "reason"),
    [
        (Channel.SMS, False, "no_mobile"),
        (Channel.SMS, True, "stopped"),
        (Channel.EMAIL, False, "no_address"),
    ],
)
def test_reason_says_why_somebody_cannot_be_reached(
    channel: Channel, *, stopped: bool, reason: str
) -> None:
    one = Addressee("m1", "n1", "nl", "member:m1", sms_stopped=stopped)
    assert person_of(channel, [one]).reason == reason


def test_fallback_goes_to_somebody_who_is_counted_already() -> None:
    counts, make = Counts(), planner(message())
    counts.add(make.send(person(destination="member:m1", reason="no_mobile")), is_fallback=False)
    mail = person(channel=Channel.EMAIL, destination="a@example.org")
    counts.add(make.send(mail), is_fallback=True)
    assert (counts.people, counts.unreachable, counts.sends) == (1, 1, {Channel.EMAIL: 1})
