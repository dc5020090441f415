"""Check the lists of messages and of closings against the entries that they follow from."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import orjson

from services.audit.domain.retold import TOLD_BY, Told, closings_follow, messages_follow
from services.audit.store.closings import Closings
from services.audit.store.log import LogStore, Stored
from services.audit.store.messages import Messages
from shared.mongo import Client, Session, transaction

_AT_ONCE = 100
"""Messages compared in one snapshot, so that rows and entries are of one moment."""

_TYPES = [kind.value for kind in TOLD_BY]


class CheckMessages:
    """Holds what an auditor reads of a message against the log."""

    def __init__(
        self, client: Client, log: LogStore, messages: Messages, closings: Closings
    ) -> None:
        """Wire."""
        self._client = client
        self._log = log
        self._messages = messages
        self._closings = closings

    async def listed(self, log: str) -> set[str]:
        """Give the ids of the messages that rows name, whether an entry does or not."""
        return await self._messages.ids(log) | await self._closings.ids(log)

    async def follow(self, log: str, message_ids: Iterable[str]) -> bool:
        """Tell whether the rows of messages are those that their entries make."""
        ids = sorted(message_ids)
        for first in range(0, len(ids), _AT_ONCE):
            some = ids[first : first + _AT_ONCE]
            if not await self._all_follow(log, some):
                return False
        return True

    async def _all_follow(self, log: str, message_ids: Sequence[str]) -> bool:
        return await transaction(
            self._client, lambda session: self._hold(session, log, message_ids)
        )

    async def _hold(self, session: Session, log: str, message_ids: Sequence[str]) -> bool:
        told: dict[str, list[Told]] = defaultdict(list)
        for stored in await self._log.told_of(session, log, message_ids, _TYPES):
            item = _told(stored)
            told[str(item.entry["message_id"])].append(item)
        rows = await self._messages.of(session, log, message_ids)
        closings = await self._closings.of(session, log, message_ids)
        return all(
            messages_follow(log, [row for row in rows if row["message_id"] == name], told[name])
            and closings_follow(
                log, [row for row in closings if row["message_id"] == name], told[name]
            )
            for name in message_ids
        )


def _told(stored: Stored) -> Told:
    part = None if stored.part is None else orjson.loads(stored.part)
    return Told(orjson.loads(stored.body), part)
