"""List a zone's messages, without what they say."""

from dataclasses import dataclass

from services.audit.store.messages import Messages
from shared.mongo import Document


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages, and where to go on."""

    rows: list[Document]
    next: int | None


class ListMessages:
    """The newest first, in the order of their first entries; so paging is stable."""

    def __init__(self, messages: Messages) -> None:
        """Wire."""
        self._messages = messages

    async def __call__(self, log: str, below: int | None, most: int) -> MessagePage:
        """Give up to `most` messages."""
        rows = await self._messages.page(log, below, most)
        return MessagePage(rows, rows[-1]["first"] if len(rows) == most else None)
