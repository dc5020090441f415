"""Count the events of a message that are on record, as a closing statement counts them."""

from dataclasses import dataclass
from typing import Any

import orjson

from services.audit.domain.belonging import types_of
from services.audit.domain.closing import digest
from services.audit.store.log import LogStore
from shared.mongo import Document


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

    async def __call__(self, closing: Document, below: int) -> OnRecord:
        """Count what stands below an index of the message, or the release, that a closing is of.

        A message of another type may bear the same id: its sends are none of this one's.
        """
        kind, release = closing["message_type"], closing["release"]
        ids: list[str] = []
        async for body in self._log.send_bodies(closing["log"], closing["message_id"], below):
            entry: dict[str, Any] = orjson.loads(body)
            is_own = kind in types_of(entry, None)
            if is_own and (release is None or release in entry["network_ids"]):
                ids.append(entry["event_id"])
        return OnRecord(len(ids), digest(ids))
