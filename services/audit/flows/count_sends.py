"""Count sends by day, network, channel and state, from maintained counters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date

from services.audit.domain.pages import Page, page_of
from services.audit.store.copies import Copies
from services.audit.store.sends import Sends
from shared.clock import Clock
from shared.mongo import Document


@dataclass(frozen=True, slots=True)
class SendCount:
    """How many sends that began on a day are in a state now."""

    zone_id: str
    day: str
    network_id: str
    network_name: str | None
    channel: str
    state: str
    count: int


_USUAL_DAYS = 365
"""How far back a list of counters goes, where nobody says how far."""


class CountSends:
    """A send for two networks counts in both."""

    def __init__(self, sends: Sends, copies: Copies, clock: Clock) -> None:
        """Wire."""
        self._sends = sends
        self._copies = copies
        self._clock = clock

    async def recent(
        self,
        log: str | None,
        since: date | None,
        until: date | None,
        cursor: str | None,
        limit: int,
    ) -> Page[SendCount, str]:
        """Give one page: without `since`, of the year that ends on `until`, or today (UTC)."""
        if since is None:
            end = until or self._clock.now().astimezone(UTC).date()
            since = date.fromordinal(max(1, end.toordinal() - _USUAL_DAYS))
        return await self(log, since, until, cursor, limit)

    async def __call__(
        self,
        log: str | None,
        since: date | None,
        until: date | None,
        cursor: str | None,
        limit: int,
    ) -> Page[SendCount, str]:
        """Give one page of one log's counters, or of all; `cursor` is `next` of the page before.

        Both days are included, and where none is named everything is.
        """
        rows = await self._sends.counts(
            log,
            None if since is None else since.isoformat(),
            None if until is None else until.isoformat(),
            after=cursor,
            most=limit + 1,
        )
        page = page_of(rows, limit, lambda row: str(row["_id"]))
        return Page(await self._named(page.items), page.next)

    async def _named(self, rows: Sequence[Document]) -> list[SendCount]:
        names = await self._copies.names({row["network_id"] for row in rows})
        return [
            SendCount(
                zone_id=row["log"],
                day=row["day"],
                network_id=row["network_id"],
                network_name=names.get(row["network_id"]),
                channel=row["channel"],
                state=row["state"],
                count=row["count"],
            )
            for row in rows
        ]
