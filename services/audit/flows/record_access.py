"""Record who read or exported what: an event on `bin.access`, which becomes an entry."""

from services.audit.domain.entries import NO_ZONE, zone_of
from shared.callers import Caller
from shared.clock import Clock
from shared.contracts import Access
from shared.contracts.common import AccessKind
from shared.failures import Retryable
from shared.outbox import Outbox
from shared.pseudonyms import KeyRing, NoPseudonymKey


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
        recipient: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Record, durably. Raises `Retryable` while the zone has no pseudonym key."""
        access = Access(
            event_id=self._clock.new_id(),
            zone_id=None if zone_of(log) == NO_ZONE else log,
            service="audit",
            kind=kind,
            action=action,
            actor=self._actor(log, caller),
            reader=caller.subject,
            recipient=recipient,
            message_id=message_id,
            reason=reason,
            time=self._clock.now(),
        )
        await self._outbox.add_alone(access, access.event_id)

    def _actor(self, log: str, caller: Caller) -> str:
        if zone_of(log) == NO_ZONE:
            return "operator"  # no zone, so no key; the reader stands in the private part
        try:
            return self._ring.pseudonym(log, self._clock.now().year, f"subject:{caller.subject}")
        except NoPseudonymKey as missing:
            raise Retryable(str(missing)) from missing
