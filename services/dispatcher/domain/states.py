"""The states of a send, and the one table of transitions between them.

Every write to the ledger names, in its filter, a state from which its cause may start; so what is
not in this table cannot happen, whatever two processes do at the same time.
"""

from enum import StrEnum

from shared.contracts.base import SILENT_STATES, Channel, SendState


class Cause(StrEnum):
    """Why a send changes its state."""

    CLAIM = "claim"  # a process takes it, for the length of a lease
    RELEASE = "release"  # it gives it back unattempted
    LEASE_OVER = "lease_over"  # the process that held it did not come back in time
    START = "start"  # rate token and connection are held, the request goes out now
    TOO_LATE = "too_late"  # the request had not begun 2 s after START
    NOT_SENT = "not_sent"  # provably not sent
    ACCEPTED = "accepted"  # the provider took it
    REFUSED = "refused"  # the provider said no, for good
    UNCERTAIN = "uncertain"  # nobody can tell: a time-out, a reset, a 5xx
    RECEIPT = "receipt"  # what the provider reported afterwards, or its list says
    SUPPRESS = "suppress"  # the person left, or refused this class of message
    EXPIRE = "expire"  # the message is no longer worth anything
    CANCEL = "cancel"  # an update took its place, or an all-clear ended it
    UNREACHABLE = "unreachable"  # no destination is left
    SETTLE = "settle"  # an operator says what became of it


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
}
"""Per cause: from which state to which. DESIGN section 4 draws the same."""

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
