"""Why something was not sent or not delivered: closed tables, one per provider.

A code that is not in its table is loud (`UNKNOWN_CODE`: an error in the log and a metric), because
each has to be decided once: does trying again help, is the number bad, or is it our own fault?
Source: https://www.twilio.com/docs/api/errors, and RFC 5321 section 4.2 for mail.
"""

import re
from enum import StrEnum


class Fault(StrEnum):
    """Who has to do something about a code."""

    PERMANENT = "permanent"  # this destination, for good
    TEMPORARY = "temporary"  # provably not sent; trying again may help
    OURS = "our_fault"  # settings, account or code: an operator has to act


class SendReason(StrEnum):
    """Every reason that a send's event may carry."""

    # decided here, before an attempt
    LEFT = "left"
    NOT_ACTIVE = "not_active"
    RESTRICTED = "restricted"
    REFUSES_COLD = "refuses_cold"
    ERASED = "erased"
    CHANGED_DESTINATION = "changed_destination"
    NO_ADDRESS = "no_address"
    OTHER_NETWORK = "other_network"
    NETWORK_NOT_ACTIVE = "network_not_active"
    NO_MOBILE = "no_mobile"
    STOPPED = "stopped"
    UPDATED = "updated"
    ALL_CLEAR = "all_clear"
    EXPIRED = "expired"
    RESTORED = "restored"
    SETTLED = "settled"  # an operator said what became of it
    # learnt from an attempt
    TIMED_OUT = "timed_out"
    CONNECTION_LOST = "connection_lost"
    PROVIDER_FAULT = "provider_fault"
    BAD_ANSWER = "bad_answer"
    SENDER_FAULT = "sender_fault"
    LEASE_OVER = "lease_over"
    NOT_CONNECTED = "not_connected"
    RATE_LIMITED = "rate_limited"
    TOO_LATE = "too_late"
    INVALID_NUMBER = "invalid_number"
    NOT_A_MOBILE = "not_a_mobile"
    REGION_NOT_ALLOWED = "region_not_allowed"
    BLOCKED = "blocked"
    UNREACHABLE_HANDSET = "unreachable_handset"
    UNKNOWN_HANDSET = "unknown_handset"
    LANDLINE_OR_CARRIER = "landline_or_carrier"
    CARRIER_FILTERED = "carrier_filtered"
    CARRIER_FAULT = "carrier_fault"
    VALIDITY_OVER = "validity_over"
    QUEUE_FULL = "queue_full"
    SENDER_INVALID = "sender_invalid"
    REQUEST_INVALID = "request_invalid"
    NOT_AUTHORISED = "not_authorised"
    ACCOUNT_SUSPENDED = "account_suspended"
    CANCELLED_AT_PROVIDER = "cancelled_at_provider"
    MAILBOX_REFUSED = "mailbox_refused"
    MAILBOX_BUSY = "mailbox_busy"
    MAIL_REFUSED = "mail_refused"
    SERVER_BUSY = "server_busy"
    INVALID_ADDRESS = "invalid_address"
    UNKNOWN_CODE = "unknown_code"


_R = SendReason
_PERMANENT, _TEMPORARY, _OURS = Fault.PERMANENT, Fault.TEMPORARY, Fault.OURS

