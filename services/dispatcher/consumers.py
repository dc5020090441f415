"""The dispatcher's consumers: which group reads which topics, and which flow it calls."""

from collections.abc import Callable
from dataclasses import dataclass

from services.dispatcher.flows.apply_copy import ApplyCopy
from services.dispatcher.flows.judge_alert import ALERTS_GROUP, JudgeAlerts
from services.dispatcher.flows.take_bulletin import TakeBulletins
from services.dispatcher.flows.take_notice import TakeNotices
from services.dispatcher.flows.wait_for_copy import COPY_GROUP, COPY_TOPICS
from shared.clock import Clock
from shared.consume import After, Apply, Before, Consumer
from shared.kafka import Log
from shared.mongo import Client, Database
from shared.outbox import Outbox
from shared.topics import ALERTS, BULLETINS, NOTICES, REPLAYS, Party, group

SERVICE = str(Party.DISPATCHER)


@dataclass(frozen=True, slots=True)
class Consumers:
    """Makes the consumers of one process."""

    log: Log
    client: Client
    database: Database
    outbox: Outbox
    clock: Clock

    def copy(self, flow: ApplyCopy, moved: Callable[[], None]) -> Consumer:
        """Keep the copy; `moved` tells those who wait for it."""
        # large batches: a new dispatcher begins with every member there is
        return self._consumer(COPY_GROUP, COPY_TOPICS, flow.apply, after=moved, most=2000)

    def alerts(self, flow: JudgeAlerts) -> Consumer:
        """Judge alerts."""
        return self._consumer(
            ALERTS_GROUP,
            (ALERTS.name,),
            flow.apply,
            before=flow.before,
            after=flow.after,
            most=100,  # a flood of bad records must not hold back a good one for long
        )

    def bulletins(self, flow: TakeBulletins) -> Consumer:
        """Take released bulletins."""
        return self._consumer(
            group(Party.DISPATCHER, "bulletins"),
            (BULLETINS.name,),
            flow.apply,
            before=flow.before,
            after=flow.after,
        )

    def notices(self, flow: TakeNotices) -> Consumer:
        """Take notices."""
        return self._consumer(
            group(Party.DISPATCHER, "notices"),
            (NOTICES.name,),
            flow.apply,
            before=flow.before,
            after=flow.after,
        )

    def replays(self, apply: Apply, after: After | None = None) -> Consumer:
        """Take the audit service's answers to closing statements."""
        return self._consumer(
            group(Party.DISPATCHER, "replays"), (REPLAYS.name,), apply, after=after
        )

    def _consumer(
        self,
        name: str,
        topics: tuple[str, ...],
        apply: Apply,
        *,
        before: Before | None = None,
        after: After | None = None,
        most: int = 500,
    ) -> Consumer:
        return Consumer(
            group=name,
            topics=topics,
            apply=apply,
            before=before,
            after=after,
            most=most,
            log=self.log,
            client=self.client,
            database=self.database,
            outbox=self.outbox,
            service=SERVICE,
            clock=self.clock,
        )
