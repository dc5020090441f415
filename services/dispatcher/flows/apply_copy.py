"""Take what the registry published into the dispatcher's own copy."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID, uuid5

from services.dispatcher.store.copy import Copy
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.mailboxes import Mailboxes
from services.dispatcher.store.messages import Messages
from shared.clock import Clock
from shared.contracts import Access, Erasure, Event, Member, Network, Zone
from shared.contracts.dispatcher import Reason
from shared.envelope import decode_any
from shared.failures import Rejected
from shared.kafka import Record
from shared.mongo import Session
from shared.outbox import Outbox

E = TypeVar("E", bound=Event)

_ACKNOWLEDGED = UUID("0f1b7a46-53a0-4c55-9f43-0a5a1c2f6f53")
"""The namespace of the acknowledgements' ids (RFC 9562, version 5); never to be changed."""


class ApplyCopy:
    """Applies zones, networks, members and erasures, whichever way they come mixed."""

    def __init__(
        self,
        *,
        copy: Copy,
        ledger: Ledger,
        messages: Messages,
        mailboxes: Mailboxes,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        """Bind."""
        self._copy = copy
        self._ledger = ledger
        self._messages = messages
        self._mailboxes = mailboxes
        self._outbox = outbox
        self._clock = clock

    async def apply(self, session: Session, records: Sequence[Record]) -> None:
        """Apply a batch. Raises `Rejected` for what is none of the four."""
        events = [decode_any(record).event for record in records]
        for event in events:
            if not isinstance(event, Zone | Network | Member | Erasure):
                raise Rejected(Reason.WRONG_TYPE, "ce_type")
        # erasures first: a member's record in the same batch must not come back to life
        await self._erase(session, _of(Erasure, events))
        await self._copy.apply_zones(session, _of(Zone, events))
        await self._copy.apply_networks(session, _of(Network, events))
        await self._copy.apply_members(session, _of(Member, events))

    async def _erase(self, session: Session, erasures: Sequence[Erasure]) -> None:
        if not erasures:
            return
        await self._copy.erase(session, erasures)
        member_ids = [erasure.member_id for erasure in erasures]
        await self._ledger.destinations.erase(session, member_ids)
        await self._messages.erase(session, member_ids)
        await self._mailboxes.erase(session, member_ids)
        done = [self._acknowledgement(erasure) for erasure in erasures]
        await self._outbox.add(session, done, ce_ids=[event.event_id for event in done])

    def _acknowledgement(self, erasure: Erasure) -> Access:
        return Access(
            event_id=str(uuid5(_ACKNOWLEDGED, erasure.erasure_id)),
            zone_id=erasure.zone_id,
            service="dispatcher",
            kind="erasure",
            action="member.erase",
            actor="system",
            member_ids=(erasure.member_id,),
            time=self._clock.now(),
        )


def _of(model: type[E], events: Sequence[Event]) -> list[E]:
    return [event for event in events if isinstance(event, model)]
