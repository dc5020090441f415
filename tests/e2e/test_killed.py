"""A service or server killed with SIGKILL in the middle of the story changes nothing in its end."""

import signal
import time
from collections import Counter

import pytest

from cli import demo_data
from cli.api import RefusedError
from cli.demo_people import audience, people
from cli.police import signed
from shared.clock import Clock
from shared.contracts.base import Status
from shared.contracts.dispatcher import VerdictKind
from tests.e2e.bulletins import released
from tests.e2e.local_stack import LocalStack, until


@pytest.mark.timeout(300)
@pytest.mark.parametrize("service", ["registry", "dispatcher", "audit"])
def test_a_killed_service_sends_nothing_twice_and_loses_nothing(
    stack: LocalStack, marker: str, numbers: list[str], service: str
) -> None:
    alert = stack.alert(marker)
    # slow enough that the kill comes while some have it, some are on their way and most wait
    stack.misbehave(channel="sms", fault="slow", count=len(numbers), seconds=1.0)
    stack.accepted(alert)
    until(lambda: stack.sms(marker) or None, 30, "the first SMS")
    old = stack.kill(service)
    stack.behave()
    stack.wait_back(service, old)
    stack.wait_ready()
    sent = stack.everyone_got_one(marker, numbers, within=200)
    stack.all_agree(alert.alert_id, sent, within=60)


@pytest.mark.timeout(300)
def test_a_bulletin_reaches_each_mailbox_once_though_registry_and_dispatcher_are_killed(
    stack: LocalStack, marker: str
) -> None:
    """A mail whose last reply was cut off waits for an operator; it is never sent again."""
    wanted = [p.email for p in people() if "station" in p.networks and not p.leaves]
    bulletin_id = released(stack, marker)
    olds = {service: stack.kill(service) for service in ("registry", "dispatcher")}
    for service, old in olds.items():
        stack.wait_back(service, old)
    stack.wait_ready()

    def settled() -> Counter[str] | None:
        try:
            states = Counter[str](stack.coverage(bulletin_id)["states"])
        except RefusedError:
            return None  # the dispatcher has not read of it yet
        return states if states["accepted"] + states["unknown"] == len(wanted) else None

    states = until(settled, 90, "every mail is accepted, or waits for an operator")
    mails = Counter(stack.mailed(marker))
    assert set(mails) <= set(wanted)
    assert set(mails.values()) == {1}
    assert states["accepted"] <= len(mails)

    def recorded() -> bool | None:
        return Counter(send["state"] for send in stack.sends(bulletin_id)) == states or None

    until(recorded, 30, "the audit log says the same")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("server", ["kafka", "mongod"])
def test_a_killed_server_comes_back_and_loses_nothing(
    stack: LocalStack, marker: str, numbers: list[str], server: str
) -> None:
    alert = stack.alert(marker)
    stack.accepted(alert)
    old = stack.kill(server)
    stack.wait_back(server, old)
    stack.wait_ready()
    sent = stack.everyone_got_one(marker, numbers, within=200)
    stack.all_agree(alert.alert_id, sent, within=60)
    stack.accepted(stack.alert(f"{marker}-after", status=Status.TEST))


@pytest.mark.timeout(200)
def test_what_kafka_acknowledged_before_it_was_killed_is_judged_once(
    stack: LocalStack, marker: str
) -> None:
    network = demo_data.network_id("station")
    phones = [str(person.phone) for person in audience() if "station" in person.networks]
    alerts = [
        stack.alert(f"{marker}-{number}", status=Status.TEST, network_ids=(network,))
        for number in range(10)
    ]
    with stack.police() as police:
        records = [signed(alert, stack.key(), Clock()) for alert in alerts]
        published = [police.publish(record) for record in records]
        old = stack.kill("kafka")
        stack.wait_back("kafka", old)
        verdicts = [police.verdict(one, 90) for one in published]
    assert Counter(verdict.verdict for verdict in verdicts) == {VerdictKind.ACCEPTED: 10}
    for number in range(10):
        stack.everyone_got_one(f"{marker}-{number}", phones)


def test_with_the_registry_stopped_an_alert_still_goes_out(
    stack: LocalStack, marker: str, numbers: list[str]
) -> None:
    # stopped, not killed: the stack would start a killed one again
    stack.signal("registry", signal.SIGSTOP)
    try:
        began = time.monotonic()
        alert = stack.alert(marker)
        stack.accepted(alert)
        sent = stack.everyone_got_one(marker, numbers)
        assert time.monotonic() - began < 20
    finally:
        stack.signal("registry", signal.SIGCONT)
    stack.all_agree(alert.alert_id, sent)
