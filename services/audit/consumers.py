"""The two consumers: everything that becomes an entry, and what was published as signed."""

import asyncio
from collections.abc import Sequence

from services.audit.flows.record_batch import RecordBatch
from services.audit.store.checkpoints import Checkpoints
from shared.clock import Clock
from shared.consume import After, Ahead, Consumer, PositionStore
from shared.contracts import Checkpoint
from shared.envelope import decode
from shared.kafka import Log, Positions, Record
from shared.mongo import Client, Database, Session
from shared.outbox import Outbox
from shared.topics import CHECKPOINTS, SOURCE_TOPICS, Party, group

LOG_GROUP = group(Party.AUDIT, "log")
CHECKPOINT_GROUP = group(Party.AUDIT, "checkpoints")
LOGGED = tuple(
    topic.name
    for topic in SOURCE_TOPICS
    if Party.AUDIT in topic.readers and topic is not CHECKPOINTS
)
_BATCH = 4000
"""Records per transaction: pays its fixed cost, and leaves time to answer HTTP between two."""


def log_consumer(
    record: RecordBatch,
    *,
    log: Log,
    client: Client,
    database: Database,
    outbox: Outbox,
    clock: Clock,
    after: After,
    spare: asyncio.Event,
) -> Consumer:
    """Make the consumer that fills the logs.

    `after` hears of each batch that is stored; `spare` is set once all of one is sealed.
    """
    return Consumer(
        group=LOG_GROUP,
        topics=LOGGED,
        apply=record.store,
        before=record.claim,
        ahead=Ahead(record.prepare, spare),
        let_go=record.let_go,
        after=after,
        log=log,
        client=client,
        database=database,
        outbox=outbox,
        service=Party.AUDIT,
        clock=clock,
        most=_BATCH,
    )


def checkpoint_consumer(
    checkpoints: Checkpoints,
    *,
    log: Log,
    client: Client,
    database: Database,
    outbox: Outbox,
    clock: Clock,
) -> Consumer:
    """Make the consumer that learns what the world has seen."""

    async def apply(session: Session, records: Sequence[Record]) -> None:
        await checkpoints.saw(session, [decode(record, Checkpoint).event for record in records])

    return Consumer(
        group=CHECKPOINT_GROUP,
        topics=[CHECKPOINTS.name],
        apply=apply,
        log=log,
        client=client,
        database=database,
        outbox=outbox,
        service=Party.AUDIT,
        clock=clock,
    )


class PublishedIsRead:
    """Whether everything has been read that `bin.checkpoints` held when this process started."""

    def __init__(self, log: Log, database: Database) -> None:
        """Wire; the ends are asked for at the first call."""
        self._log = log
        self._positions = PositionStore(database)
        self._ends: Positions | None = None
        self._read = False

    async def __call__(self) -> bool:
        """Tell. Raises `Retryable` while Kafka is away."""
        if self._ends is None:
            self._ends = await self._log.end_offsets([CHECKPOINTS.name])
        self._read = self._read or await self._positions.passed(CHECKPOINT_GROUP, self._ends)
        return self._read
