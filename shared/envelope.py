"""CloudEvents 1.0 in Kafka's binary mode: metadata in headers, the event's JSON as the value."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Generic, TypeVar

from pydantic import ValidationError

from shared.contracts import EVENT_BY_TYPE, Event
from shared.contracts.base import LANGUAGES
from shared.contracts.dispatcher import Reason
from shared.failures import Rejected
from shared.records import Outgoing, Record
from shared.trace import TRACEPARENT, traceparent

CONTENT_TYPE = "application/json"
CE_TRACEPARENT = f"ce_{TRACEPARENT}"
"""CloudEvents' extension for distributed tracing, of events about a message."""

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Envelope(Generic[E]):
    """A decoded record: the event, its CloudEvents id, and the record it came in."""

    ce_id: str
    event: E
    record: Record


def sha256(value: bytes) -> str:
    """Give the hexadecimal SHA-256 of exact bytes."""
    return hashlib.sha256(value).hexdigest()


def encode(
    event: Event,
    *,
    ce_id: str,
    source: str,
    time: datetime,
    topic: str | None = None,
) -> Outgoing:
    """Turn an event into a record. `source` is a URI-reference such as `buurtbode/registry`."""
    ce = {
        "ce_specversion": b"1.0",
        "ce_id": ce_id.encode(),
        "ce_type": event.TYPE.encode(),
        "ce_source": source.encode(),
        "ce_time": time.isoformat().encode(),
        "content-type": CONTENT_TYPE.encode(),
    }
    if (message_id := event.message()) is not None:
        ce[CE_TRACEPARENT] = traceparent(message_id, ce_id).encode()
    return Outgoing(
        topic=topic or event.TOPIC.name,
        key=event.key(),
        value=event.to_json(),
        headers=tuple(ce.items()),
    )


def header(record: Record, name: str) -> str | None:
    """Give a header's text, or None where it is absent, doubled or not UTF-8."""
    values = [value for key, value in record.headers if key == name]
    if len(values) != 1:
        return None
    try:
        return values[0].decode()
    except UnicodeDecodeError:
        return None


def decode_any(record: Record) -> Envelope[Event]:
    """Decode a record by its `ce_type`. Raises `Rejected` with a code and no value of the input."""
    ce_id, ce_type = header(record, "ce_id"), header(record, "ce_type")
    if not ce_id or not ce_type or header(record, "ce_specversion") != "1.0":
        raise Rejected(Reason.NOT_A_CLOUDEVENT)
    model = EVENT_BY_TYPE.get(ce_type)
    if model is None:
        raise Rejected(Reason.WRONG_TYPE, "ce_type")
    return Envelope(ce_id, parse(model, record.value), record)


def decode(record: Record, model: type[E]) -> Envelope[E]:
    """Decode a record that must be of one type. Raises `Rejected`."""
    envelope = decode_any(record)
    if not isinstance(envelope.event, model):
        raise Rejected(Reason.WRONG_TYPE, "ce_type")
    return Envelope(envelope.ce_id, envelope.event, record)


def parse(model: type[E], value: bytes) -> E:
    """Parse an event's JSON. Raises `Rejected` naming the first field that is wrong."""
    try:
        return model.from_json(value)
    except ValidationError as error:
        raise _rejected(model, error) from None  # its message would quote the input


def _rejected(model: type[Event], error: ValidationError) -> Rejected:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return Rejected(Reason.NOT_JSON)
    if not first["loc"]:  # our own check of the whole model: its message begins with the field
        where = first["msg"].removeprefix("Value error, ").partition(":")[0]
    else:
        where = ".".join(takewhile(_known_in(model), map(str, first["loc"])))
    return Rejected(Reason.INVALID_FIELD, where or "unknown field")


def _known_in(model: type[Event]) -> Callable[[str], bool]:
    """Tell our own names from the outsider's: the name of a field could hold anything."""
    names = {*model.model_fields, *LANGUAGES}
    return lambda part: part in names or part.isdecimal()
