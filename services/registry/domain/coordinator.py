"""A network's coordinators, co-coordinators and their deputies."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import EmailStr

from services.registry.domain.aggregate import Value
from shared.contracts.base import Id, Language, UtcTime
from shared.contracts.registry import Contact

CoordinatorRole = Literal["coordinator", "co_coordinator", "deputy"]

APPEAL = timedelta(weeks=3)
"""How long a removed coordinator can appeal (role profiles of the BIN circular)."""


class Screening(Value):
    """That the police screened somebody: who, when and the outcome; nothing else is kept."""

    by: str
    """The `sub` of the police user."""

    at: UtcTime
    passed: bool


class Removal(Value):
    """Why a coordinator is none any more."""

    at: UtcTime
    by: str
    reason: str

    @property
    def appeal_until(self) -> datetime:
        """Give the end of the time to appeal."""
        return self.at + APPEAL


class Coordinator(Value):
    """An adult whom the police screened; owns the member list and relays cold messages."""

    coordinator_id: Id
    role: CoordinatorRole
    subject: str
    name: str
    email: EmailStr
    phone: str | None = None
    """E.164."""

    language: Language
    agreed_to_screening_at: UtcTime
    screening: Screening | None = None
    removal: Removal | None = None
    stands_in_for: Id | None = None
    """Of a deputy: the coordinator."""

    since: UtcTime | None = None
    until: UtcTime | None = None
    """The period of a deputy, `until` excluded; None for the others."""

    def is_active(self, now: datetime) -> bool:
        """Tell whether they may act now: screened, not removed, and within their period."""
        return (
            self.screening is not None
            and self.screening.passed
            and self.removal is None
            and (self.since is None or self.since <= now)
            and (self.until is None or now < self.until)
        )

    def ended_at(self) -> datetime | None:
        """Give when they were removed, or when a deputy's period is over; None where neither is."""
        ends = [self.until] if self.removal is None else [self.removal.at, self.until]
        return min((end for end in ends if end is not None), default=None)

    def has_ended(self, now: datetime) -> bool:
        """Tell whether they are none any more, and do not become one again by time alone."""
        end = self.ended_at()
        return end is not None and end <= now

    def turns(self) -> list[datetime]:
        """Give the moments at which time alone changes whether they may act."""
        if self.removal is not None:
            return []
        return [moment for moment in (self.since, self.until) if moment is not None]

    def contact(self, now: datetime) -> Contact:
        """Give what the other services know of them."""
        return Contact(
            contact_id=self.coordinator_id,
            role=self.role,
            subject=self.subject,
            email=self.email,
            language=self.language,
            active=self.is_active(now),
        )
