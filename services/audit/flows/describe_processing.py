"""Describe what a zone's log holds of a year: its record of processing (GDPR, article 30)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from services.audit.store.copies import Copies
from services.audit.store.sends import Sends
from services.audit.store.years import Years
from shared.contracts.registry import LegalBasis, ZoneContact
from shared.pseudonyms import KeyRing


@dataclass(frozen=True, slots=True)
class Processing:
    """A zone's year in figures, with what it states about itself."""

    zone_id: str
    zone_name: str
    contact: ZoneContact | None
    """None where the zone has not stated it."""

    year: int
    legal_basis: LegalBasis | None
    sends: Mapping[tuple[str, str], int]
    """By channel and latest state; a send for two networks counts in both."""

    networks: int
    entries: Mapping[tuple[str, str], int]
    """By type and state, of everything but sends."""

    text_kept_for: timedelta
    private_kept_for: timedelta
    has_key: bool
    """Whether the year's pseudonyms can still be led back to a destination."""


class DescribeProcessing:
    """Reads the counters alone: a log of any size answers at once."""

    def __init__(
        self,
        years: Years,
        sends: Sends,
        copies: Copies,
        ring: KeyRing,
        *,
        text_kept_for: timedelta,
        private_kept_for: timedelta,
    ) -> None:
        """Wire."""
        self._years = years
        self._sends = sends
        self._copies = copies
        self._ring = ring
        self._text_kept_for = text_kept_for
        self._private_kept_for = private_kept_for

    async def __call__(self, log: str, year: int) -> Processing:
        """Give a calendar year (UTC, as the entries have it)."""
        first, last = date(year, 1, 1).isoformat(), date(year, 12, 31).isoformat()
        zone, totals, entries = await asyncio.gather(
            self._copies.latest(log),
            self._sends.totals(log, first, last),
            self._years.of(log, year),
        )
        return Processing(
            zone_id=log,
            zone_name=log if zone is None else zone.name,
            contact=None if zone is None else zone.contact,
            year=year,
            legal_basis=None if zone is None else zone.legal_basis,
            sends=totals.sends,
            networks=totals.networks,
            entries=entries,
            text_kept_for=self._text_kept_for,
            private_kept_for=self._private_kept_for,
            has_key=self._ring.has(log, year),
        )
