"""Give what auditors list as the rows of a table, page by page, in memory that does not grow."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date
from functools import partial
from typing import Any, cast

import orjson

from services.audit.domain.pages import Cursor, Item, Page
from services.audit.domain.spreadsheet import Row
from services.audit.flows.count_sends import CountSends
from services.audit.flows.list_access import ListAccess
from services.audit.flows.list_sends import ListSends
from services.audit.store.log import Stored
from services.audit.store.sends import SendFilter

_PAGE = 500
_SEND = (
    *("index", "time", "send_id", "seq", "message_id", "network_ids", "lane", "channel", "state"),
    *("reason", "attempt", "language", "template", "segments"),
)
_BASIS = ("legal", "house_rules", "communication_plan")
_ACCESS = ("index", "time", "state", "reason", "actor", "network_ids", "message_id")
_WHO = ("service", "reader", "reason")
_COUNT = ("zone_id", "day", "network_id", "network_name", "channel", "state", "count")

Rows = AsyncIterator[Sequence[Row]]


class ExportRows:
    """The first row names the columns, by the fields of the entries."""

    def __init__(
        self, list_sends: ListSends, list_access: ListAccess, count_sends: CountSends
    ) -> None:
        """Wire."""
        self._list_sends = list_sends
        self._list_access = list_access
        self._count_sends = count_sends

    async def sends(self, log: str, wanted: SendFilter) -> Rows:
        """Give each send by its latest entry, the newest first."""
        yield [(*_SEND, *_BASIS)]
        async for bodies in _pages(partial(self._list_sends, log, wanted, most=_PAGE)):
            yield [_send(body) for body in bodies]

    async def accesses(self, log: str) -> Rows:
        """Give who read or changed what, the newest first."""
        yield [("index", "time", "kind", "action", *_ACCESS[4:], "service", "reader", "why")]
        async for entries in _pages(partial(self._list_access, log, most=_PAGE)):
            yield [_access(entry) for entry in entries]

    async def counts(self, log: str | None, since: date | None, until: date | None) -> Rows:
        """Give the counters of one log, or of all; of all years where none is named."""
        yield [_COUNT]
        pages = _pages(partial(self._count_sends, log, since, until, limit=_PAGE))
        async for counts in pages:
            yield [[getattr(count, name) for name in _COUNT] for count in counts]


async def _pages(
    read: Callable[[Cursor | None], Awaitable[Page[Item, Cursor]]],
) -> AsyncIterator[list[Item]]:
    cursor: Cursor | None = None
    while True:
        page = await read(cursor)
        yield page.items
        if page.next is None:
            return
        cursor = page.next


def _send(body: bytes) -> Row:
    entry: dict[str, Any] = orjson.loads(body)
    basis: dict[str, Any] = entry["basis"] or {}
    return [*(_text(entry[name]) for name in _SEND), *(_text(basis.get(name)) for name in _BASIS)]


def _access(stored: Stored) -> Row:
    entry: dict[str, Any] = orjson.loads(stored.body)
    part: dict[str, Any] = {} if stored.part is None else orjson.loads(stored.part)
    return [*(_text(entry[name]) for name in _ACCESS), *(_text(part.get(name)) for name in _WHO)]


def _text(value: Any) -> str | int | None:
    if isinstance(value, list):
        return " ".join(cast("list[str]", value))
    if isinstance(value, dict):
        pairs = cast("dict[str, int]", value)
        return " ".join(f"{name}:{version}" for name, version in sorted(pairs.items()))
    return value if value is None or isinstance(value, int) else str(value)
