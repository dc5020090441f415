"""Record who read or exported what: an event on `bin.access`, which becomes an entry."""

from collections.abc import Sequence

from services.audit.domain.entries import NO_ZONE, zone_of
from services.audit.flows.append_entries import Also
from shared.callers import Caller
from shared.clock import Clock
from shared.contracts import Access
from shared.contracts.common import AccessKind
from shared.mongo import Session
from shared.outbox import Outbox
from shared.pseudonyms import KeyRing


class RecordAccess:
    """Called before anything is shown, so that nothing is shown unrecorded."""

    def __init__(self, outbox: Outbox, ring: KeyRing, clock: Clock) -> None:
        """Wire."""
        self._outbox = outbox
        self._ring = ring
        self._clock = clock

    async def __call__(
        self,
        log: str,
        caller: Caller,
        kind: AccessKind,
        action: str,
        *,
        message_id: str | None = None,
        member_ids: Sequence[str] = (),
        recipient: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Record, durably. Raises `NoPseudonymKey` where the zone has none for this year."""
        access = self._access(
            log,
            caller,
            kind,
            action,
            message_id=message_id,
            member_ids=tuple(member_ids),
            recipient=recipient,
            reason=reason,
        )
        await self._outbox.add_alone(access, access.event_id)

    def along(self, log: str, caller: Caller, action: str, reason: str) -> Also:
        """Give what records a change in the change's own transaction.

        Raises `NoPseudonymKey`, before anything is changed.
        """
        access = self._access(log, caller, "change", action, reason=reason)

        async def write(session: Session) -> None:
            await self._outbox.add(session, [access], ce_ids=[access.event_id])

        return write

    def _access(
        self,
        log: str,
        caller: Caller,
        kind: AccessKind,
        action: str,
        *,
        message_id: str | None = None,
        member_ids: tuple[str, ...] = (),
        recipient: str | None = None,
        reason: str | None = None,
    ) -> Access:
        return Access(
            event_id=self._clock.new_id(),
            zone_id=None if zone_of(log) == NO_ZONE else log,
            service="audit",
            kind=kind,
            action=action,
            actor=self._actor(log, caller),
            reader=caller.subject,
            member_ids=member_ids,
            recipient=recipient,
            message_id=message_id,
            reason=reason,
            time=self._clock.now(),
        )

    def _actor(self, log: str, caller: Caller) -> str:
        if zone_of(log) == NO_ZONE:
            return "operator"  # no zone, so no key; the reader stands in the private part
        return self._ring.pseudonym(log, self._clock.now().year, f"subject:{caller.subject}")
