"""Claim sends that are due, and check just before their attempt that they may still go out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.message import Message, MessageKey, Thread
from services.dispatcher.domain.permission import Refusal, Situation, refusal, replaces, thread
from services.dispatcher.domain.quiet import quiet_until
from services.dispatcher.domain.states import Cause
from services.dispatcher.store.changes import Change, back, ended
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.mailboxes import Mailboxes
from services.dispatcher.store.messages import Messages
from shared.clock import Clock
from shared.contracts.base import AlertKind, Channel, Lane, MessageType, SendState, Status

_CACHED = 256
_LOOK_AGAIN = timedelta(milliseconds=500)
"""How soon an update looks again whether the alert's own send is resolved."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed send that may go out now. `checked` is the monotonic time of the check."""

    row: Row
    message: Message
    checked: float

    @property
    def is_test(self) -> bool:
        """Tell whether it must go by the sandbox sender."""
        return self.message.status is Status.TEST


class ClaimSends:
    """Claims for one lane and channel."""

    def __init__(
        self,
        *,
        lane: Lane,
        channel: Channel,
        ledger: Ledger,
        messages: Messages,
        copy: Copy,
        mailboxes: Mailboxes,
        clock: Clock,
        lease: timedelta,
        unknown_patience: timedelta,
    ) -> None:
        """Wire; `unknown_patience` is how long an update waits for an alert's unknown send."""
        self.lane = lane
        self.channel = channel
        self._ledger = ledger
        self._messages = messages
        self._copy = copy
        self._mailboxes = mailboxes
        self._clock = clock
        self._lease = lease
        self._patience = unknown_patience
        self._known: dict[MessageKey, Message] = {}
        self.unsure: set[str] = set()
        """Fences of claims that an error cut short: something may be held under them."""

    async def claim(self, most: int) -> tuple[int, list[Ready]]:
        """Claim up to `most`; give how many were claimed, and those that may go out."""
        fence = self._clock.token()
        try:
            rows = await self._ledger.claims.take(self.lane, self.channel, most, self._lease, fence)
            return len(rows), await self.check(rows)
        except BaseException:
            self.unsure.add(fence)
            raise

    async def check(self, rows: Sequence[Row]) -> list[Ready]:
        """Check claimed sends by one read of each kind; what may not go out is recorded."""
        if not rows:
            return []
        ready, changes = await self._look(rows)
        # one that is lost here was taken over by somebody, who will check it again
        await self._ledger.changes.write(changes)
        return ready

    async def look_again(self, rows: Sequence[Row]) -> list[Ready]:
        """Give which of these may still go out; nothing is recorded of the others."""
        ready, _ = await self._look(rows)
        return ready

    async def _look(self, rows: Sequence[Row]) -> tuple[list[Ready], list[Change]]:
        checked = self._clock.monotonic()
        messages = {key: await self._message(key) for key in {row.key for row in rows}}
        situation = await self._situation(rows, messages)
        waiting = await self._waiting(rows, messages, situation)
        changes: list[Change] = []
        ready: list[Ready] = []
        for row in rows:
            message = messages[row.key]
            refused = refusal(row, message, situation)
            if refused is not None:
                changes.append(_refused(row, refused, situation.now))
            elif (later := _waits_until(row, situation)) or row.send_id in waiting:
                later = later or situation.now + _LOOK_AGAIN
                changes.append(back(Cause.RELEASE, row, situation.now, later))
            else:
                ready.append(Ready(row, message, checked))
        return ready, changes

    async def release(self, rows: Sequence[tuple[Row, timedelta]]) -> None:
        """Put claimed sends back, each to be claimed again after its pause."""
        now = self._clock.now()
        await self._ledger.changes.write([_released(row, now, now + pause) for row, pause in rows])

    async def _message(self, key: MessageKey) -> Message:
        known = self._known.get(key)
        if known is None:
            known = await self._messages.get(key)
            if known is None:
                raise RuntimeError("a send without its message")
            if len(self._known) >= _CACHED:
                self._known.pop(next(iter(self._known)))
            self._known[key] = known
        return known

    async def _situation(
        self, rows: Sequence[Row], messages: dict[MessageKey, Message]
    ) -> Situation:
        threads = {about for message in messages.values() if (about := thread(message))}
        ids = {one for row in rows for one in row.member_ids}
        of_sends = {network for row in rows for network in row.network_ids}
        cold = {
            row.destination
            for row in rows
            if row.destination and row.key.message_type is MessageType.BULLETIN
        }
        members, networks, ended, refusing, updates = await asyncio.gather(
            self._copy.members(ids),
            self._copy.networks_by_id(of_sends),
            self._messages.ended(threads),
            self._mailboxes.refusing(cold, self._clock.now()),
            asyncio.gather(*(self._updates(about) for about in threads)),
        )
        moved = {member.network_id for member in members.values()} - of_sends
        if moved:
            networks |= await self._copy.networks_by_id(moved)
        return Situation(
            now=self._clock.now(),
            members=members,
            networks=networks,
            ended=ended,
            updates=dict(zip(threads, updates, strict=True)),
            refusing=refusing,
        )

    async def _updates(self, about: Thread) -> list[Message]:
        known = await self._messages.thread(about)
        return [message for message in known if message.kind == AlertKind.UPDATE]

    async def _waiting(
        self,
        rows: Sequence[Row],
        messages: dict[MessageKey, Message],
        situation: Situation,
    ) -> set[str]:
        """Find the sends of updates whose person has an earlier send that is not resolved yet."""
        waiting: set[str] = set()
        for key, message in messages.items():
            about = thread(message)
            if message.kind != AlertKind.UPDATE or about is None:
                continue
            mine = [row for row in rows if row.key == key and row.destination is not None]
            earlier = [other.key for other in situation.updates[about] if replaces(message, other)]
            first = replace(key, message_id=about.alert_id)
            busy = await self._ledger.recipients.busy(
                [first, *earlier], [row.destination for row in mine if row.destination]
            )
            waiting |= {
                row.send_id
                for row in mine
                if any(self._is_open(other, situation.now) for other in busy[row.destination or ""])
            }
        return waiting

    def _is_open(self, row: Row, now: datetime) -> bool:
        if row.state is not SendState.UNKNOWN:
            return True
        return row.unknown_since is not None and now - row.unknown_since < self._patience


def _waits_until(row: Row, situation: Situation) -> datetime | None:
    """Tell until when a network wants no mail. Notices concern one person's own matter."""
    network = situation.networks.get(row.key.release or "")
    return None if network is None else quiet_until(network.quiet_hours, situation.now)


def _refused(row: Row, refused: Refusal, now: datetime) -> Change:
    if row.state is SendState.UNKNOWN:
        return _stays_unknown(row, now)
    return ended(refused.cause, row, refused.state, refused.reason, now)


def _released(row: Row, now: datetime, due: datetime) -> Change:
    if row.state is SendState.UNKNOWN:
        return Change(Cause.RELEASE, row, replace(row, fence=None), now, second=True)
    return back(Cause.RELEASE, row, now, due)


def _stays_unknown(row: Row, now: datetime) -> Change:
    """Give up the second attempt: what became of the first is settled at expiry."""
    settles = max(now, row.expires_at)
    return Change(Cause.RELEASE, row, replace(row, fence=None), now, check_at=settles)
