"""Check a whole log against itself, its last checkpoint and what was published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from services.audit.domain.alarms import Doubt
from services.audit.domain.entries import LASTING, EntryType, private_hash
from services.audit.domain.merkle import Frontier, leaf_hash
from services.audit.domain.notes import Checkpoint, NoteRefused, Verifier, open_with, origin_of
from services.audit.store.blocks import BrokenLog
from services.audit.store.checkpoints import Checkpoints, Signed
from services.audit.store.log import Head, LogStore, Stored
from shared.mongo import Client, Document, transaction

WHOLE_EVERY = timedelta(days=1)
OVERDUE = 2 * WHOLE_EVERY
"""After how long without one that ended somebody has to look why."""

_PAGE = 1000
MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What reading a row raises that somebody took a field from, or put something else into."""


@dataclass(frozen=True, slots=True)
class _Root:
    """What a log of a size must have as its root, and the doubt where it has another."""

    size: int
    root: bytes
    doubt: Doubt


class CheckLog:
    """Rebuilds the tree from the entries, and holds every private part against its entry."""

    def __init__(
        self,
        client: Client,
        log: LogStore,
        checkpoints: Checkpoints,
        verifiers: Callable[[str], Sequence[Verifier]],
    ) -> None:
        """Wire; `verifiers` gives the public keys of a log."""
        self._client = client
        self._verifiers = verifiers
        self._log = log
        self._checkpoints = checkpoints

    async def whole(self, log: str) -> Doubt | None:
        """Give the first doubt about a log, or None."""
        try:
            return await self._doubt(log)
        except (BrokenLog, *MALFORMED):
            return Doubt.MALFORMED

    async def _doubt(self, log: str) -> Doubt | None:
        # in this order, since the log grows meanwhile: what is read later is never behind
        published = await self._checkpoints.published(log)
        signed = await self._checkpoints.last(log)
        # without a head, a log has no entries: right only if nothing was ever signed of it
        head = await self._log.head(log) or Head(log, Frontier())
        roots: list[_Root] = []
        if published is not None and not published.given_up:
            if published.size > head.size:
                return Doubt.BEHIND_PUBLISHED
            roots.append(_Root(published.size, published.root, Doubt.NOT_PUBLISHED_LOG))
        if signed is not None:
            if signed.frontier.root() != signed.root or signed.size > head.size:
                return Doubt.NOT_SIGNED_LOG
            if not self.is_its_note(log, signed):
                return Doubt.NOT_ITS_NOTE
            roots.append(_Root(signed.size, signed.root, Doubt.NOT_SIGNED_LOG))
        frontier = Frontier()
        doubt = await self._rebuild(log, frontier, head.size, roots)
        if doubt is None and frontier.hashes != head.frontier.hashes:
            return Doubt.NOT_THE_HEAD
        return doubt or await self._surplus(log)

    async def _surplus(self, log: str) -> Doubt | None:
        """Look for rows that readers would be shown, and that are none of the log's entries."""
        found = await transaction(self._client, lambda session: self._log.has_surplus(session, log))
        return Doubt.SURPLUS if found else None

    def is_its_note(self, log: str, signed: Signed) -> bool:
        """Tell whether a stored checkpoint is what its note says, signed by the log's key."""
        try:
            _, told = open_with(self._verifiers(log), signed.note)
        except NoteRefused:
            return False
        return told == Checkpoint(origin_of(log), signed.size, signed.root)

    async def _rebuild(
        self, log: str, frontier: Frontier, size: int, roots: Sequence[_Root]
    ) -> Doubt | None:
        async for page in self._log.pages(log, 0, size, _PAGE):
            rows = await self._log.rows(log, frontier.size, frontier.size + len(page))
            for stored in page:
                frontier.append(leaf_hash(stored.body))
                doubt = _entry_doubt(log, stored, rows.get(stored.index))
                for root in roots:
                    if root.size == frontier.size and frontier.root() != root.root:
                        return root.doubt
                if doubt is not None:
                    return doubt
        return None if frontier.size == size else Doubt.NOT_THE_HEAD


def _entry_doubt(log: str, stored: Stored, row: Document | None) -> Doubt | None:
    try:
        entry = orjson.loads(stored.body)
    except orjson.JSONDecodeError:
        return Doubt.FIELDS_DIFFER
    if entry.get("index") != stored.index:
        return Doubt.OUT_OF_ORDER
    if not _is_found(log, entry, row):
        return Doubt.FIELDS_DIFFER  # it would be hidden from its message
    if stored.part is None or stored.salt is None:
        lasting = entry["private"] is not None and entry["type"] in LASTING
        return Doubt.PRIVATE_MISSING if lasting else None
    holds = private_hash(stored.salt, stored.part) == entry["private"]
    return None if holds else Doubt.PRIVATE_DIFFERS


def _is_found(log: str, entry: Mapping[str, Any], row: Document | None) -> bool:
    """Tell whether an entry is found by what it says; a send is found by a row of its own."""
    if entry.get("type") == EntryType.SEND or row is None:
        return entry.get("type") == EntryType.SEND and row is None
    names = ("event_id", "type", "message_id")
    return row["log"] == log and all(row[name] == entry.get(name) for name in names)