TWILIO: dict[int, tuple[SendReason, Fault]] = {
    14107: (_R.RATE_LIMITED, _TEMPORARY),
    20001: (_R.REQUEST_INVALID, _OURS),
    20003: (_R.NOT_AUTHORISED, _OURS),
    20005: (_R.ACCOUNT_SUSPENDED, _OURS),
    20008: (_R.NOT_AUTHORISED, _OURS),  # test credentials on a live resource
    20403: (_R.NOT_AUTHORISED, _OURS),
    20404: (_R.REQUEST_INVALID, _OURS),
    20429: (_R.RATE_LIMITED, _TEMPORARY),
    21211: (_R.INVALID_NUMBER, _PERMANENT),
    21212: (_R.SENDER_INVALID, _OURS),
    21265: (_R.INVALID_NUMBER, _PERMANENT),  # a short code as destination
    21266: (_R.REQUEST_INVALID, _OURS),
    21267: (_R.SENDER_INVALID, _OURS),
    21408: (_R.REGION_NOT_ALLOWED, _OURS),
    21601: (_R.SENDER_INVALID, _OURS),
    21602: (_R.REQUEST_INVALID, _OURS),
    21603: (_R.REQUEST_INVALID, _OURS),
    21604: (_R.REQUEST_INVALID, _OURS),
    21605: (_R.REQUEST_INVALID, _OURS),
    21606: (_R.SENDER_INVALID, _OURS),
    21609: (_R.REQUEST_INVALID, _OURS),  # the status callback is no URL
    21610: (_R.STOPPED, _PERMANENT),
    21611: (_R.QUEUE_FULL, _TEMPORARY),
    21612: (_R.SENDER_INVALID, _OURS),
    21614: (_R.NOT_A_MOBILE, _PERMANENT),
    21617: (_R.REQUEST_INVALID, _OURS),
    21635: (_R.LANDLINE_OR_CARRIER, _PERMANENT),
    21701: (_R.SENDER_INVALID, _OURS),
    21703: (_R.SENDER_INVALID, _OURS),
    21704: (_R.SENDER_INVALID, _OURS),
    30001: (_R.QUEUE_FULL, _TEMPORARY),
    30002: (_R.ACCOUNT_SUSPENDED, _OURS),
    30003: (_R.UNREACHABLE_HANDSET, _PERMANENT),
    30004: (_R.BLOCKED, _PERMANENT),
    30005: (_R.UNKNOWN_HANDSET, _PERMANENT),
    30006: (_R.LANDLINE_OR_CARRIER, _PERMANENT),
    30007: (_R.CARRIER_FILTERED, _PERMANENT),
    30008: (_R.CARRIER_FAULT, _PERMANENT),
    30010: (_R.REQUEST_INVALID, _OURS),  # more than our maximum price
    30017: (_R.CARRIER_FAULT, _PERMANENT),
    30022: (_R.RATE_LIMITED, _TEMPORARY),
    30024: (_R.SENDER_INVALID, _OURS),
    30036: (_R.VALIDITY_OVER, _PERMANENT),
    30038: (_R.CARRIER_FILTERED, _PERMANENT),
    30039: (_R.CARRIER_FILTERED, _PERMANENT),
    30410: (_R.CARRIER_FAULT, _PERMANENT),
    30500: (_R.CARRIER_FAULT, _PERMANENT),
    63038: (_R.RATE_LIMITED, _TEMPORARY),  # the account's daily limit
}
"""Twilio's error codes: as an answer to the request, and in a receipt."""

ACCOUNT_WIDE = frozenset({_R.NOT_AUTHORISED, _R.ACCOUNT_SUSPENDED})
"""Our faults that hit every destination alike: the provider rests and an operator is called, but
no send is given up while its message is worth something."""

_STATUS = re.compile(r"5\.\d{1,3}\.\d{1,3}(?!\d)")
_CLIENT_ERRORS = {
    400: (_R.REQUEST_INVALID, _OURS),
    401: (_R.NOT_AUTHORISED, _OURS),
    403: (_R.NOT_AUTHORISED, _OURS),
    404: (_R.REQUEST_INVALID, _OURS),
    429: (_R.RATE_LIMITED, _TEMPORARY),
}

