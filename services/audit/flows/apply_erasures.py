"""Carry out erasures: drop the private parts, append the entry, acknowledge."""

import msgspec

from services.audit.domain.drafting import erasure_draft
from services.audit.domain.entries import Draft, log_of
from services.audit.flows.append_entries import Also, AppendEntries
from services.audit.store.erasures import Erasures
from shared.clock import Clock
from shared.contracts import Access, Erasure
from shared.mongo import Session
from shared.outbox import Outbox

_BATCH = 50


class ApplyErasures:
    """A job of the process that writes the zone's log.

    It changes the log's head, as every batch does: so a batch that was begun before the erasure
    was known cannot be stored after it.
    """

    def __init__(
        self, append: AppendEntries, erasures: Erasures, outbox: Outbox, clock: Clock
    ) -> None:
        """Wire."""
        self._append = append
        self._erasures = erasures
        self._outbox = outbox
        self._clock = clock

    async def once(self) -> bool:
        """Apply what waits; tell whether there is more."""
        waiting = await self._erasures.waiting(_BATCH)
        done = False
        for erasure in waiting:
            done |= await self._apply(erasure)
        return done and len(waiting) == _BATCH

    async def _apply(self, erasure: Erasure) -> bool:
        acknowledged = Access(
            event_id=f"{erasure.erasure_id}-audit"[:64],
            zone_id=erasure.zone_id,
            service="audit",
            kind="erasure",
            action="erasure.applied",
            actor="system",
            member_ids=(erasure.member_id,),
            time=self._clock.now(),
        )

        own = log_of(erasure.zone_id)
        for log in sorted(await self._erasures.logs_naming(erasure.member_id) - {own}):
            if not await self._take(log, erasure):
                return False

        async def also(session: Session) -> None:
            await self._erasures.applied(session, erasure.member_id)
            await self._outbox.add(session, [acknowledged], ce_ids=[acknowledged.event_id])

        return await self._take(own, erasure, also)

    async def _take(self, log: str, erasure: Erasure, then: Also | None = None) -> bool:
        drafts: list[Draft] = []  # known once the parts are counted, in the same transaction

        async def also(session: Session) -> None:
            parts = await self._erasures.apply(session, log, erasure.member_id)
            drafts[:] = [await self._counted(session, log, erasure_draft(erasure, parts))]
            if then is not None:
                await then(session)

        return await self._append(log, drafts, also)

    async def _counted(self, session: Session, log: str, draft: Draft) -> Draft:
        """Name an entry anew where the erasure has one there already, and took more since.

        Where one log of several was another process's, all are tried again; and meanwhile somebody
        was erased with whom a part was shared. An entry that is known would not be added, and what
        was taken not be counted.
        """
        name, again = draft.event_id, 1
        took = draft.private is not None and draft.private["parts"]
        while took and await self._append.knows(session, log, draft.event_id):
            again += 1
            draft = msgspec.structs.replace(draft, event_id=f"{name}.{again}")
        return draft
