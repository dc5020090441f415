"""Raise an alarm for what should have come and did not: an entry, a metric and a line in the log.

The officer of a message's network gets a notice; of an original without a verdict nobody knows yet
which network it was for. A message without a closing statement is also asked for on `bin.replays`:
if the topic lost the statement, or the events before it, the dispatcher still has both.
"""

from datetime import timedelta

import structlog

from services.audit.domain.alarms import Alarm
from services.audit.domain.closing import alarm_id
from services.audit.domain.drafting import alarm_draft
from services.audit.domain.entries import log_of, zone_of
from services.audit.domain.notes import OPERATORS
from services.audit.flows.append_entries import AppendEntries
from services.audit.flows.count_events import CountEvents
from services.audit.flows.metrics import ALARMS, STAY_DIFFERENT
from services.audit.store.closings import Closings
from services.audit.store.copies import Copies
from services.audit.store.log import LogStore
from services.audit.store.originals import Originals
from shared.clock import Clock
from shared.contracts import Notice, Replay
from shared.contracts.registry import RoleInNetwork
from shared.mongo import Document, Session
from shared.outbox import Outbox

VERDICT_WITHIN = timedelta(minutes=10)
"""A judge answers within seconds; while its copy is behind, as soon as it has caught up."""

_NOTICE_LIFE = timedelta(days=7)
_BATCH = 50


class RaiseAlarms:
    """A job: originals without a verdict, messages without a closing statement."""

    def __init__(
        self,
        *,
        append: AppendEntries,
        log: LogStore,
        originals: Originals,
        closings: Closings,
        copies: Copies,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        """Wire."""
        self._append = append
        self._log = log
        self._count = CountEvents(log)
        self._originals = originals
        self._closings = closings
        self._copies = copies
        self._outbox = outbox
        self._clock = clock
        self._logger = structlog.get_logger(job="alarms")

    async def once(self) -> bool:
        """Look for what is overdue; tell whether an alarm was raised."""
        now = self._clock.now()
        raised = False
        for row in await self._originals.unjudged(now - VERDICT_WITHIN, _BATCH):
            raised |= await self._no_verdict(row)
        for row in await self._closings.overdue(now, _BATCH):
            raised |= await self._no_closing_as_writer(row)
        STAY_DIFFERENT.set(await self._closings.staying_different())
        return raised

    async def _no_verdict(self, row: Document) -> bool:
        # an outsider's key may hold anything: only one that names a zone chooses that zone's log
        key = row.get("key", "")  # gone with the text, where nobody looked for as long
        log = log_of(key if await self._copies.knows(key) else None)
        draft = alarm_draft(
            event_id="alarm.no_verdict." + row["_id"].replace("|", "."),
            time=self._clock.now(),
            reason=Alarm.NO_VERDICT.value,
            private={"position": row["_id"], "sha256": row["sha256"]},
        )

        async def also(session: Session) -> None:
            await self._originals.alarmed(session, row["_id"])

        done = await self._append(log, [draft], also)
        if done:
            self._raised(Alarm.NO_VERDICT, log, None)
        return done

    async def _no_closing_as_writer(self, row: Document) -> bool:
        """Raise it where this process writes the log: to count a message's sends takes a while."""
        return await self._append.as_writer(row["log"], lambda: self._no_closing(row))

    async def _no_closing(self, row: Document) -> bool:
        log, networks = row["log"], tuple(row["network_ids"])
        draft = alarm_draft(
            event_id=alarm_id(row["_id"]),
            time=self._clock.now(),
            reason=Alarm.NO_CLOSING.value,
            message_id=row["message_id"],
            network_ids=networks,
        )
        replay = None if log == OPERATORS else await self._replay(row)

        async def also(session: Session) -> None:
            await self._closings.alarmed(session, row["_id"])
            if replay is not None:
                await self._outbox.add(session, [replay], ce_ids=[replay.event_id])
            if networks and log != OPERATORS:
                notice = self._notice(row)
                await self._outbox.add(session, [notice], ce_ids=[notice.notice_id])

        done = await self._append(log, [draft], also)
        if done:
            self._raised(Alarm.NO_CLOSING, log, row["message_id"])
        return done

    async def _replay(self, row: Document) -> Replay:
        log = row["log"]
        size = await self._log.size(log)
        seen = await self._count(row, size)
        return Replay(
            event_id=alarm_id("replay|" + row["_id"]),
            zone_id=zone_of(log),
            message_id=row["message_id"],
            release=row["release"],
            revision=0,  # no statement was seen
            answer="resend",
            events_seen=seen.events,
            digest_seen=seen.digest,
            answered_at=self._clock.now(),
        )

    def _notice(self, row: Document) -> Notice:
        now = self._clock.now()
        return Notice(
            notice_id=alarm_id("notice|" + row["_id"]),
            zone_id=zone_of(row["log"]),
            to_role=RoleInNetwork(role="officer", network_id=row["network_ids"][0]),
            template="audit_alarm",
            about={"alarm": Alarm.NO_CLOSING.value, "message_id": row["message_id"]},
            issued_at=now,
            expires_at=now + _NOTICE_LIFE,
        )

    def _raised(self, alarm: Alarm, log: str, message_id: str | None) -> None:
        ALARMS.labels(alarm.value).inc()
        self._logger.error("alarm", reason=alarm.value, zone_id=log, message_id=message_id)
