"""Count sends by day, network, channel and state, from maintained counters."""

from dataclasses import dataclass
from datetime import date

from services.audit.store.copies import Copies
from services.audit.store.sends import Sends


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


class CountSends:
    """A send for two networks counts in both."""

    def __init__(self, sends: Sends, copies: Copies) -> None:
        """Wire."""
        self._sends = sends
        self._copies = copies

    async def __call__(
        self, log: str | None, since: date | None, until: date | None
    ) -> list[SendCount]:
        """Give the counters of one log, or of all, for days of which both bounds are included."""
        rows = await self._sends.counts(
            None if log is None else [log],
            None if since is None else since.isoformat(),
            None if until is None else until.isoformat(),
        )
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
