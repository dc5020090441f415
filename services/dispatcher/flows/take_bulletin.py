"""Take the bulletins that were released, one network each, for planning."""

from collections.abc import Callable, Sequence

from services.dispatcher.domain.intake import bulletin_message
from services.dispatcher.flows.wait_for_copy import CopyGate
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.messages import Messages
from shared.clock import Clock
from shared.contracts import Bulletin
from shared.envelope import decode
from shared.kafka import Positions, Record
from shared.mongo import Session


class TakeBulletins:
    """Stores each release once; its plan is made in the cold lane."""

    def __init__(
        self,
        gate: CopyGate,
        copy: Copy,
        messages: Messages,
        clock: Clock,
        wake_planner: Callable[[], None],
    ) -> None:
        """Wire; `wake_planner` is called once releases are stored."""
        self._gate = gate
        self._copy = copy
        self._messages = messages
        self._clock = clock
        self._behind: Positions = {}
        self.after = wake_planner

    async def before(self, _records: Sequence[Record]) -> None:
        """Wait for the copy, within bounds."""
        self._behind = await self._gate.wait()

    async def apply(self, session: Session, records: Sequence[Record]) -> None:
        """Store a batch. Raises `Rejected` for what is no bulletin."""
        bulletins = [decode(record, Bulletin).event for record in records]
        zones = await self._copy.zones({one.zone_id for one in bulletins}, session)
        networks = await self._copy.networks_by_id({one.network_id for one in bulletins}, session)
        now = self._clock.now()
        for bulletin in bulletins:
            message = bulletin_message(bulletin, zones.get(bulletin.zone_id), networks, now)
            await self._messages.add(session, message, behind=self._behind)
