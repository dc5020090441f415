"""Show a message: what is known of it, and everything that happened to it except its sends.

A notice is no message of the police or a coordinator, so no list has it; but somebody got it, and
its entry says which template it was.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from services.audit.domain.entries import EntryType
from services.audit.store.closings import Closings
from services.audit.store.log import LogStore, Stored
from services.audit.store.messages import Messages
from services.audit.store.sends import Sends
from shared.contracts.base import MessageType
from shared.mongo import Document

_TIMELINE = [kind.value for kind in EntryType if kind is not EntryType.SEND]


@dataclass(frozen=True, slots=True)
class MessageLife:
    """A message's row, its entries, its sends counted by state, and its closings."""

    row: Document
    timeline: list[Stored]
    states: dict[str, int]
    closings: list[Document]


class ShowMessage:
    """The texts stand in the private parts of the entries, until their date."""

    def __init__(self, log: LogStore, messages: Messages, sends: Sends, closings: Closings) -> None:
        """Wire."""
        self._log = log
        self._messages = messages
        self._sends = sends
        self._closings = closings

    async def row(self, log: str, message_id: str) -> Document | None:
        """Give a message's row, or None where the log has no such message."""
        row = await self._messages.one(log, message_id)
        if row is not None:
            return row
        return _notice_row(log, message_id, await self._timeline(log, message_id))

    async def life(self, row: Document) -> MessageLife:
        """Give the life of the message of a row; the caller records the reading."""
        log, message_id = row["log"], row["message_id"]
        timeline, states, closings = await asyncio.gather(
            self._timeline(log, message_id),
            self._sends.states(log, message_id),
            self._closings.of_message(log, message_id),
        )
        return MessageLife(row=row, timeline=timeline, states=states, closings=closings)

    async def _timeline(self, log: str, message_id: str) -> list[Stored]:
        return await self._log.of_message(log, message_id, _TIMELINE)


def _notice_row(log: str, message_id: str, timeline: Iterable[Stored]) -> Document | None:
    for stored in timeline:
        entry: dict[str, Any] = orjson.loads(stored.body)
        if entry["type"] == EntryType.NOTICE:
            return {
                "log": log,
                "message_id": message_id,
                "message_type": MessageType.NOTICE.value,
                "kind": entry["template"],
                "status": None,
                "references": None,
                "network_ids": entry["network_ids"],
            }
    return None
