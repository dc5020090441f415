"""A storm over the real local stack while messages flow, and the account of it afterwards."""

import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from cli.failures import CommandError
from cli.police import signed
from services.audit.verify import VERIFIED, verify_bundle
from shared.clock import Clock
from shared.contracts import Alert
from tests.e2e.local_stack import LocalStack, lines, until
from tests.support.connections import cut

Blow = Literal["kill audit", "freeze audit", "cut audit", "kill mongod", "kill kafka"]
"""`freeze` stops the process for longer than its broker session and its lease last: it comes back
with connections that everybody else has given up. `cut` takes its connections to the broker away,
again and again, while all others keep theirs."""

_FROZEN_S = 7.0
_CUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Account:
    """What was sent and what is on record, after everything calmed down."""

    alerts: int
    sms: int
    entries: int
    twice: int
    """SMS that somebody got a second time; each is flagged `possible_duplicate` on record."""

    sent_s: float
    """Seconds until the last SMS."""

    on_record_s: float
    """Seconds until the log agreed with the sandbox."""


def weather(
    stack: LocalStack,
    marker: str,
    numbers: Sequence[str],
    *,
    alerts: int,
    blows: Sequence[Blow],
    chance: random.Random,
    patience: float,
) -> Account:
    """Publish alerts while blows fall, and hold log and sandbox against each other, one to one.

    Fails where the log does not verify, or anything is on record that was not sent, or was sent
    and is not on record, within `patience` seconds after the last blow.
    """
    began = time.monotonic()
    kept = _checkpoint(stack)
    messages = [stack.alert(f"{marker} {number}") for number in range(alerts)]
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(_publish, stack, messages)
        for blow in blows:
            time.sleep(chance.uniform(0.5, 4.0))
            _strike(stack, blow)
        publishing.result(timeout=patience)
    stack.wait_ready(within=patience)
    expected = alerts * len(numbers)

    def all_sent() -> bool | None:
        time.sleep(1)
        return len({(sms["to"], sms["body"]) for sms in stack.sms(marker)}) >= expected or None

    until(all_sent, patience, f"{expected} SMS")
    sent_s = time.monotonic() - began
    return _account(stack, marker, messages, kept, times=(began, sent_s), patience=patience)


def _checkpoint(stack: LocalStack) -> str:
    with stack.api("audit", "auditor") as audit:
        return audit.request("GET", "/v1/zones/demo/checkpoint").text


def _publish(stack: LocalStack, messages: Sequence[Alert]) -> None:
    with stack.police() as police:
        for message in messages:
            record = signed(message, stack.key(), Clock())
            deadline = time.monotonic() + 120
            while True:
                try:
                    police.publish(record)
                    break
                except CommandError:  # the broker is away; the same id goes out once
                    assert time.monotonic() < deadline


def _strike(stack: LocalStack, blow: Blow) -> None:
    what, _, part = blow.partition(" ")
    if what == "kill":
        stack.wait_back(part, stack.kill(part), within=60)
        return
    if what == "cut":
        _cut(stack, part)
        return
    stack.signal(part, signal.SIGSTOP)
    time.sleep(_FROZEN_S)
    stack.signal(part, signal.SIGCONT)


def _cut(stack: LocalStack, part: str) -> None:
    broker = int(stack.stack().kafka.bootstrap.rpartition(":")[2])
    end = time.monotonic() + _CUT_S
    count = 0
    while time.monotonic() < end:
        count += cut(stack.stack().pids[part], broker)
        time.sleep(0.1)
    assert count > 1


def _account(
    stack: LocalStack,
    marker: str,
    messages: Sequence[Alert],
    kept: str,
    *,
    times: tuple[float, float],
    patience: float,
) -> Account:
    ids = {message.alert_id for message in messages}
    deadline = time.monotonic() + patience
    while True:
        sent = {sms["sid"]: sms["to"] for sms in stack.sms(marker)}
        bundle = stack.bundle()
        own = [line for line in lines(bundle) if line["entry"]["message_id"] in ids]
        parts = [line["private"] for line in own if line["entry"]["type"] == "send"]
        recorded = {
            part["provider_reference"]: part["recipient"]
            for part in parts
            if part["provider_reference"] is not None
        }
        pseudonyms = {number: stack.pseudonym(number) for number in set(sent.values())}
        wanted = {sid: pseudonyms[number] for sid, number in sent.items()}
        if recorded == wanted:
            break
        missing, foreign = wanted.keys() - recorded.keys(), recorded.keys() - wanted.keys()
        assert time.monotonic() < deadline, (len(missing), len(foreign))
        time.sleep(2)
    pem = (stack.data / "log.pub.pem").read_text()
    report = verify_bundle(bundle.splitlines(keepends=True), pem, [kept])
    assert report.exit_code == VERIFIED, report
    events = [line["entry"]["event_id"] for line in own]
    assert len(events) == len(set(events))
    got = Counter((sms["to"], sms["body"]) for sms in stack.sms(marker))
    twice = sum(got.values()) - len(got)
    flagged = {part["provider_reference"] for part in parts if part["possible_duplicate"]}
    assert twice <= len(flagged)
    began, sent_s = times
    return Account(
        alerts=len(messages),
        sms=len(sent),
        entries=len(own),
        twice=twice,
        sent_s=sent_s,
        on_record_s=time.monotonic() - began,
    )
