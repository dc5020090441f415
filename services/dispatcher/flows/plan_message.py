"""Plan a message: all its sends into the ledger, then its planned event, then it may go out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Self
from uuid import UUID, uuid5

import structlog

from services.dispatcher.domain.audience import Counts, Person, Planner
from services.dispatcher.domain.events import SOURCE, basis
from services.dispatcher.domain.message import RESOLVED_WITHIN, Message
from services.dispatcher.domain.notices import ACCEPT_TEMPLATES, with_accept_link
from services.dispatcher.domain.permission import thread
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.send import PlannedSend
from services.dispatcher.flows.resolve_audience import (
    ResolveAudience,
    is_all_clear,
    stages,
    thread_ids,
)
from services.dispatcher.flows.restore_sends import RestoreSends
from services.dispatcher.flows.wait_for_copy import CopyGate
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Messages, PlanState, Waiting, Work
from shared.clock import Clock
from shared.contracts import MessagePlanned, Network
from shared.contracts.base import Lane
from shared.contracts.dispatcher import Basis
from shared.envelope import encode
from shared.failures import Retryable
from shared.kafka import Log
from shared.pseudonyms import KeyRing, NoPseudonymKey

_PAGE = 1000
_PAUSE = timedelta(seconds=2)
_EVENTS = UUID("7d0a2f0d-2d0b-4a5e-8f0e-5c0d7f5f9b21")
"""The namespace of planned events' ids (RFC 9562, version 5); never to be changed."""


class PlanMessage:
    """The planner of one lane. Any number of them, in any number of processes, share the work."""

    def __init__(
        self,
        lane: Lane,
        *,
        copy: Copy,
        messages: Messages,
        ledger: Ledger,
        log: Log,
        keys: KeyRing,
        clock: Clock,
        registry_url: str,
        restore: RestoreSends,
        wake_senders: Callable[[], None],
    ) -> None:
        """Wire; `wake_senders` is called when sends may go out."""
        self._lane = lane
        self._copy = copy
        self._messages = messages
        self._ledger = ledger
        self._log = log
        self._keys = keys
        self._clock = clock
        self._registry_url = registry_url
        self._restore = restore
        self._wake_senders = wake_senders
        self._audience = ResolveAudience(copy, messages, ledger)
        self._fences: list[str] = []
        """Under which this planner took messages, as far as it may still hold them."""

        self._logger = structlog.get_logger(flow="plan", lane=str(lane))

    async def once(self) -> bool:
        """Plan the lane's oldest message; tell whether there was one."""
        fence = self._clock.token()
        # what an error cut short is taken up at once, and not when its lease ends
        former, self._fences = self._fences, [*self._fences, fence]
        work = await self._messages.take(self._lane, fence, former)
        self._fences = [fence]
        if work is None:
            return False
        try:
            await self._plan(work)
        except NoPseudonymKey:
            # loud, and this message waits; others have their keys
            self._logger.error(  # noqa: TRY400 - no trace needed: the command is the remedy
                "no pseudonym key: run `buurtbode pseudonyms rotate`",
                zone_id=work.message.key.zone_id,
            )
            await self._messages.give_back(work, _PAUSE)
        except Retryable:
            await self._messages.give_back(work, timedelta(0))
            raise
        return True

    async def _plan(self, work: Work) -> None:
        if work.state is not PlanState.PLANNED:
            work = await self._complete_notice(work)
            await self._make_room(work.message)
            work = await self._fill(work)
        await self._announce(work)

    # ---- the sends

    async def _fill(self, work: Work) -> Work:
        message = work.message
        networks = await self._networks(work)
        now = self._clock.now()
        planner = Planner(
            message,
            networks,
            now=now,
            pseudonym=self._keys.pseudonym,
            new_id=self._clock.new_id,
        )
        counts = work.counts
        unresolved = now >= message.accepted_at + RESOLVED_WITHIN
        for stage in range(work.stage, stages(message)):
            after = work.after if stage == work.stage else None
            people = self._audience.people(work, networks, stage, after, unresolved=unresolved)
            async with _OneBehind() as behind:
                async for page in _pages(people):
                    sends = [planner.send(person) for person in page]
                    await behind.begin(self._store(work, stage, sends, counts))
        if work.restored is not None:
            await self._restore.rest(work)
        if is_all_clear(message) and not unresolved:
            counts.unresolved = await self._unresolved(message)
        await self._make_room(message)  # again: another planner may have been at work meanwhile
        return await self._messages.planned(work, counts, self._clock.now())

    async def _store(
        self, work: Work, stage: int, sends: Sequence[PlannedSend], counts: Counts
    ) -> None:
        new = await self._not_yet_planned(work, sends)
        if work.restored is not None:
            new = await self._restore.page(work, new)
        await self._ledger.plans.add(None, new)
        for send in sends:
            counts.add(send, is_fallback=stage > 0)
        await self._messages.proceed(work, stage, sends[-1].destination, counts)

    async def _networks(self, work: Work) -> dict[str, Network]:
        wanted = set(work.message.network_ids)
        recipient = work.recipient
        if recipient is not None and recipient.member_id is not None:
            members = await self._copy.members([recipient.member_id])
            wanted |= {member.network_id for member in members.values()}
        return await self._copy.networks_by_id(wanted)

    async def _not_yet_planned(self, work: Work, sends: Sequence[PlannedSend]) -> list[PlannedSend]:
        """Leave out who has a send already under another destination, when planning again."""
        if work.revision == 1:
            return list(sends)
        planned: set[str] = set()
        for channel in {send.channel for send in sends}:
            ids = [i for send in sends if send.channel is channel for i in send.member_ids]
            planned |= await self._ledger.recipients.members_planned(
                None, work.message.key, channel, ids
            )
        return [
            replace(send, member_ids=left)
            for send in sends
            if (left := tuple(i for i in send.member_ids if i not in planned))
            or not send.member_ids
        ]

    async def _complete_notice(self, work: Work) -> Work:
        """Put the member's own acceptance link into the notice that asks to accept."""
        message, recipient = work.message, work.recipient
        if message.template not in ACCEPT_TEMPLATES or recipient is None:
            return work
        members = await self._copy.members([recipient.member_id or ""])
        token = next((member.accept_token for member in members.values()), None)
        if token is None:
            return work  # accepted, left or erased meanwhile: nobody is in the audience
        link = f"{self._registry_url.rstrip('/')}/v1/accept/{token}"
        content = with_accept_link(message.content, link)
        await self._messages.dress(work, content)
        return replace(work, message=replace(message, content=content))

    # ---- updates and all-clears

    async def _make_room(self, message: Message) -> None:
        """Cancel what a later message replaces: of this one, and by this one.

        Both ways round, because an update may be planned before its alert.
        """
        about = thread(message)
        if about is None:
            return
        known = await self._messages.thread(about)
        if is_all_clear(message) or await self._messages.ended([about]):
            for one in known:
                await self._ledger.plans.cancel_planned(None, one.key, SendReason.ALL_CLEAR)
            return
        mine = next((i for i, one in enumerate(known) if one.key == message.key), len(known))
        for one in known[:mine]:
            await self._replace(one, message)
        for later in known[mine + 1 :]:
            await self._replace(message, later)

    async def _replace(self, old: Message, new: Message) -> None:
        await self._ledger.plans.cancel_planned(None, old.key, SendReason.UPDATED, new.network_ids)

    async def _unresolved(self, message: Message) -> int:
        return await self._ledger.recipients.unresolved(
            None, message.key.zone_id, await thread_ids(self._messages, message)
        )

    # ---- the event

    async def _announce(self, work: Work) -> None:
        """Publish the planned event; only what Kafka acknowledged may be attempted."""
        message = work.message
        event = planned_event(work)
        record = encode(event, ce_id=event.event_id, source=SOURCE, time=event.planned_at)
        await self._log.publish([record])
        if work.restored is not None:
            await self._restore.closing(work)
        await self._ledger.plans.make_sendable(message.key, work.revision)
        self._wake_senders()
        await self._messages.opened(work, again=work.behind or work.counts.unresolved > 0)
        self._logger.info(
            "planned",
            message_id=message.key.message_id,
            revision=work.revision,
            count=work.counts.people,
        )


