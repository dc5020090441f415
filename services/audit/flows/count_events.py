"""Count the events of a message that are on record, as a closing statement counts them."""

from dataclasses import dataclass

import orjson

from services.audit.domain.closing import digest
from services.audit.store.log import LogStore


@dataclass(frozen=True, slots=True)
class OnRecord:
    """How many events of sends the log has of a message or release, and their digest."""

    events: int
    digest: str


class CountEvents:
    """Reads the log itself, not what follows from it."""

    def __init__(self, log: LogStore) -> None:
        """Wire."""
        self._log = log

    async def __call__(
        self, log: str, message_id: str, release: str | None, below: int
    ) -> OnRecord:
        """Count what stands below an index."""
        ids: list[str] = []
        async for body in self._log.send_bodies(log, message_id, below):
            entry = orjson.loads(body)
            if release is None or release in entry["network_ids"]:
                ids.append(entry["event_id"])
        return OnRecord(len(ids), digest(ids))
