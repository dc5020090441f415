"""Show a message: what is known of it, and everything that happened to it except its sends."""

from dataclasses import dataclass

from services.audit.domain.entries import EntryType
from services.audit.store.closings import Closings
from services.audit.store.log import LogStore, Stored
from services.audit.store.messages import Messages
from services.audit.store.sends import Sends
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

    async def __call__(self, log: str, message_id: str) -> MessageLife | None:
        """Give a message's life, or None where the log has no such message."""
        row = await self._messages.one(log, message_id)
        if row is None:
            return None
        return MessageLife(
            row=row,
            timeline=await self._log.of_message(log, message_id, _TIMELINE),
            states=await self._sends.states(log, message_id),
            closings=await self._closings.of_message(log, message_id),
        )
