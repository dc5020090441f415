"""What the ledger keeps of a send, and how evidence about an attempt changes it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.dispatcher.domain.message import MessageKey
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.states import BEST_FIRST, Cause, check
from shared.contracts.base import Channel, Lane, Language, SendState


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt. `state` is `planned` where it was provably not sent."""

    number: int
    at: datetime
    state: SendState
    reason: str | None = None
    reference: str | None = None
    """The provider's id of the message."""

    flagged: bool = False
    """Made although an earlier attempt may have arrived: a possible duplicate."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A change that is no event; it travels in the one that ends it."""

    state: SendState
    at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class Row:
    """One send as the ledger has it. `version` rises with each write, `seq` with each event."""

    send_id: str
    key: MessageKey
    lane: Lane
    channel: Channel
    destination: str | None
    """None once it was dropped."""

    member_ids: tuple[str, ...]
    network_ids: tuple[str, ...]
    language: Language
    recipient: str | None
    recipient_year: int
    sender_name: str
    reply_to: str | None
    unsubscribe_token: str | None
    segments: int | None
    template: str
    expires_at: datetime
    state: SendState
    reason: str | None = None
    version: int = 0
    seq: int = 0
    fence: str | None = None
    """The token of the claim that holds it."""

    attempts: tuple[AttemptRow, ...] = ()
    silent: tuple[Silent, ...] = field(default_factory=tuple)
    unknown_since: datetime | None = None
    accepted_at: datetime | None = None
    delivered_at: datetime | None = None

    @property
    def flagged(self) -> bool:
        """Tell whether there was an attempt that may have been a duplicate."""
        return any(attempt.flagged for attempt in self.attempts)

    @property
    def restored(self) -> bool:
        """Tell whether it is unknown because a restored database forgot what became of it."""
        return any(
            attempt.state is SendState.UNKNOWN and attempt.reason == SendReason.RESTORED
            for attempt in self.attempts
        )

    @property
    def reference(self) -> str | None:
        """Give the provider's id of the attempt that the send shows, if it is known."""
        for state in BEST_FIRST:
            for attempt in self.attempts:
                if attempt.state is state and attempt.reference is not None:
                    return attempt.reference
        return None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What somebody learnt about one attempt."""

    cause: Cause
    state: SendState
    at: datetime
    reason: str | None = None
    reference: str | None = None
    found: bool = False
    """Found among the provider's messages by what it says; nobody told that it is this attempt."""


_EVENTS = UUID("5f1d3c0e-8b57-4d0c-9a43-2f6c1f8f7c11")
"""The namespace of event ids (RFC 9562, version 5); never to be changed."""

_WEIGHT = {
    SendState.ATTEMPTING: 0,
    SendState.PLANNED: 1,
    SendState.UNKNOWN: 1,
    SendState.FAILED: 2,
    SendState.ACCEPTED: 3,
    SendState.UNDELIVERED: 4,
    SendState.DELIVERED: 5,
}
"""What is known of one attempt only grows: a report that comes late or twice changes nothing."""


_OPEN = frozenset({SendState.ATTEMPTING, SendState.UNKNOWN})


def learn(row: Row, number: int, evidence: Evidence) -> Row | None:
    """Fold evidence about attempt `number` into a send; None where it tells nothing new.

    The state is that of the best attempt. An attempt that is still running keeps the send
    `attempting` unless another one is known to have got through.
    """
    old = next((attempt for attempt in row.attempts if attempt.number == number), None)
    if old is None or not _is_news(old, evidence) or _is_of_another(row, number, evidence):
        return None
    new = replace(
        old,
        state=evidence.state,
        reason=evidence.reason,
        reference=evidence.reference or old.reference,
    )
    attempts = tuple(new if attempt is old else attempt for attempt in row.attempts)
    state = _shown(attempts)
    if state in _OPEN and row.state is not SendState.ATTEMPTING:
        # what was accepted and then not delivered does not become open again
        state = SendState.UNDELIVERED if row.state is SendState.ACCEPTED else row.state
    if state is row.state:
        return replace(row, attempts=attempts)
    check(evidence.cause, row.state, state)
    known_at = evidence.at if state is SendState.UNKNOWN else None
    got_through = state in {SendState.ACCEPTED, SendState.DELIVERED, SendState.UNDELIVERED}
    return replace(
        row,
        attempts=attempts,
        state=state,
        reason=_reason(attempts, state, evidence),
        fence=None,
        unknown_since=row.unknown_since or known_at,
        accepted_at=row.accepted_at or (evidence.at if got_through else None),
        delivered_at=row.delivered_at or (evidence.at if state is SendState.DELIVERED else None),
    )


def settle(row: Row, evidence: Evidence) -> Row:
    """Fold what an operator says into every attempt whose outcome is unknown."""
    after = row
    for attempt in row.attempts:
        if attempt.state is SendState.UNKNOWN:
            after = learn(after, attempt.number, evidence) or after
            if after.state is not SendState.UNKNOWN:
                break  # one of them got through, whichever it was
    return after


def _is_news(old: AttemptRow, evidence: Evidence) -> bool:
    # provably not sent, or refused for good: nothing can have come of it
    if old.state in {SendState.PLANNED, SendState.FAILED}:
        return False
    return _WEIGHT[evidence.state] > _WEIGHT[old.state]


def _is_of_another(row: Row, number: int, evidence: Evidence) -> bool:
    return evidence.found and any(
        attempt.reference == evidence.reference
        for attempt in row.attempts
        if attempt.number != number
    )


def _shown(attempts: Sequence[AttemptRow]) -> SendState:
    states = {attempt.state for attempt in attempts}
    running = SendState.ATTEMPTING in states
    for state in BEST_FIRST:
        if state in states and (not running or state in {SendState.DELIVERED, SendState.ACCEPTED}):
            return state
    return SendState.ATTEMPTING if running else SendState.PLANNED


def _reason(attempts: Sequence[AttemptRow], state: SendState, evidence: Evidence) -> str | None:
    if evidence.state is state or state is SendState.PLANNED:
        return evidence.reason
    return next((attempt.reason for attempt in attempts if attempt.state is state), None)


def event_id(send_id: str, seq: int) -> str:
    """Give the id of a send's event: the same whoever computes it, however often."""
    return str(event_uuid(send_id, seq))


def event_uuid(send_id: str, seq: int) -> UUID:
    """Give the same id as a UUID."""
    return uuid5(_EVENTS, f"{send_id}/{seq}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the ledger waits before somebody looks at an open send again."""

    reconcile: timedelta = timedelta(seconds=5)
    """After a send became `unknown`."""

    receipt: timedelta = timedelta(minutes=10)
    """After the message's expiry, for the final receipt of an accepted SMS."""

    look_back: timedelta = timedelta(milliseconds=500)
    """Between two looks at a whole index from its beginning. The database keeps the entries of the
    last minutes after they are deleted, and passes over each on its way: thousands, while much is
    sent. So in between, reading goes on from where it was, or goes by id."""
