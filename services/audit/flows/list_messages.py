"""List a zone's messages, without what they say."""

from services.audit.domain.pages import Page, page_of
from services.audit.store.messages import Messages
from shared.mongo import Document


class ListMessages:
    """The newest first, in the order of their first entries; so paging is stable."""

    def __init__(self, messages: Messages) -> None:
        """Wire."""
        self._messages = messages

    async def __call__(self, log: str, below: int | None, most: int) -> Page[Document, int]:
        """Give up to `most` messages."""
        rows = await self._messages.page(log, below, most + 1)
        return page_of(rows, most, lambda row: int(row["first"]))
