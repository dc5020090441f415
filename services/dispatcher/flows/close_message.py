"""Close messages: state what must be on record, and let go of what both sides agreed on."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import structlog
from prometheus_client import Counter

from services.dispatcher.domain.events import digest
from services.dispatcher.store.closings import Closing, Closings
from services.dispatcher.store.ledger import Ledger
from shared.clock import Clock
from shared.contracts import MessageClosed
from shared.contracts.base import MessageType
from shared.mongo import Client, Session, transaction
from shared.outbox import Outbox

CLOSED = Counter("buurtbode_messages_closed", "Closing statements", ["message_type", "overdue"])

_CLOSINGS = UUID("9d6a3c52-7d0b-4f5e-8a57-0d7c4c7b4e21")
"""The namespace of closing statements' ids; never to be changed."""

_LOOK_MOST = 60.0
_PENDING = timedelta(milliseconds=200)


class CloseMessage:
    """The job of closing."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        closings: Closings,
        outbox: Outbox,
        client: Client,
        clock: Clock,
        close_after: timedelta,
        again_after: timedelta,
    ) -> None:
        """Wire; the durations are the settings `close_after` and `close_again_after`."""
        self._ledger = ledger
        self._closings = closings
        self._outbox = outbox
        self._client = client
        self._clock = clock
        self._close_after = close_after
        self._again_after = again_after
        self._logger = structlog.get_logger(job="close")

    async def once(self) -> bool:
        """Close what can be closed, and do what the audit service answered."""
        for closing in await self._closings.to_resend():
            count = await self._ledger.events.publish_again(closing.key)
            await self._closings.resent(closing)
            self._ledger.events.on_event()
            self._logger.warning(
                "events are sent again", message_id=closing.key.message_id, count=count
            )
        for closing in await self._closings.to_drop():
            if closing.closed_at is not None:
                await self._ledger.events.drop(closing.key, closing.closed_at)
            await self._closings.dropped(closing)
        for closing in await self._closings.due(self._clock.now()):
            await self._look(closing)
        return False

    async def _look(self, closing: Closing) -> None:
        now = self._clock.now()
        unsettled, pending = await self._closings.is_open(closing.key)
        overdue = now >= self._deadline(closing)
        if pending:  # about to be acknowledged, which does not come back here by itself
            await self._closings.look_at(closing, now + _PENDING)
        elif unsettled and not overdue:
            pause = timedelta(seconds=min(_LOOK_MOST, 2.0 ** min(closing.looks, 10)))
            await self._closings.look_at(closing, now + pause)
        elif closing.closed_at is not None and now < closing.closed_at + self._again_after:
            await self._closings.look_at(closing, closing.closed_at + self._again_after)
        else:
            await self._close(closing, now, overdue=overdue and unsettled)

    def _deadline(self, closing: Closing) -> datetime:
        bulletin = closing.key.message_type is MessageType.BULLETIN
        return (closing.accepted_at if bulletin else closing.expires_at) + self._close_after

    async def _close(self, closing: Closing, now: datetime, *, overdue: bool) -> None:
        states, event_ids = await self._closings.summary(closing.key)
        # 200,000 ids take a quarter of a second to sort: not while an alert waits for this loop
        total = await asyncio.to_thread(digest, event_ids)
        if total == closing.digest and not closing.again:
            await self._closings.leave(closing)
            return
        key = closing.key
        statement = MessageClosed(
            event_id=str(uuid5(_CLOSINGS, f"{key}/{closing.revision + 1}")),
            zone_id=key.zone_id,
            message_id=key.message_id,
            message_type=key.message_type,
            release=key.release,
            revision=closing.revision + 1,
            sends=states.total(),
            states=dict(states),
            events=len(event_ids),
            digest=total,
            closed_at=now,
        )
        counts = {str(state): count for state, count in states.items()}

        async def work(session: Session) -> bool:
            if not await self._closings.close(session, closing, now, total, counts):
                return False
            await self._outbox.add(session, [statement], ce_ids=[statement.event_id])
            return True

        if await transaction(self._client, work):
            CLOSED.labels(str(key.message_type), str(overdue).lower()).inc()
            self._logger.info(
                "closed",
                message_id=key.message_id,
                release=key.release,
                revision=statement.revision,
                count=statement.sends,
            )
            if overdue:
                self._logger.error("closed with open sends", message_id=key.message_id)
