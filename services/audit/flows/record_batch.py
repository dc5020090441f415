"""Record a batch of records: originals by position, everything else as entries of its log."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from services.audit.domain.closing import expected_of
from services.audit.domain.drafting import draft_of, key_drafts, send_draft
from services.audit.domain.entries import Draft, EntryType, Sealed, log_of
from services.audit.domain.send_events import read_send
from services.audit.flows.append_entries import AppendEntries
from services.audit.store.closings import Closings
from services.audit.store.copies import Copies
from services.audit.store.erasures import Erasures
from services.audit.store.messages import Messages
from services.audit.store.originals import Originals
from services.audit.store.ownership import Ownership
from shared.clock import Clock
from shared.contracts import (
    Bulletin,
    Erasure,
    Event,
    MessageClosed,
    Network,
    Send,
    Verdict,
    Zone,
)
from shared.envelope import decode_any, parse
from shared.failures import Rejected
from shared.kafka import Record
from shared.mongo import Session
from shared.topics import POLICE_TOPICS

_SEND_TYPE = Send.TYPE.encode()
_AT_ONCE = 200
"""Records parsed before whoever else waits for the processor has a turn: a few milliseconds."""

_POLICE = frozenset(topic.name for topic in POLICE_TOPICS)


@dataclass(slots=True)
class _Batch:
    originals: list[Record] = field(default_factory=list[Record])
    erasures: list[Erasure] = field(default_factory=list[Erasure])
    networks: list[Network] = field(default_factory=list[Network])
    by_log: dict[str, list[Event | Draft]] = field(
        default_factory=lambda: defaultdict[str, list[Event | Draft]](list)
    )
    """Sends as the entries that they become, everything else as it was read, in order."""


class RecordBatch:
    """What the consumer of group `audit.log` does."""

    def __init__(
        self,
        *,
        append: AppendEntries,
        ownership: Ownership,
        originals: Originals,
        messages: Messages,
        closings: Closings,
        copies: Copies,
        erasures: Erasures,
        clock: Clock,
    ) -> None:
        """Wire."""
        self._append = append
        self._ownership = ownership
        self._originals = originals
        self._messages = messages
        self._closings = closings
        self._copies = copies
        self._erasures = erasures
        self._clock = clock
        self._coming: tuple[Sequence[Record], _Batch] | None = None
        self._parsed: tuple[Sequence[Record], _Batch] | None = None

    async def prepare(self, records: Sequence[Record]) -> None:
        """Parse records whose turn comes next. What is wrong with them is said in their turn."""
        with suppress(Rejected):
            self._coming = (records, await _parse(records))

    async def claim(self, records: Sequence[Record]) -> None:
        """Parse, and become the writer of the logs concerned, before the transaction begins.

        Raises `Rejected` for a record that our services cannot have written, `Retryable` while
        another process writes one of the logs.
        """
        known, self._coming = self._coming, None
        batch = known[1] if known is not None and known[0] is records else await _parse(records)
        self._parsed = (records, batch)
        await self._ownership.keep(batch.by_log.keys())

    async def let_go(self) -> None:
        """Stop being the writer of logs whose records may come to another process now."""
        await self._ownership.let_go()

    async def store(self, session: Session, records: Sequence[Record]) -> None:
        """Store a batch in the consumer's transaction. May run twice; then it adds nothing."""
        known = self._parsed
        is_known = known is not None and known[0] is records
        batch = known[1] if known is not None and is_known else await _parse(records)
        await self._ownership.touch(session, batch.by_log.keys())
        if batch.originals:
            await self._originals.add(session, batch.originals, self._clock.now())
        await self._erasures.add(session, batch.erasures)
        await self._copies.set_networks(session, batch.networks)
        sent: dict[str, set[str | None]] = {}
        for log, events in batch.by_log.items():
            sealed = await self._record(session, log, events)
            sent[log] = {
                entry.draft.message_id for entry in sealed if entry.draft.type is EntryType.SEND
            }
        await self._closings.came(session, sent)

    async def _record(
        self, session: Session, log: str, events: Sequence[Event | Draft]
    ) -> list[Sealed]:
        drafts: list[Draft] = []
        others: list[Event] = []
        for event in events:
            if isinstance(event, Draft):
                drafts.append(event)
                continue
            others.append(event)
            if isinstance(event, Zone):
                drafts += await self._changed_keys(session, event)
            elif (draft := draft_of(event)) is not None:
                drafts.append(draft)
        sealed = await self._append.append(session, log, drafts)
        if others:
            await self._project(session, log, others, sealed)
        return sealed

    async def _changed_keys(self, session: Session, zone: Zone) -> list[Draft]:
        known = await self._copies.zone(session, zone.zone_id)
        if known is not None and known.version >= zone.version:
            return []
        await self._copies.set_zone(session, zone)
        return list(key_drafts(known, zone, self._clock.now()))

    async def _project(
        self, session: Session, log: str, events: Sequence[Event], sealed: Sequence[Sealed]
    ) -> None:
        indexes = {
            entry.draft.event_id: entry.index
            for entry in sealed
            if entry.draft.type is not EntryType.SEND
        }
        verdicts = [event for event in events if isinstance(event, Verdict)]
        await self._originals.judge(session, log, verdicts)
        listed = [
            (index, event)
            for event in events
            if isinstance(event, Verdict | Bulletin)
            and (index := indexes.get(_listed_as(event))) is not None
        ]
        await self._messages.take(session, log, listed)
        await self._closings.expect(session, log, expected_of(events))
        for event in events:
            if isinstance(event, MessageClosed):
                await self._closings.state(session, log, event, indexes.get(event.event_id))


async def _parse(records: Sequence[Record]) -> _Batch:
    """Read records. Raises `Rejected`."""
    batch = _Batch()
    for first in range(0, len(records), _AT_ONCE):
        for record in records[first : first + _AT_ONCE]:
            _read(record, batch)
        await asyncio.sleep(0)
    return batch


def _read(record: Record, batch: _Batch) -> None:
    if record.topic in _POLICE:
        batch.originals.append(record)
        return
    if _is_send(record):
        send = read_send(record.value) or parse(Send, record.value)
        batch.by_log[log_of(send.zone_id)].append(send_draft(send))
        return
    event = decode_any(record).event
    if isinstance(event, Erasure):
        batch.erasures.append(event)
    elif isinstance(event, Network):
        batch.networks.append(event)
    else:
        batch.by_log[_log_of(event)].append(event)


def _is_send(record: Record) -> bool:
    """Tell the bulk of all records apart, for less than decoding by type costs."""
    headers = dict(record.headers)
    return (
        headers.get("ce_type") == _SEND_TYPE
        and headers.get("ce_specversion") == b"1.0"
        and bool(headers.get("ce_id"))
        and len(headers) == len(record.headers)  # a doubled one is looked at the long way
    )


def _log_of(event: Event) -> str:
    zone_id: object = getattr(event, "zone_id", None)
    return log_of(None if zone_id is None else str(zone_id))


def _listed_as(event: Verdict | Bulletin) -> str:
    """Give the id of the entry that a row of the messages' list follows from."""
    if isinstance(event, Verdict):
        return event.event_id
    return f"{event.bulletin_id}.{event.network_id}"
