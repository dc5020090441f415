"""Put on record who looked or acted: an event on `bin.access`, which becomes an audit entry."""

from collections.abc import Collection

from shared.callers import Caller
from shared.clock import Clock
from shared.contracts import Access
from shared.contracts.common import AccessKind
from shared.mongo import Client, Session, transaction
from shared.outbox import Outbox
from shared.pseudonyms import KeyRing, NoPseudonymKey

UNKEYED = "unkeyed"
"""The actor in a zone that has no pseudonym keys yet (docs/decisions/0008)."""

OPERATOR = "operator"
"""The actor of what belongs to no zone; the reader stands in the private part."""


class RecordAccess:
    """Writes the event, in a transaction of its own or in that of the change."""

    def __init__(self, *, outbox: Outbox, client: Client, keys: KeyRing, clock: Clock) -> None:
        """Wire."""
        self._outbox = outbox
        self._client = client
        self._keys = keys
        self._clock = clock

    async def __call__(
        self,
        caller: Caller,
        zone_id: str | None,
        kind: AccessKind,
        action: str,
        *,
        member_ids: Collection[str] = (),
        message_id: str | None = None,
        reason: str | None = None,
        session: Session | None = None,
    ) -> None:
        """Record; `reason` is the reader's free text and ends up in the log's private part."""
        now = self._clock.now()
        access = Access(
            event_id=self._clock.new_id(),
            zone_id=zone_id,
            service="dispatcher",
            kind=kind,
            action=action,
            actor=self._actor(caller, zone_id, now.year),
            reader=caller.subject,
            member_ids=tuple(sorted(member_ids)),
            message_id=message_id,
            reason=reason,
            time=now,
        )

        async def write(session: Session) -> None:
            await self._outbox.add(session, [access], ce_ids=[access.event_id])

        if session is None:
            await transaction(self._client, write)
        else:
            await write(session)

    def _actor(self, caller: Caller, zone_id: str | None, year: int) -> str:
        if zone_id is None:
            return OPERATOR
        try:
            return self._keys.pseudonym(zone_id, year, f"subject:{caller.subject}")
        except NoPseudonymKey:
            return UNKEYED