class _OneBehind:
    """Stores one page while the next is being made, and never more than one."""

    def __init__(self) -> None:
        self._storing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def begin(self, storing: Coroutine[None, None, None]) -> None:
        """Begin once the page before is stored; raises what that one raised."""
        try:
            await self._stored()
        except BaseException:
            storing.close()
            raise
        self._storing = asyncio.create_task(storing)

    async def _stored(self) -> None:
        if self._storing is not None:
            await self._storing

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        if kind is None:
            await self._stored()
        elif self._storing is not None and self._storing.done() is False:
            self._storing.cancel()
            await asyncio.gather(self._storing, return_exceptions=True)


def planned_event(work: Work) -> MessagePlanned:
    """Make the event of a plan that is stored; the same plan makes the same event."""
    message, counts = work.message, work.counts
    if work.planned_at is None:
        raise ValueError("the plan is not stored yet")
    return MessagePlanned(
        event_id=str(uuid5(_EVENTS, f"{message.key}|{work.revision}")),
        zone_id=message.key.zone_id,
        message_id=message.key.message_id,
        message_type=message.key.message_type,
        release=message.key.release,
        revision=work.revision,
        network_ids=message.network_ids,
        people=counts.people,
        sends=counts.sends,
        unreachable=counts.unreachable,
        behind=work.behind,
        basis=Basis.model_validate(basis(message, message.network_ids)),
        planned_at=work.planned_at,
        expires_at=message.expires_at,
    )


async def _pages(people: AsyncIterator[Person]) -> AsyncIterator[list[Person]]:
    page: list[Person] = []
    async for person in people:
        page.append(person)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page


class PlanAgain:
    """Has plans completed: those made while the copy was behind, and all-clears that wait."""

    def __init__(
        self,
        messages: Messages,
        ledger: Ledger,
        gate: CopyGate,
        clock: Clock,
        wake_planners: Callable[[], None],
    ) -> None:
        """Wire; `wake_planners` is called when something is to be planned again."""
        self._messages = messages
        self._ledger = ledger
        self._gate = gate
        self._clock = clock
        self._wake_planners = wake_planners

    async def once(self) -> bool:
        """Look at every waiting plan; gives False: what still waits is looked at next time."""
        woken = False
        for waiting in await self._messages.waiting():
            if waiting.message.expires_at <= self._clock.now():
                await self._messages.abandon(waiting)
            elif await self._may_go_on(waiting):
                await self._messages.reopen(waiting)
                woken = True
        if woken:
            self._wake_planners()
        return False

    async def _may_go_on(self, waiting: Waiting) -> bool:
        if not is_all_clear(waiting.message):
            return await self._gate.passed(waiting.ends)
        message = waiting.message
        if self._clock.now() >= message.accepted_at + RESOLVED_WITHIN:
            return True
        ids = await thread_ids(self._messages, message)
        return await self._ledger.recipients.unresolved(None, message.key.zone_id, ids) == 0
