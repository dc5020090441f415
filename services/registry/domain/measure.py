"""What is decided on a member: measures, and restrictions that they asked for."""

from datetime import date, datetime
from typing import Literal

from services.registry.domain.aggregate import Value
from services.registry.domain.coordinator import APPEAL
from shared.contracts.base import UtcTime

MeasureKind = Literal["reprimand", "suspension", "exclusion"]
Ground = Literal["accuracy", "unlawful", "legal_claim", "objection"]
"""The four cases of GDPR, article 18(1); `objection` is that of article 21(1)."""


class Measure(Value):
    """A measure against a member: what, why, by whom and when (role profiles of the circular)."""

    kind: MeasureKind
    reason: str
    by: str
    """The `sub` of whoever decided."""

    at: UtcTime
    until: UtcTime | None = None
    """When a suspension ends by itself."""

    ended_at: UtcTime | None = None
    ended_by: str | None = None
    """The `sub` of whoever reinstated them, or `system`."""

    end_reason: str | None = None

    @property
    def appeal_until(self) -> datetime:
        """Give the end of the three weeks to appeal."""
        return self.at + APPEAL


class Restriction(Value):
    """That processing of a member's data is restricted (GDPR, articles 18 and 21)."""

    ground: Ground
    reason: str
    by: str
    at: UtcTime
    asked_on: date
