"""The sandbox's tables and counters."""

import pytest

from deploy.local.sandbox.faults import Channel, Fault, FaultRequest, Faults
from deploy.local.sandbox.outcomes import (
    REFUSED_AT_ONCE,
    UNDELIVERED_LATER,
    mail_refusal,
    trouble_with,
)
from deploy.local.sandbox.segments import count_segments


@pytest.mark.parametrize("code", [*REFUSED_AT_ONCE, *UNDELIVERED_LATER])
def test_a_number_that_ends_in_a_code_gets_that_code(code: int) -> None:
    """Refused at once or undelivered later, never both."""
    trouble = trouble_with(f"+3245{code}")
    assert trouble is not None
    assert trouble.code == code
    assert trouble.refused == (code in REFUSED_AT_ONCE)
    assert (code in REFUSED_AT_ONCE) != (code in UNDELIVERED_LATER)


@pytest.mark.parametrize("number", ["+32450000101", "+15005550006", "+32450099999"])
def test_other_numbers_work(number: str) -> None:
    """Twilio's own good magic number too."""
    assert trouble_with(number) is None


@pytest.mark.parametrize(
    ("address", "reply"),
    [
        ("lid@buurt.example", None),
        ("550@buurt.example", None),
        ("lid+550@buurt.example", "550 5.1.1 no such mailbox"),
        ("lid+999@buurt.example", None),
    ],
)
def test_an_address_is_refused_by_the_code_after_its_plus(address: str, reply: str | None) -> None:
    """And only by a code of the table."""
    assert mail_refusal(address) == reply


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ë" * 70, 1),
        ("ë" * 71, 2),
        ("ë" * 134, 2),
        ("ë" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("é" * 160, 1),
    ],
)
def test_segments_are_counted_as_the_networks_count_them(text: str, segments: int) -> None:
    """GSM 03.38: 160 or 153 a part, extended characters twice; else UCS-2, 70 or 67."""
    assert count_segments(text) == segments


def _plan(faults: Faults, **request: object) -> None:
    faults.add(FaultRequest.model_validate({"channel": "sms", "fault": "refuse", **request}))


def test_faults_come_in_the_order_in_which_they_were_asked_for() -> None:
    """Each as often as asked, once by default; the other channel is not touched."""
    faults = Faults()
    _plan(faults, count=2)
    _plan(faults, fault="slow", seconds=3)
    assert faults.next(Channel.MAIL) is None
    hits = [faults.next(Channel.SMS) for _ in range(4)]
    assert [hit and hit.fault for hit in hits] == [Fault.REFUSE, Fault.REFUSE, Fault.SLOW, None]
    assert hits[2] is not None
    assert hits[2].delay == 3


def test_a_fault_is_over_after_its_time() -> None:
    """However many messages it was asked for."""
    passed = 0.0
    faults = Faults(lambda: passed)
    _plan(faults, count=100, seconds=3)
    passed = 3.0
    assert faults.next(Channel.SMS) is not None
    passed = 3.1
    assert faults.next(Channel.SMS) is None


def test_clearing_ends_every_fault() -> None:
    """On both channels."""
    faults = Faults()
    _plan(faults, count=9)
    _plan(faults, channel="mail", count=9)
    faults.clear()
    assert [faults.next(channel) for channel in Channel] == [None, None]