SMTP: dict[int, tuple[SendReason, Fault]] = {
    421: (_R.SERVER_BUSY, _TEMPORARY),
    430: (_R.SERVER_BUSY, _TEMPORARY),
    432: (_R.SERVER_BUSY, _TEMPORARY),
    450: (_R.MAILBOX_BUSY, _TEMPORARY),
    451: (_R.SERVER_BUSY, _TEMPORARY),
    452: (_R.SERVER_BUSY, _TEMPORARY),
    454: (_R.SERVER_BUSY, _TEMPORARY),
    455: (_R.SERVER_BUSY, _TEMPORARY),
    500: (_R.REQUEST_INVALID, _OURS),
    501: (_R.INVALID_ADDRESS, _PERMANENT),
    502: (_R.REQUEST_INVALID, _OURS),
    503: (_R.REQUEST_INVALID, _OURS),
    504: (_R.REQUEST_INVALID, _OURS),
    521: (_R.MAILBOX_REFUSED, _PERMANENT),
    530: (_R.NOT_AUTHORISED, _OURS),
    534: (_R.NOT_AUTHORISED, _OURS),
    535: (_R.NOT_AUTHORISED, _OURS),
    538: (_R.NOT_AUTHORISED, _OURS),
    550: (_R.MAILBOX_REFUSED, _PERMANENT),
    551: (_R.MAILBOX_REFUSED, _PERMANENT),
    552: (_R.MAILBOX_BUSY, _PERMANENT),
    553: (_R.INVALID_ADDRESS, _PERMANENT),
    554: (_R.MAIL_REFUSED, _PERMANENT),
    555: (_R.REQUEST_INVALID, _OURS),
    556: (_R.MAILBOX_REFUSED, _PERMANENT),
}
"""Replies of a mail server (RFC 5321 section 4.2.3, RFC 4954, RFC 7504)."""


ENHANCED: dict[str, SendReason] = {
    "1": _R.INVALID_ADDRESS,
    "2": _R.MAILBOX_REFUSED,
    "2.2": _R.MAILBOX_BUSY,  # full
    "3": _R.SERVER_BUSY,
    "4": _R.SERVER_BUSY,
    "4.7": _R.VALIDITY_OVER,  # it tried until the mail was too old
    "5": _R.MAIL_REFUSED,
    "6": _R.MAIL_REFUSED,
    "7": _R.MAIL_REFUSED,
}
"""RFC 3463's subject, or subject and detail, of a status code; the class (4 or 5) says only whether
the server might have gone on trying."""

DEAD_MAILBOX = frozenset({_R.INVALID_ADDRESS, _R.MAILBOX_REFUSED})
"""Reasons that stand for the mailbox itself, and for none of our mails in particular."""


def twilio(code: int | None, status: int | None = None) -> tuple[SendReason, Fault]:
    """Say what a Twilio code means; without a code, what the HTTP status does.

    A code that is not in the table is permanent (nothing is ever sent twice for our ignorance).
    """
    if code is not None and code in TWILIO:
        return TWILIO[code]
    if status is not None and (code is None or code == status) and status in _CLIENT_ERRORS:
        return _CLIENT_ERRORS[status]
    return _R.UNKNOWN_CODE, _PERMANENT


def enhanced(status: str) -> SendReason | None:
    """Say what a status code means that a mail server adds to its reply, or reports (RFC 3463)."""
    _, _, rest = status.partition(".")
    return ENHANCED.get(rest) or ENHANCED.get(rest.partition(".")[0])


def smtp(code: int, text: str = "") -> tuple[SendReason, Fault]:
    """Say what a mail server's reply means; an unlisted one goes by its first digit.

    `text` is the reply's: where it begins with an enhanced status code (RFC 2034), that tells a
    mailbox that does not exist from a mail that is not wanted, for which both may say 550.
    """
    if code in SMTP:
        reason, fault = SMTP[code]
        told = _STATUS.match(text)
        if fault is Fault.PERMANENT and told:
            return enhanced(told.group()) or reason, fault
        return reason, fault
    temporary = code // 100 == 4  # noqa: PLR2004 - RFC 5321: transient negative completion
    return _R.UNKNOWN_CODE, _TEMPORARY if temporary else _PERMANENT
