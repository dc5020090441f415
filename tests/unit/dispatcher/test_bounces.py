"""A return path names its attempt, and a report says what became of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.domain.bounces import attempt_of, read, return_path
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.senders.base import attempt_id, parse_attempt_id
from shared.contracts.base import SendState

ADDRESS = "bounces@bin.example"


def report(action: str, status: str, kind: str = "delivery-status") -> bytes:
    """Give a report as a mail server writes one (RFC 3464, appendix E)."""
    lines = f"""\
    From: MAILER-DAEMON@mail.example
    To: bounces+x.1@bin.example
    Subject: Delivery report
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type={kind}; boundary="part"

    --part

    Your mail could not be delivered.

    --part
    Content-Type: message/{kind}

    Reporting-MTA: dns; mail.example
    Arrival-Date: Sun, 22 Nov 2026 12:00:00 +0000

    Final-Recipient: rfc822; lid@example.org
    Action: {action}
    Status: {status}
    Diagnostic-Code: smtp; 550 words of the other server

    --part
    Content-Type: text/rfc822-headers

    Subject: Tip

    --part--
    """
    return "\r\n".join(line.strip() for line in lines.splitlines()).encode()


@given(st.uuids(), st.integers(1, 9))
def test_the_return_path_leads_back_to_the_attempt(send: object, number: int) -> None:
    path = return_path(ADDRESS, attempt_id(str(send), number))
    assert len(path.partition("@")[0]) <= 64  # RFC 5321, 4.5.3.1.1
    found = attempt_of(ADDRESS, path.upper())
    assert found is not None
    assert parse_attempt_id(found) == (str(send), number)


@pytest.mark.parametrize(
    "address",
    [
        "bounces@bin.example",
        "bounces+@bin.example",
        "other+x.1@bin.example",
        "bounces+x.1@else",
        "",
    ],
)
def test_any_other_address_names_none(address: str) -> None:
    assert attempt_of(ADDRESS, address) is None


@pytest.mark.parametrize(
    ("action", "status", "said"),
    [
        ("failed", "5.1.1", (SendState.UNDELIVERED, SendReason.INVALID_ADDRESS)),
        ("failed", "5.2.1 (mailbox disabled)", (SendState.UNDELIVERED, SendReason.MAILBOX_REFUSED)),
        ("Failed", "5.2.2", (SendState.UNDELIVERED, SendReason.MAILBOX_BUSY)),
        ("failed", "4.4.7", (SendState.UNDELIVERED, SendReason.VALIDITY_OVER)),
        ("failed", "5.7.1", (SendState.UNDELIVERED, SendReason.MAIL_REFUSED)),
        ("failed", "5.9.9", (SendState.UNDELIVERED, SendReason.UNKNOWN_CODE)),
        ("failed", "", (SendState.UNDELIVERED, SendReason.UNKNOWN_CODE)),
        ("delivered", "2.1.5", (SendState.DELIVERED, None)),
        ("delayed", "4.4.1", None),
        ("relayed", "2.1.5", None),
    ],
)
def test_a_report_says_what_became_of_the_mail(
    action: str, status: str, said: tuple[SendState, SendReason | None] | None
) -> None:
    assert read(report(action, status)) == said


@pytest.mark.parametrize(
    "mail",
    [
        b"Subject: Out of office\r\n\r\nBack on Monday.",
        report("failed", "5.1.1", kind="disposition-notification"),
        (
            b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n"
            b"Content-Type: message/delivery-status\r\n\r\n"
        ),
    ],
)
def test_what_is_no_report_says_nothing(mail: bytes) -> None:
    assert read(mail) is None


@given(st.binary(max_size=400))
def test_nothing_that_a_stranger_sends_breaks_the_reader(mail: bytes) -> None:
    assert read(mail) is None
    assert read(report("delayed", "4.4.1") + mail) is None
