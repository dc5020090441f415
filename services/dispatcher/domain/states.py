"""The states of a send, and the one table of transitions between them.

Every write to the ledger names, in its filter, a state from which its cause may start; so what is
not in this table cannot happen, whatever two processes do at the same time.
"""

from enum import StrEnum

from shared.contracts.base import SILENT_STATES, Channel, SendState


class Cause(StrEnum):
    """Why a send changes its state."""

    CLAIM = "claim"
    RELEASE = "release"
    LEASE_OVER = "lease_over"
    START = "start"
    TOO_LATE = "too_late"
    NOT_SENT = "not_sent"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    RECEIPT = "receipt"
    SUPPRESS = "suppress"
    EXPIRE = "expire"
    CANCEL = "cancel"
    UNREACHABLE = "unreachable"
    SETTLE = "settle"
    RESTORE = "restore"


MEANINGS: dict[Cause, str] = {
    Cause.CLAIM: "a process takes it, for the length of a lease",
    Cause.RELEASE: "it gives it back unattempted",
    Cause.LEASE_OVER: "the process that held it did not come back in time",
    Cause.START: "rate token and connection are held, the request goes out now",
    Cause.TOO_LATE: "the request had not begun 2 s after START",
    Cause.NOT_SENT: "provably not sent",
    Cause.ACCEPTED: "the provider took it",
    Cause.REFUSED: "the provider said no, for good",
    Cause.UNCERTAIN: "nobody can tell: a time-out, a reset, a 5xx",
    Cause.RECEIPT: "what the provider reported afterwards, or its list says",
    Cause.SUPPRESS: "the person left, or refused this class of message",
    Cause.EXPIRE: "the message is no longer worth anything",
    Cause.CANCEL: "an update took its place, or an all-clear ended it",
    Cause.UNREACHABLE: "no destination is left",
    Cause.SETTLE: "an operator says what became of it",
    Cause.RESTORE: "a restored database forgot what became of it",
}
"""Per cause: what happened, for the table in the documentation."""

_S = SendState

TRANSITIONS: dict[Cause, dict[SendState, frozenset[SendState]]] = {
    Cause.CLAIM: {_S.PLANNED: frozenset({_S.CLAIMED})},
    Cause.RELEASE: {_S.CLAIMED: frozenset({_S.PLANNED})},
    Cause.LEASE_OVER: {
        _S.CLAIMED: frozenset({_S.PLANNED}),
        _S.ATTEMPTING: frozenset({_S.UNKNOWN}),
    },
    # a second attempt starts from `unknown`: once, warm only, flagged
    Cause.START: {
        _S.CLAIMED: frozenset({_S.ATTEMPTING}),
        _S.UNKNOWN: frozenset({_S.ATTEMPTING}),
    },
    # back to what is known of an earlier attempt, where there was one
    Cause.TOO_LATE: {_S.ATTEMPTING: frozenset({_S.PLANNED, _S.UNKNOWN, _S.UNDELIVERED, _S.FAILED})},
    Cause.NOT_SENT: {_S.ATTEMPTING: frozenset({_S.PLANNED, _S.UNKNOWN, _S.UNDELIVERED, _S.FAILED})},
    # from other states where the answer came after the lease
    Cause.ACCEPTED: {
        _S.ATTEMPTING: frozenset({_S.ACCEPTED}),
        _S.UNKNOWN: frozenset({_S.ACCEPTED}),
        _S.UNDELIVERED: frozenset({_S.ACCEPTED}),
    },
    Cause.REFUSED: {
        _S.ATTEMPTING: frozenset({_S.FAILED, _S.UNKNOWN, _S.UNDELIVERED}),
        _S.UNKNOWN: frozenset({_S.FAILED, _S.UNDELIVERED}),
    },
    Cause.UNCERTAIN: {_S.ATTEMPTING: frozenset({_S.UNKNOWN})},
    # `undelivered` is improved by a late or overtaken report, or by the other attempt's
    Cause.RECEIPT: {
        _S.ATTEMPTING: frozenset({_S.ACCEPTED, _S.DELIVERED, _S.UNDELIVERED, _S.UNKNOWN}),
        _S.UNKNOWN: frozenset({_S.ACCEPTED, _S.DELIVERED, _S.UNDELIVERED, _S.FAILED}),
        _S.ACCEPTED: frozenset({_S.DELIVERED, _S.UNDELIVERED}),
        _S.UNDELIVERED: frozenset({_S.ACCEPTED, _S.DELIVERED}),
    },
    Cause.SUPPRESS: {
        _S.PLANNED: frozenset({_S.SUPPRESSED}),
        _S.CLAIMED: frozenset({_S.SUPPRESSED}),
    },
    Cause.EXPIRE: {
        _S.PLANNED: frozenset({_S.EXPIRED}),
        _S.CLAIMED: frozenset({_S.EXPIRED}),
    },
    Cause.CANCEL: {
        _S.PLANNED: frozenset({_S.CANCELLED}),
        _S.CLAIMED: frozenset({_S.CANCELLED}),
    },
    Cause.UNREACHABLE: {
        _S.PLANNED: frozenset({_S.UNREACHABLE}),
        _S.CLAIMED: frozenset({_S.UNREACHABLE}),
    },
    Cause.SETTLE: {_S.UNKNOWN: frozenset({_S.ACCEPTED, _S.FAILED})},
    Cause.RESTORE: {
        _S.PLANNED: frozenset({_S.UNKNOWN}),
        _S.CLAIMED: frozenset({_S.UNKNOWN}),
        _S.ATTEMPTING: frozenset({_S.UNKNOWN}),
    },
}
"""Per cause: from which state to which. docs/architecture.md draws the same."""

