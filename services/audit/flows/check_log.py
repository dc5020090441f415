"""Check a whole log against itself, its last checkpoint and what was published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson

from services.audit.domain.alarms import Doubt
from services.audit.domain.entries import private_hash
from services.audit.domain.merkle import Frontier, leaf_hash
from services.audit.store.checkpoints import Checkpoints
from services.audit.store.log import LogStore, Stored
from shared.mongo import Document

WHOLE_EVERY = timedelta(days=1)
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class _Root:
    """What a log of a size must have as its root, and the doubt where it has another."""

    size: int
    root: bytes
    doubt: Doubt


class CheckLog:
    """Rebuilds the tree from the entries, and holds every private part against its entry."""

    def __init__(self, log: LogStore, checkpoints: Checkpoints) -> None:
        """Wire."""
        self._log = log
        self._checkpoints = checkpoints

    async def whole(self, log: str) -> Doubt | None:
        """Give the first doubt about a log, or None."""
        head = await self._log.head(log)
        if head is None:
            return None
        roots: list[_Root] = []
        signed, published = (
            await self._checkpoints.last(log),
            await self._checkpoints.published(log),
        )
        if published is not None and not published.given_up:
            if published.size > head.size:
                return Doubt.BEHIND_PUBLISHED
            roots.append(_Root(published.size, published.root, Doubt.NOT_PUBLISHED_LOG))
        if signed is not None:
            if signed.frontier.root() != signed.root or signed.size > head.size:
                return Doubt.NOT_SIGNED_LOG
            roots.append(_Root(signed.size, signed.root, Doubt.NOT_SIGNED_LOG))
        frontier = Frontier()
        doubt = await self._rebuild(log, frontier, head.size, roots)
        if doubt is None and frontier.hashes != head.frontier.hashes:
            return Doubt.NOT_THE_HEAD
        return doubt

    async def _rebuild(
        self, log: str, frontier: Frontier, size: int, roots: Sequence[_Root]
    ) -> Doubt | None:
        for start in range(0, size, _PAGE):
            end = min(start + _PAGE, size)
            stored = {entry.index: entry for entry in await self._log.page(log, start, end)}
            async for row in self._log.rows(log, start, end):
                body = bytes(row["body"])
                frontier.append(leaf_hash(body))
                doubt = _row_doubt(row, frontier.size - 1, stored.get(frontier.size - 1))
                for root in roots:
                    if root.size == frontier.size and frontier.root() != root.root:
                        return root.doubt
                if doubt is not None:
                    return doubt
        return None if frontier.size == size else Doubt.NOT_THE_HEAD


def _row_doubt(row: Document, index: int, stored: Stored | None) -> Doubt | None:
    try:
        entry = orjson.loads(row["body"])
    except orjson.JSONDecodeError:
        return Doubt.FIELDS_DIFFER
    if entry.get("index") != index:
        return Doubt.OUT_OF_ORDER
    if any(row[name] != entry.get(name) for name in ("event_id", "type", "message_id")):
        return Doubt.FIELDS_DIFFER
    if stored is None or stored.part is None or stored.salt is None:
        return None
    holds = private_hash(stored.salt, stored.part) == entry["private"]
    return None if holds else Doubt.PRIVATE_DIFFERS
