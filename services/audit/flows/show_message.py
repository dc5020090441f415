"""Show a message: what is known of it, and everything that happened to it except its sends.

A notice is no message of the police or a coordinator, so no list has it; but somebody got it, and
its entry says which template it was.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson

from services.audit.domain.belonging import types_of
from services.audit.domain.entries import EntryType
from services.audit.domain.pages import page_of
from services.audit.store.closings import Closings
from services.audit.store.log import LogStore, Stored
from services.audit.store.messages import Messages
from services.audit.store.sends import Sends
from shared.contracts.base import MessageType
from shared.contracts.dispatcher import VerdictKind
from shared.mongo import Document

_TIMELINE = [kind.value for kind in EntryType if kind is not EntryType.SEND]


@dataclass(frozen=True, slots=True)
class MessageLife:
    """A message's row, its entries, its sends counted by state, and its closings."""

    row: Document
    timeline: list[Stored]
    states: dict[str, int]
    closings: list[Document]
    next: int | None = None
    """Where the timeline goes on; None at its end."""


class ShowMessage:
    """The texts stand in the private parts of the entries, until their date.

    An alert and a bulletin may bear one id, since ids are claimed per type: each has its own life.
    """

    def __init__(self, log: LogStore, messages: Messages, sends: Sends, closings: Closings) -> None:
        """Wire."""
        self._log = log
        self._messages = messages
        self._sends = sends
        self._closings = closings

    async def row(
        self, log: str, message_id: str, message_type: MessageType | None = None
    ) -> Document | None:
        """Give a message's row, or None where the log has no such message.

        Where no type is named and several messages bear the id: the one that was accepted or
        released, since anybody may write a record that is refused; of two of these, the one that
        was first on record.
        """
        rows = await self._messages.named(log, message_id)
        wanted = [row for row in rows if message_type in {None, row["message_type"]}]
        if wanted:
            return next((row for row in wanted if _went_out(row)), wanted[0])
        if message_type in {None, MessageType.NOTICE}:
            return await self._notice_row(log, message_id)
        return None

    async def life(
        self, row: Document, after: int | None = None, most: int | None = None
    ) -> MessageLife:
        """Give the life of the message of a row; the caller records the reading.

        The timeline is whole, or a page: `most` entries behind an index.
        """
        log, message_id = row["log"], row["message_id"]
        timeline, states, closings = await asyncio.gather(
            self._timeline(row, after, most),
            self._states(row),
            self._closings.of_message(log, message_id),
        )
        page = page_of(timeline, most or len(timeline), lambda entry: entry.index)
        return MessageLife(
            row=row,
            timeline=page.items,
            states=states,
            closings=[one for one in closings if one["message_type"] == row["message_type"]],
            next=page.next,
        )

    async def _timeline(self, row: Document, after: int | None, most: int | None) -> list[Stored]:
        """Give the entries behind an index: one more than is shown, where there are as many."""
        found: list[Stored] = []
        while True:
            some = await self._log.of_message(
                row["log"], row["message_id"], _TIMELINE, after, None if most is None else most + 1
            )
            found += [stored for stored in some if _is_of(row, stored)]
            if most is None or len(some) <= most or len(found) > most:
                return found
            after = some[-1].index

    async def _states(self, row: Document) -> dict[str, int]:
        log, message_id = row["log"], row["message_id"]
        bearing = await self._messages.named(log, message_id)
        if all(other["message_type"] == row["message_type"] for other in bearing):
            return await self._sends.states(log, message_id)
        # the counters know the id alone, the sends themselves know what they are of
        latest: dict[str, tuple[int, str]] = {}
        async for body in self._log.send_bodies(log, message_id, await self._log.size(log)):
            entry: dict[str, Any] = orjson.loads(body)
            if row["message_type"] in types_of(entry, None):
                change = (entry["seq"], entry["state"])
                latest[entry["send_id"]] = max(change, latest.get(entry["send_id"], change))
        return dict(sorted(Counter(state for _, state in latest.values()).items()))

    async def _notice_row(self, log: str, message_id: str) -> Document | None:
        found = await self._log.of_message(log, message_id, [EntryType.NOTICE.value], most=1)
        if not found:
            return None
        entry: dict[str, Any] = orjson.loads(found[0].body)
        return {
            "log": log,
            "message_id": message_id,
            "message_type": MessageType.NOTICE.value,
            "kind": entry["template"],
            "status": None,
            "references": None,
            "network_ids": entry["network_ids"],
        }


def _went_out(row: Document) -> bool:
    return row.get("verdict") == VerdictKind.ACCEPTED or "released_to" in row


def _is_of(row: Document, stored: Stored) -> bool:
    part = None if stored.part is None else orjson.loads(stored.part)
    return row["message_type"] in types_of(orjson.loads(stored.body), part)
