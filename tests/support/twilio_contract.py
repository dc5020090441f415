"""What Twilio's published OpenAPI description says of the Message resource, in a table of ours.

Source: repository twilio/twilio-oai, `spec/json/twilio_api_v2010.json` (version 1.0.0, Apache 2.0):
`CreateMessageRequest`, the schema `api.v2010.account.message`, the list of `Messages.json`, and the
enumerations of status and direction. Names, types and patterns; read on 22 November 2026.
"""

import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

_SID = "[0-9a-fA-F]{32}"

STATUSES = frozenset(
    {
        *("queued", "sending", "sent", "failed", "delivered", "undelivered", "receiving"),
        *("received", "accepted", "scheduled", "read", "partially_delivered", "canceled"),
    }
)
DIRECTIONS = frozenset({"inbound", "outbound-api", "outbound-call", "outbound-reply"})

Check = Callable[[object], bool]


def _text(value: object) -> bool:
    return isinstance(value, str)


def _matches(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in {"http", "https"}


def _whole(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()


def _one_of(words: frozenset[str]) -> Check:
    return lambda value: value in words


def _moment(value: object) -> bool:
    return isinstance(value, str) and parsedate_to_datetime(value).tzinfo is not None


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


REQUEST: Mapping[str, Check] = {
    "To": _text,
    "From": _text,
    "Body": _text,
    "MessagingServiceSid": _matches("MG" + _SID),
    "StatusCallback": _url,
    "ValidityPeriod": _whole,
}
"""The parameters of `CreateMessageRequest` that we use; `To` is the one that must be there."""

MESSAGE: Mapping[str, Check] = {
    "body": _or_none(_text),
    "num_segments": _or_none(_whole),
    "direction": _one_of(DIRECTIONS),
    "from": _or_none(_text),
    "to": _or_none(_text),
    "date_updated": _or_none(_moment),
    "price": _or_none(_text),
    "error_message": _or_none(_text),
    "uri": _or_none(_text),
    "account_sid": _or_none(_matches("AC" + _SID)),
    "num_media": _or_none(_whole),
    "status": _one_of(STATUSES),
    "messaging_service_sid": _or_none(_matches("MG" + _SID)),
    "sid": _matches("(SM|MM)" + _SID),
    "date_sent": _or_none(_moment),
    "date_created": _or_none(_moment),
    "error_code": _or_none(lambda value: isinstance(value, int)),
    "price_unit": _or_none(_matches("[A-Z]{3}")),
    "api_version": _or_none(_text),
    "subresource_uris": _or_none(lambda value: isinstance(value, dict)),
}
"""Every property of a message; an answer has all of them and no others."""

LIST = frozenset(
    {
        *("end", "first_page_uri", "next_page_uri", "page", "page_size", "previous_page_uri"),
        *("start", "uri", "messages"),
    }
)
"""The properties of a page of messages."""

LIST_QUERY = frozenset(
    {
        *("To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"),
    }
)

ANSWERS = {("POST", "list"): 201, ("GET", "list"): 200, ("GET", "one"): 200, ("DELETE", "one"): 204}
"""The status of a good answer, by method and resource."""


def faults_of(values: Mapping[str, object], table: Mapping[str, Check]) -> list[str]:
    """Name what is not in the table, or not as it says."""
    return [name for name, value in values.items() if name not in table or not table[name](value)]
