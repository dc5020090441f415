"""List the messages that somebody may see, newest first."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from services.dispatcher.domain.message import Message
from services.dispatcher.flows.visible_messages import scope_of
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.coverage import Coverage
from shared.callers import Caller
from shared.http import Problem


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and the cursor of the next one."""

    items: list[Message]
    next: str | None


class ListMessages:
    """Pages by time of acceptance, stable while new messages come in."""

    def __init__(self, *, coverage: Coverage, copy: Copy) -> None:
        """Wire."""
        self._coverage = coverage
        self._copy = copy

    async def page(self, caller: Caller, cursor: str | None, limit: int) -> Page:
        """Give a page. Raises `Problem` for a cursor that is none of ours."""
        scope = await scope_of(caller, self._copy)
        before = None if cursor is None else _read(cursor)
        found = await self._coverage.page(scope.zone_id, scope.network_ids, before, limit + 1)
        more = len(found) > limit
        items = found[:limit]
        following = None
        if more:
            row_id, last = items[-1]
            following = _write(last.accepted_at, row_id)
        return Page([message for _, message in items], following)


def _write(at: datetime, row_id: str) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode()


def _read(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, row_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        moment = datetime.fromisoformat(at)
    except (ValueError, binascii.Error):
        raise _invalid() from None
    if moment.tzinfo is None or not row_id:
        raise _invalid()
    return moment, row_id


def _invalid() -> Problem:
    return Problem(422, "invalid-cursor", "Use the `next` of the page before.", field="cursor")
