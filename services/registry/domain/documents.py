"""A network's versioned documents: charter, house rules and communication plan."""

from typing import Literal

from services.registry.domain.aggregate import Value
from shared.contracts.base import Bodies, Id, UtcTime
from shared.contracts.registry import DocumentKind, QuietHours


class Plan(Value):
    """What a communication plan (communicatieplan) settles for the machines."""

    exercises: bool = False
    """Whether the members were told to expect exercises."""

    warm_fallback: Literal["email"] | None = None
    """How a warm message reaches who has no mobile number; None: not at all."""

    quiet_hours: QuietHours | None = None
    """When no cold mail goes out, Europe/Brussels."""


class DocumentVersion(Value):
    """One version of a document. A version never changes."""

    network_id: Id
    kind: DocumentKind
    number: int
    """Counts from 1 per network and kind."""

    text: Bodies
    added_at: UtcTime
    added_by: str
    """The `sub` of whoever added it."""

    plan: Plan | None = None
    """Of a communication plan only."""
