"""One id follows a message from its topic to its provider and into the log: the message's own.

W3C Trace Context (level 1) asks for a trace id of 16 bytes, which a message's UUID is. Nothing has
to be stored or handed on for it, so a restart, a second process or a replay cannot lose it.
"""

from hashlib import sha256

TRACEPARENT = "traceparent"
"""The HTTP header; of an event it is the CloudEvents extension attribute of that name."""

_VERSION, _SAMPLED = "00", "01"
_SPAN_DIGITS = 16


def traceparent(message_id: str, step: str) -> str:
    """Give the header for one step of a message; `step` is an id of its own, such as an event's.

    The same step has the same span id whenever it is told again.
    """
    span = sha256(step.encode()).hexdigest()[:_SPAN_DIGITS]
    return f"{_VERSION}-{message_id.replace('-', '')}-{span}-{_SAMPLED}"
