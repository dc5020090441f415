"""Answer closing statements: is everything that they speak of on record?"""

import uuid
from functools import partial
from typing import Literal

import structlog

from services.audit.domain.alarms import Alarm
from services.audit.domain.closing import MOST_REQUESTS, stays_different_id, wait_after
from services.audit.domain.drafting import alarm_draft
from services.audit.domain.entries import Draft, EntryType, zone_of
from services.audit.flows.append_entries import Also, AppendEntries
from services.audit.flows.count_events import CountEvents, OnRecord
from services.audit.flows.metrics import ALARMS, ANSWERS, STAY_DIFFERENT
from services.audit.store.closings import COUNTED_AGAIN, Closings, has_come
from services.audit.store.log import LogStore
from shared.clock import Clock
from shared.contracts import Replay
from shared.failures import Fenced
from shared.mongo import Document, Session
from shared.outbox import Outbox

_BATCH = 50
_NAMESPACE = uuid.UUID("7d1b9c0e-3a52-5f7e-9a64-2c8f0b6e41d3")

Answer = Literal["agreed", "resend"]


class AnswerClosings:
    """A job: `agreed` or `resend` on `bin.replays`, and an entry either way.

    Events are asked for again after longer and longer waits; in the end there is an alarm.

    Counting the events of a message to 100,000 people takes seconds of the processor. So only the
    process that writes the log counts, once for each statement, and then where some of them came:
    once a minute at most.
    """

    def __init__(
        self,
        append: AppendEntries,
        log: LogStore,
        closings: Closings,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        """Wire."""
        self._append = append
        self._log = log
        self._count = CountEvents(log)
        self._closings = closings
        self._outbox = outbox
        self._clock = clock
        self._rests: dict[str, tuple[str, float]] = {}
        """Statements whose answer could not be written, and until when: is their log broken?"""

        self._logger = structlog.get_logger(job="answers")

    async def once(self) -> bool:
        """Answer what is open; tell whether something was answered."""
        answered = False
        for row in await self._closings.asking(self._clock.now(), _BATCH):
            if not self._is_resting(row):
                look = partial(self._look, row)
                answered |= await self._append.as_writer(row["log"], look)
        return answered

    def _is_resting(self, row: Document) -> bool:
        event_id, until = self._rests.get(row["_id"], ("", 0.0))
        return event_id == row["event_id"] and self._clock.monotonic() < until

    async def _look(self, row: Document) -> bool:
        size = await self._log.size(row["log"])
        stated = OnRecord(row["events"], row["digest"])
        seen = await self._seen(row, size, stated)
        if seen == stated:
            return await self._answer(row, "agreed", seen, size)
        again_at = row.get("again_at")
        waits = again_at is not None and again_at > self._clock.now()
        if waits or row.get("stays_different"):
            # each request has the dispatcher state it anew: answering at once would never end
            await self._closings.looked(row, size)
            return False
        if row.get("requests", 0) >= MOST_REQUESTS:
            return await self._give_up(row)
        return await self._answer(row, "resend", seen, size)

    async def _seen(self, row: Document, size: int, stated: OnRecord) -> OnRecord:
        """Count what is on record, or give what was counted where nothing came since.

        Only a difference is taken from a row: that all is there, the log itself has to say.
        """
        kept = row.get("seen")
        if kept is not None and not has_come(row):
            seen = OnRecord(int(kept["events"]), str(kept["digest"]))
            if seen != stated:
                return seen
        bound = size if row.get("looked_at") is not None or row["bound"] is None else row["bound"]
        seen = await self._count(row, bound)
        if seen != stated:
            await self._closings.counted(row, seen.events, seen.digest, self._clock.now())
        return seen

    async def _answer(self, row: Document, answer: Answer, seen: OnRecord, size: int) -> bool:
        now = self._clock.now()
        name = "|".join((row["_id"], row["event_id"], answer, str(row.get("attempts", 0) + 1)))
        replay = Replay(
            event_id=str(uuid.uuid5(_NAMESPACE, name)),
            zone_id=zone_of(row["log"]),
            message_id=row["message_id"],
            release=row["release"],
            revision=row["revision"],
            answer=answer,
            events_seen=seen.events,
            digest_seen=seen.digest,
            answered_at=now,
        )
        wait = None if answer == "agreed" else wait_after(int(row.get("requests", 0)) + 1)
        again_at = None if wait is None else now + wait

        async def also(session: Session) -> None:
            if not await self._closings.answered(session, row, answer, size, again_at):
                raise Fenced(row["_id"])  # another statement came meanwhile: that one is answered
            await self._outbox.add(session, [replay], ce_ids=[replay.event_id])

        done = await self._written(row, _draft(replay, row), also)
        if done:
            ANSWERS.labels(answer).inc()
            if answer == "resend":
                ALARMS.labels(Alarm.CLOSING_DIFFERS.value).inc()
            STAY_DIFFERENT.set(await self._closings.staying_different())
        return done

    async def _written(self, row: Document, draft: Draft, also: Also) -> bool:
        done = await self._append(row["log"], [draft], also)
        if done:
            self._rests.pop(row["_id"], None)
        else:
            until = self._clock.monotonic() + COUNTED_AGAIN.total_seconds()
            self._rests[row["_id"]] = (row["event_id"], until)
        return done

    async def _give_up(self, row: Document) -> bool:
        draft = alarm_draft(
            event_id=stays_different_id(row["_id"], row["attempts"]),
            time=self._clock.now(),
            reason=Alarm.CLOSING_STAYS_DIFFERENT.value,
            message_id=row["message_id"],
            network_ids=() if row["release"] is None else (row["release"],),
            private={"revision": row["revision"], "requests": row["requests"]},
        )

        async def also(session: Session) -> None:
            if not await self._closings.gave_up(session, row):
                raise Fenced(row["_id"])

        done = await self._written(row, draft, also)
        if done:
            reason = Alarm.CLOSING_STAYS_DIFFERENT.value
            ALARMS.labels(reason).inc()
            STAY_DIFFERENT.set(await self._closings.staying_different())
            self._logger.error("alarm", reason=reason, zone_id=row["log"])
        return done


def _draft(replay: Replay, row: Document) -> Draft:
    return Draft(
        event_id=replay.event_id,
        type=EntryType.ANSWER,
        time=replay.answered_at,
        message_id=replay.message_id,
        network_ids=() if replay.release is None else (replay.release,),
        state=replay.answer,
        reason=None if replay.answer == "agreed" else Alarm.CLOSING_DIFFERS.value,
        private={
            "revision": replay.revision,
            "events_stated": row["events"],
            "digest_stated": row["digest"],
            "events_seen": replay.events_seen,
            "digest_seen": replay.digest_seen,
        },
    )
