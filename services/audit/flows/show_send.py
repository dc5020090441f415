"""Show one send's whole history."""

from dataclasses import dataclass
from typing import Any

import orjson

from services.audit.domain.pages import page_of
from services.audit.store.log import LogStore, Stored
from services.audit.store.sends import Sends


@dataclass(frozen=True, slots=True)
class SendHistory:
    """Some entries of a send, and whom it is about."""

    entries: list[Stored]
    next: int | None
    message_id: str
    member_ids: tuple[str, ...]
    """Whom its latest private part names; nobody once that is erased or has ended."""

    recipient: str | None


class ShowSend:
    """The entries of a send in the order of the log, with private parts where they still exist."""

    def __init__(self, log: LogStore, sends: Sends) -> None:
        """Wire."""
        self._log = log
        self._sends = sends

    async def __call__(
        self, log: str, send_id: str, after: int | None, most: int
    ) -> SendHistory | None:
        """Give up to `most` entries behind an index; the caller records the reading.

        None where there is no such send: then nothing is read.
        """
        row = await self._sends.one(log, send_id)
        if row is None:
            return None
        indexes = [index for index in row["entries"] if after is None or index > after]
        page, latest = page_of(indexes, most, int), int(row["last"])
        read = {entry.index: entry for entry in await self._log.at(log, [*page.items, latest])}
        about = _part(read.get(latest))
        return SendHistory(
            entries=[read[index] for index in page.items],
            next=page.next,
            message_id=row["message_id"],
            member_ids=tuple(about.get("member_ids", ())),
            recipient=about.get("recipient"),
        )


def _part(stored: Stored | None) -> dict[str, Any]:
    return {} if stored is None or stored.part is None else orjson.loads(stored.part)
