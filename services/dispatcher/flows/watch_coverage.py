"""Raise an alarm for a warm message of which too little was accepted in time."""

from datetime import timedelta
from uuid import UUID, uuid5

import structlog
from prometheus_client import Counter

from services.dispatcher.domain.message import RESOLVED_WITHIN, Message
from services.dispatcher.flows.resolve_audience import is_all_clear
from services.dispatcher.store.watched import Reach, Watched
from shared.clock import Clock
from shared.contracts import CoverageAlarm
from shared.mongo import Client, Session, transaction
from shared.outbox import Outbox

ALARMS = Counter("buurtbode_coverage_alarms", "Warm messages of which too little was accepted")

_ALARMS = UUID("b2d7c0aa-0c5e-4d63-8f0b-3f9f4a0f6b52")
"""The namespace of the alarms' ids (RFC 9562, version 5); never to be changed."""


class WatchCoverage:
    """A job: each warm message is looked at once, when its time is over."""

    def __init__(
        self,
        *,
        watched: Watched,
        outbox: Outbox,
        client: Client,
        clock: Clock,
        threshold: float,
        within: timedelta,
    ) -> None:
        """Wire; see the settings `coverage_threshold` and `coverage_within`."""
        self._watched = watched
        self._outbox = outbox
        self._client = client
        self._clock = clock
        self._threshold = threshold
        self._within = within
        self._logger = structlog.get_logger(job="coverage")

    async def once(self) -> bool:
        """Look at what is due, and at what had too little; gives False: it looks again anyway."""
        now = self._clock.now()
        for message, planned in await self._watched.due(now - self._within):
            deadline = message.accepted_at + self._within
            if is_all_clear(message):
                deadline += RESOLVED_WITHIN
            if deadline > now:
                continue
            reach = await self._watched.reach(message, deadline)
            await self._judge(message, reach, too_little=not planned or self._is_low(reach))
        for message in await self._watched.alarmed(now):
            reach = await self._watched.reach(message)
            if reach.owed and not self._is_low(reach):
                await self._watched.over(message)
        return False

    async def why(self) -> str | None:
        """Say, for readiness, which messages have too little; None where all is well."""
        low = [await self._told(one) for one in await self._watched.alarmed(self._clock.now())]
        return "; ".join(low) or None

    async def _told(self, message: Message) -> str:
        reach = await self._watched.reach(message)
        return (
            f"{reach.accepted} of {reach.owed} sends of message {message.key.message_id} are "
            f"accepted; {self._threshold:.0%} should be within {self._within.total_seconds():.0f} s"
        )

    def _is_low(self, reach: Reach) -> bool:
        return reach.share() < self._threshold

    async def _judge(self, message: Message, reach: Reach, *, too_little: bool) -> None:
        alarm = CoverageAlarm(
            event_id=str(uuid5(_ALARMS, str(message.key))),
            zone_id=message.key.zone_id,
            message_id=message.key.message_id,
            message_type=message.key.message_type,
            network_ids=message.network_ids,
            owed=reach.owed,
            accepted=reach.accepted,
            threshold=self._threshold,
            within_seconds=self._within.total_seconds(),
            raised_at=self._clock.now(),
        )

        async def work(session: Session) -> bool:
            first = await self._watched.looked_at(message, session, alarm=too_little)
            if first and too_little:
                await self._outbox.add(session, [alarm], ce_ids=[alarm.event_id])
            return first and too_little

        if await transaction(self._client, work):
            ALARMS.inc()
            self._logger.error(
                "too little was accepted in time",
                message_id=message.key.message_id,
                count=reach.accepted,
                size=reach.owed,
            )
