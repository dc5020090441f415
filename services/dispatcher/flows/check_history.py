"""Notice a database that is older than its own topics, and let nothing out before `recover`."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from datetime import timedelta

import structlog
from pymongo.errors import PyMongoError

from services.dispatcher.domain.events import SOURCE
from services.dispatcher.flows.judge_alert import ALERTS_GROUP
from services.dispatcher.store.restored import Restored
from shared.clock import Clock
from shared.consume import PositionStore
from shared.contracts import Event, MessageClosed, MessagePlanned, Send, Verdict
from shared.envelope import decode_any, header
from shared.failures import Rejected, Retryable, Stalled
from shared.kafka import Log
from shared.records import Partition, Positions, Record
from shared.tasks import Task
from shared.topics import SENDS, VERDICTS

OWN_TOPICS = (VERDICTS.name, SENDS.name)
DOUBT = (
    "the database is older than its own topics (a restored backup?): nothing is judged or sent; "
    "'buurtbode recover dispatcher' as an operator, see docs/operations.md"
)


class CheckHistory:
    """Holds everything at the start, until all that we published is known to the database.

    The database keeps marks of how far it knew its topics; what stands beyond is read back, a few
    seconds' worth on a good day. An event is stored before it is published, so one that is not
    known was stored in another life of this database.
    """

    def __init__(
        self,
        *,
        restored: Restored,
        positions: PositionStore,
        log: Log,
        clock: Clock,
        interval: timedelta,
    ) -> None:
        """Wire; `interval` is how often the marks move, and a doubt is looked at again."""
        self._restored = restored
        self._positions = positions
        self._log = log
        self._clock = clock
        self._interval = interval.total_seconds()
        self._marked: Positions = {}
        self._logger = structlog.get_logger(part="history")
        self.known = asyncio.Event()
        """Set while the database knows what it published."""

        self.why: str | None = "what was published is being compared with the database"

    def require(self) -> None:
        """Raise `Retryable` where a change would build on what the database forgot."""
        if not self.known.is_set():
            raise Retryable(self.why or DOUBT)

    def after(self, task: Task) -> Task:
        """Give a task that begins once the database is known to be whole."""

        async def held() -> None:
            await self.known.wait()
            await task()

        return held

    async def run(self) -> None:
        """Compare, then keep the marks. Raises `Stalled` where the database went back in time."""
        while True:
            if self.known.is_set():
                await self._mark()
            else:
                await self._look()
            await asyncio.sleep(self._interval)

    async def _look(self) -> None:
        try:
            self.why = await self._restored.doubt() or await self._compare()
        except (Retryable, PyMongoError) as error:
            self._logger.warning("tries again", error=type(error).__name__)
            return
        if self.why is None:
            self.known.set()

    async def _compare(self) -> str | None:
        ends = await self._log.end_offsets(OWN_TOPICS)
        async with aclosing(self._log.read(await self._restored.marks(), ends)) as pages:
            async for records in pages:
                if not await self._knows(list(own_events(records))):
                    self._logger.critical("the database is older than its topics")
                    await self._restored.set_doubt(DOUBT, self._clock.now())
                    return DOUBT
        await self._restored.mark(ends)
        return None

    async def _knows(self, events: Sequence[Event]) -> bool:
        if not await self._restored.knows_sends([one for one in events if isinstance(one, Send)]):
            return False
        judged: Positions = {}
        for event in events:
            match event:
                case Verdict(original=original):
                    at = Partition(original.topic, original.partition)
                    judged[at] = max(judged.get(at, 0), original.offset + 1)
                case MessagePlanned() if not await self._restored.knows_plan(event):
                    return False
                case MessageClosed() if not await self._restored.knows_closing(event):
                    return False
                case _:
                    pass
        return await self._positions.passed(ALERTS_GROUP, judged)

    async def _mark(self) -> None:
        """Move the marks to the ends: whatever stands on the topics now was stored before."""
        try:
            marks = await self._restored.marks()
            if any(marks.get(partition, 0) < end for partition, end in self._marked.items()):
                raise Stalled("the database went back in time while we ran")
            ends = await self._log.end_offsets(OWN_TOPICS)
            if any(marks.get(partition, 0) < end for partition, end in ends.items()):
                await self._restored.mark(ends)
            self._marked = {p: max(end, marks.get(p, 0)) for p, end in ends.items()}
        except (Retryable, PyMongoError) as error:
            self._logger.warning("tries again", error=type(error).__name__)


def own_events(records: Sequence[Record]) -> Iterator[Event]:
    """Give the events among these that a dispatcher wrote; the registry writes verdicts too."""
    for record in records:
        if header(record, "ce_source") != SOURCE:
            continue
        try:
            yield decode_any(record).event
        except Rejected:
            continue  # from a newer version of ours: nothing that this one could have stored