FINAL = frozenset(
    {
        _S.DELIVERED,
        _S.UNDELIVERED,
        _S.FAILED,
        _S.SUPPRESSED,
        _S.EXPIRED,
        _S.CANCELLED,
        _S.UNREACHABLE,
    }
)
"""States in which nothing more is asked or tried; late evidence may still improve some of them."""

UNDECIDED = frozenset({_S.PLANNED, _S.CLAIMED, _S.ATTEMPTING, _S.UNKNOWN})
"""States from which a send may still get through, or end without having gone out."""

UNSENT = frozenset({_S.SUPPRESSED, _S.EXPIRED, _S.CANCELLED, _S.UNREACHABLE})
"""States of a send that never went out."""

BEST_FIRST = (_S.DELIVERED, _S.ACCEPTED, _S.UNKNOWN, _S.UNDELIVERED, _S.FAILED)
"""Of several attempts, the send shows the first of these."""


class IllegalTransition(Exception):  # noqa: N818 - a fault of ours, never a user's
    """A change that the table does not have."""


def origins(cause: Cause) -> frozenset[SendState]:
    """Give the states from which a cause may start; a ledger write's filter names them."""
    return frozenset(TRANSITIONS[cause])


def check(cause: Cause, before: SendState, after: SendState) -> None:
    """Raise `IllegalTransition` unless the table has this change."""
    if after not in TRANSITIONS[cause].get(before, frozenset()):
        message = f"{before} -> {after} by {cause}"
        raise IllegalTransition(message)


def settled(state: SendState, channel: Channel, *, asked: bool = False, over: bool = False) -> bool:
    """Tell whether a send counts as done for the closing statement.

    `asked`: its final receipt was asked for by provider id; `over`: the message has expired.
    """
    if state in FINAL:
        return True
    if state is SendState.ACCEPTED:
        return channel is Channel.EMAIL or asked
    return state is SendState.UNKNOWN and over


def is_event(state: SendState) -> bool:
    """Tell whether a change into this state is an event of its own."""
    return state not in SILENT_STATES
