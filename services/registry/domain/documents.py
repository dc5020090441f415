"""A network's versioned documents: charter, house rules and communication plan."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from services.registry.domain.aggregate import Value
from services.registry.domain.days import day_of
from services.registry.domain.failures import Invalid
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
    in_force_from: date | None = None
    """From when it held, where it was agreed before it was added here."""

    added_by: str
    """The `sub` of whoever added it."""

    plan: Plan | None = None
    """Of a communication plan only."""

    def held_on(self) -> date:
        """Give the first day on which somebody could sign it."""
        return self.in_force_from or day_of(self.added_at)


def check_in_force(document: DocumentVersion, former: DocumentVersion | None) -> None:
    """Raise `Invalid` for a version that holds from a day to come, or from before the former one.

    What is to come is added on its day: the current version is the one that newcomers accept.
    """
    held = document.held_on()
    if held > day_of(document.added_at):
        raise Invalid(
            "in-force-later",
            "A version holds from today or earlier; add it on its day.",
            field="in_force_from",
        )
    if former is not None and held < former.held_on():
        raise Invalid(
            "in-force-before-former",
            "The version before this one holds from a later day; give that day or a later one.",
            field="in_force_from",
        )


def version_on(versions: Iterable[DocumentVersion], day: date) -> int | None:
    """Give the number of the version that held on a day; None where none did yet."""
    held = [version.number for version in versions if version.held_on() <= day]
    return max(held, default=None)
