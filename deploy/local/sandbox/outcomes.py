"""Which numbers and addresses go wrong, and how: the sandbox's documented table.

Twilio's own magic numbers work as with its test credentials (source: Twilio, "Test credentials").
On top of them any number goes wrong that ends in one of the codes below, so that invented people
of any country can have a number that fails: `+32 450 02 16 10` has replied STOP (21610).
The same for mail: an address whose local part ends in `+550` is refused with that code.
"""

from dataclasses import dataclass

OPTED_OUT = 21610

REFUSED_AT_ONCE = {
    21211: "The 'To' number {to} is not a valid phone number.",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To'"
    " number: {to}.",
    OPTED_OUT: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: "The 'To' phone number {to} is not currently reachable using the 'From' phone number.",
    21614: "'To' number {to} is not a valid mobile number",
    30039: "This message has been blocked by loop protection",
}
"""Refused with status 400 and this code and text. Nothing is accepted, nothing is charged."""

UNDELIVERED_LATER = {
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30036: "Validity period expired",
}
"""Accepted with status 201; later the receipt says `undelivered` with this code."""

_MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": OPTED_OUT,
    "+15005550009": 21614,
}

MAGIC_FROM = {
    "+15005550001": (21212, "The 'From' number {sender} is not a valid phone number."),
    "+15005550007": (21606, "The 'From' phone number {sender} is not valid for your account."),
    "+15005550008": (21611, REFUSED_AT_ONCE[21611]),
}

_CODE_DIGITS = 5

MAIL_REPLIES = {
    "450": "450 4.2.1 mailbox busy, try again later",
    "452": "452 4.2.2 mailbox full",
    "550": "550 5.1.1 no such mailbox",
    "552": "552 5.2.2 mailbox over quota",
    "554": "554 5.7.1 delivery not authorised",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a number stands for: a code of one of the tables above."""

    code: int
    text: str

    @property
    def refused(self) -> bool:
        """Whether the provider says no at once; otherwise it accepts and fails to deliver."""
        return self.code in REFUSED_AT_ONCE


def trouble_with(to: str) -> Trouble | None:
    """Say what is wrong with a number, or None when messages to it arrive."""
    suffix = to[-_CODE_DIGITS:]
    code = _MAGIC_TO.get(to) or (int(suffix) if suffix.isdigit() else 0)
    text = REFUSED_AT_ONCE.get(code) or UNDELIVERED_LATER.get(code)
    return Trouble(code, text.format(to=to)) if text else None


def mail_refusal(address: str) -> str | None:
    """Give the SMTP reply that refuses this address, or None when it takes mail."""
    local, _, _ = address.partition("@")
    _, plus, code = local.rpartition("+")
    return MAIL_REPLIES.get(code) if plus else None
