"""Sign what was appended, after reading it back; on any doubt, refuse and say what to do."""

from collections.abc import Awaitable, Callable

import structlog
from pymongo.errors import DuplicateKeyError

from services.audit.domain.alarms import Doubt
from services.audit.domain.merkle import Frontier, leaf_hash
from services.audit.domain.notes import OPERATORS
from services.audit.flows.check_log import WHOLE_EVERY, CheckLog
from services.audit.flows.metrics import CHECKPOINTS, DOUBTS
from services.audit.store.checkpoints import Checkpoints, Published, Signed
from services.audit.store.checks import Checked, Checks
from services.audit.store.log import Head, LogStore, size_of
from services.audit.store.ownership import OtherWriter, Ownership
from shared.clock import Clock
from shared.contracts import Checkpoint
from shared.mongo import Client, Session, transaction
from shared.outbox import Outbox

RECOVERABLE = frozenset({Doubt.BEHIND_PUBLISHED.value, Doubt.NOT_PUBLISHED_LOG.value})
"""What a restored backup looks like: shorter than what was published, or grown anew since."""

SMALL = 10_000
"""Entries of a log that is checked within a second or so, and so by whoever needs it first."""

Sign = Callable[[str, int, bytes], str]
"""Gives the signed note of a log's size and root."""


