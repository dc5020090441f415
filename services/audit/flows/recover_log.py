"""Go on after a backup was restored: put on record what is lost, and what it parts from."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.audit.domain.alarms import Alarm, Doubt
from services.audit.domain.drafting import alarm_draft
from services.audit.flows.append_entries import Also, AppendEntries
from services.audit.flows.check_log import CheckLog
from services.audit.store.checkpoints import Checkpoints, Published
from shared.clock import Clock
from shared.failures import Fenced, Retryable
from shared.mongo import Session


class NotRecoverable(Exception):  # noqa: N818 - an answer to a request
    """The log is not that of a restored backup; the message says what it is."""


class NotNow(Retryable):
    """It may be recoverable, but not now or not here; the message says why."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was put on record."""

    log: str
    kept: int
    """Entries below this index are those of before: the last checkpoint that the backup has."""

    published: int
    """The log is signed again when it has more entries than this."""


class RecoverLog:
    """Entries that were lost can come back from the topics, but never as the same bytes.

    Their salts are lost, so no log with the published root can be made again. What can be done
    honestly is to say so: an entry names the published checkpoint that this log does not continue.
    Nothing is signed of that size or below it, so that no two checkpoints of one size exist, and
    everyone who kept one is told by `verify` where the log parted from its past.
    """

    def __init__(
        self,
        *,
        append: AppendEntries,
        checkpoints: Checkpoints,
        check_log: CheckLog,
        published_is_read: Callable[[], Awaitable[bool]],
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        """Wire; `wake` has the check of whole logs look at once."""
        self._append = append
        self._checkpoints = checkpoints
        self._check_log = check_log
        self._published_is_read = published_is_read
        self._clock = clock
        self._wake = wake

    async def __call__(self, log: str, reason: str, access: Also) -> Recovered:
        """Put it on record. Raises `NotRecoverable`, and `NotNow` where another process writes it.

        `reason` is the operator's, and stands in the private part. `access` records who did it, in
        the same transaction: what was refused, or is not possible now, changed nothing, and leaves
        no entry that says it was done.
        """
        if not await self._published_is_read():
            raise NotNow("what was published is still being read: try again in a minute")
        published = await self._checkpoints.published(log)
        if published is None:
            raise NotRecoverable("nothing of this log was published")
        if published.given_up:
            raise NotRecoverable("that this log was restored is on record already")
        signed = await self._checkpoints.last(log)
        kept = 0 if signed is None else signed.size
        if kept >= published.size:
            raise NotRecoverable("the database knows of what was published: this is no old backup")
        doubt = await self._check_log.whole(log)
        if doubt not in {Doubt.BEHIND_PUBLISHED, Doubt.NOT_PUBLISHED_LOG}:
            message = "the log continues what was published" if doubt is None else doubt.value
            raise NotRecoverable(message)
        await self._record(log, kept, published, reason, access)
        self._wake()
        return Recovered(log, kept, published.size)

    async def _record(
        self, log: str, kept: int, published: Published, reason: str, access: Also
    ) -> None:
        async def also(session: Session) -> None:
            if not await self._checkpoints.give_up(session, log, published):
                raise Fenced(log)  # asked for twice at once, or a larger one came
            await access(session)

        draft = alarm_draft(
            event_id=f"restored.{published.size}.{published.root.hex()[:16]}",
            time=self._clock.now(),
            reason=Alarm.RESTORED.value,
            private={
                "kept": kept,
                "published_size": published.size,
                "published_root": published.root.hex(),
                "explanation": reason,
            },
        )
        if not await self._append(log, [draft], also):
            raise NotNow(
                "another process writes this log: try again, which reaches that one where several "
                "share an address, or stop all but one first"
            )
