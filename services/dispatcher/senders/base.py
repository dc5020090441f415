"""The port of the senders: one attempt in, one outcome out, and nothing tried twice in between."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.message import Message
from shared.contracts.base import Channel, SendState, Status


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to bring a message to one destination."""

    attempt_id: str
    """Random, and the receipt's way back: see `attempt_id` and `parse_attempt_id`."""

    row: Row
    message: Message
    destination: str
    begin_by: float = math.inf
    """When the request must have begun, on the monotonic clock: its check holds no longer."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it now."""

    reference: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider said no; trying again cannot help."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Provably not sent: it may be tried again, after `retry_after` where the provider asks so.

    `everyone` says that it is no matter of this destination: the whole provider should rest.
    """

    reason: str
    retry_after: timedelta | None = None
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell whether it was sent: never blindly tried again."""

    reason: str


@dataclass(frozen=True, slots=True)
class TooLate:
    """The request was not made, or broken off unsent, since its time was over.

    It says nothing of the provider, and the send may be claimed again at once: the next check finds
    out whether it may still go.
    """


Outcome = Accepted | Failed | NotSent | TooLate | Unknown


@dataclass(frozen=True, slots=True)
class Known:
    """What the provider knows of a message: its id, and how far it came."""

    reference: str
    state: SendState
    reason: str | None
    created_at: datetime | None


class Sender(Protocol):
    """Carries messages by one provider account."""

    @property
    def name(self) -> str:
        """Name the provider for metrics."""
        ...

    @property
    def concurrency(self) -> int:
        """Give how many attempts may run at once."""
        ...

    @property
    def rate(self) -> float:
        """Give how many attempts may begin per second."""
        ...

    @property
    def rate_each(self) -> float | None:
        """Give how many one number or name may begin per second; None for no limit of its own."""
        ...

    @property
    def longest(self) -> timedelta:
        """Give the longest time that one attempt can take."""
        ...

    async def __aenter__(self) -> Self:
        """Open what is shared between attempts."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Close it."""
        ...

    async def send(self, delivery: Delivery) -> Outcome:
        """Make one attempt. Never raises for what the provider or the network does."""
        ...

    async def find(self, delivery: Delivery, since: datetime) -> list[Known]:
        """List what the provider has that may be this attempt: destination, text, time.

        Raises `Retryable` where it does not answer; an empty list where it cannot tell.
        """
        ...

    async def fetch(self, reference: str) -> Known | None:
        """Ask what became of one message; None where the provider cannot tell.

        Raises `Retryable` where it does not answer.
        """
        ...

    async def forget(self, reference: str) -> None:
        """Ask the provider to drop its copy. Raises `Retryable` where it does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class Senders:
    """The provider of each channel; what is only a test never meets the real ones."""

    sms: Sender
    email: Sender
    test_sms: Sender
    test_email: Sender

    def of(self, channel: Channel, status: Status) -> Sender:
        """Give the sender of a message's attempts."""
        if status is Status.TEST:
            return self.test_sms if channel is Channel.SMS else self.test_email
        return self.sms if channel is Channel.SMS else self.email

    def all(self) -> tuple[Sender, ...]:
        """Give every sender, to open and close them."""
        return (self.sms, self.email, self.test_sms, self.test_email)


def attempt_id(send_id: str, number: int) -> str:
    """Name an attempt: as random as the send's id, and found without an index of its own."""
    return f"{send_id}.{number}"


def parse_attempt_id(value: str) -> tuple[str, int] | None:
    """Give the send and the number of an attempt, or None where it is no such name."""
    send_id, dot, number = value.rpartition(".")
    if not dot or not send_id or not number.isascii() or not number.isdigit():
        return None
    return send_id, int(number)