class SignCheckpoints:
    """Two jobs: `check` reads whole logs at start and daily, `once` signs what is new.

    A log is signed only after its first whole check in this process, and once in doubt, in
    whichever process, never again before a restart, or before an operator put on record that a
    backup was restored. A log of millions takes minutes to check: `once` leaves it to `check`, so
    that no other log waits for its signature meanwhile.
    """

    def __init__(
        self,
        *,
        client: Client,
        log: LogStore,
        checkpoints: Checkpoints,
        check_log: CheckLog,
        checks: Checks,
        ownership: Ownership,
        outbox: Outbox,
        sign: Sign,
        published_is_read: Callable[[], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        """Wire."""
        self._client = client
        self._log = log
        self._checkpoints = checkpoints
        self._check_log = check_log
        self._checks = checks
        self._ownership = ownership
        self._outbox = outbox
        self._sign = sign
        self._published_is_read = published_is_read
        self._clock = clock
        self._checked: dict[str, float] = {}
        self._checking: set[str] = set()
        self.doubts: dict[str, str] = {}
        self.restored: dict[str, int] = {}
        """Logs of a restored backup, and the published size beyond which they are signed again."""

        self._logger = structlog.get_logger(job="checkpoints")

    async def check(self) -> bool:
        """Check whole logs that are due, the smallest first. They are checked while they grow."""
        if not await self._published_is_read():
            return False
        sizes = {log: size_of(head) for log, head in (await self._log.heads()).items()}
        signed = await self._checkpoints.sizes()
        for log in sorted({*sizes, *signed}, key=lambda log: (sizes.get(log, 0), log)):
            await self._forgive_if_given_up(log)
            await self._check_if_due(log)
        return False

    async def _forgive_if_given_up(self, log: str) -> None:
        """Take notice of a recovery, which perhaps another process was asked for."""
        if self.doubts.get(log) not in RECOVERABLE:
            return
        published = await self._checkpoints.published(log)
        if published is not None and published.given_up:
            del self.doubts[log]
            DOUBTS.set(len(self.doubts))

    async def _check_if_due(self, log: str) -> None:
        at = self._checked.get(log)
        now = self._clock.monotonic()
        if at is not None and now - at < WHOLE_EVERY.total_seconds():
            return
        if log in self.doubts or log in self._checking:
            return
        self._checking.add(log)
        try:
            await self._check(log, now)
        finally:
            self._checking.discard(log)

    async def _check(self, log: str, now: float) -> None:
        begun, head = self._clock.now(), (await self._log.heads()).get(log)
        doubt = await self._check_log.whole(log)
        text = None if doubt is None else doubt.value
        await self._checks.end(log, "log", Checked(self._clock.now(), size_of(head), text), begun)
        if doubt is None:
            self._checked[log] = now
        else:
            self._refuse(log, doubt.value)

    async def once(self) -> bool:
        """Sign the heads of the logs that have grown."""
        if not await self._published_is_read():
            return False
        sizes = await self._checkpoints.sizes()
        for log, head in (await self._log.heads()).items():
            if log in self.doubts:
                continue
            if head is None:
                self._refuse(log, Doubt.MALFORMED.value)
            elif head.size > sizes.get(log, 0) and (log in self._checked or head.size <= SMALL):
                published = await self._checkpoints.published(log)
                if not self._is_restored(head, published):
                    # else its lease would be held for nothing, and keep whoever writes it away
                    await self._sign_log(head)
        return False

    def _is_restored(self, head: Head, published: Published | None) -> bool:
        """Tell whether a restored log is still to outgrow what was published.

        Before that nothing is signed: nobody must see two logs of one size.
        """
        if published is None or not published.given_up or head.size > published.size:
            self.restored.pop(head.log, None)
            return False
        self.restored[head.log] = published.size
        return True

    async def _sign_log(self, head: Head) -> None:
        try:
            async with self._ownership.borrow(head.log):
                if head.log not in self._checked:
                    await self._check_if_due(head.log)
                await self._share_doubt(head.log)
                if head.log in self._checked and head.log not in self.doubts:
                    await self._sign_head(head)
        except OtherWriter:
            return  # it signs

    async def _share_doubt(self, log: str) -> None:
        """Refuse what another process doubts: every one checks a log, and one of them signs it."""
        found = await self._checks.doubt(log, "log")
        if found is not None and log not in self.doubts:
            self._refuse(log, found)

    async def _sign_head(self, head: Head) -> None:
        # in this order: what is published was signed before, by whichever process
        published = await self._checkpoints.published(head.log)
        before = await self._checkpoints.last(head.log)
        frontier = Frontier() if before is None else before.frontier.copy()
        if before is not None and (before.size >= head.size or frontier.root() != before.root):
            if before.size < head.size:
                self._refuse(head.log, Doubt.NOT_SIGNED_LOG.value)
            return
        if self._is_restored(head, published):
            return
        doubt = self._doubt_of(head.log, before, published)
        doubt = doubt or await self._recompute(head, frontier, published)
        if doubt is not None:
            self._refuse(head.log, doubt.value)
            return
        root = frontier.root()
        after = Signed(frontier, root, self._sign(head.log, head.size, root))
        try:
            if await transaction(
                self._client, lambda session: self._store(session, head.log, before, after)
            ):
                CHECKPOINTS.inc()
        except DuplicateKeyError:
            return  # another process signed the same log first

    def _doubt_of(
        self, log: str, before: Signed | None, published: Published | None
    ) -> Doubt | None:
        """Hold what to go on from against its own signature and what the world has seen of it.

        The stored frontier alone could be anybody's who can write to the database.
        """
        if before is None:
            return None
        if not self._check_log.is_its_note(log, before):
            return Doubt.NOT_ITS_NOTE
        if published is None or published.given_up or published.size != before.size:
            return None
        return None if published.root == before.root else Doubt.NOT_PUBLISHED_LOG

    async def _recompute(
        self, head: Head, frontier: Frontier, published: Published | None
    ) -> Doubt | None:
        if published is not None and published.given_up:
            published = None
        if published is not None and published.size > head.size:
            return Doubt.BEHIND_PUBLISHED
        at = -1 if published is None else published.size
        async for bodies in self._log.bodies(head.log, frontier.size, head.size):
            leaves = [leaf_hash(body) for body in bodies]
            if published is not None and frontier.size < at <= frontier.size + len(leaves):
                rest = at - frontier.size
                frontier.extend(leaves[:rest])
                if frontier.root() != published.root:
                    return Doubt.NOT_PUBLISHED_LOG
                leaves = leaves[rest:]
            frontier.extend(leaves)
        if frontier.size != head.size or frontier.hashes != head.frontier.hashes:
            return Doubt.NOT_THE_HEAD
        return None

    async def _store(
        self, session: Session, log: str, before: Signed | None, after: Signed
    ) -> bool:
        now = self._clock.now()
        if not await self._checkpoints.add(session, log, before, after, now):
            return False
        event = Checkpoint(
            zone_id=log, size=after.size, root=after.root.hex(), note=after.note, signed_at=now
        )
        await self._outbox.add(session, [event], ce_ids=[f"checkpoint.{log}.{after.size}"])
        return True

    def _refuse(self, log: str, doubt: str) -> None:
        self.doubts[log] = doubt
        DOUBTS.set(len(self.doubts))
        name = "the operators' log" if log == OPERATORS else log
        self._logger.critical("not signed", zone_id=name, reason=doubt)
