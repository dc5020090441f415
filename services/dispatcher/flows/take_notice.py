"""Take the mails that the registry and the audit service ask for, for planning."""

from collections.abc import Callable, Sequence

from services.dispatcher.domain.intake import notice_message
from services.dispatcher.domain.notices import Links, Recipient
from services.dispatcher.flows.wait_for_copy import CopyGate
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.messages import Messages
from shared.clock import Clock
from shared.contracts import Notice
from shared.envelope import decode
from shared.kafka import Positions, Record
from shared.mongo import Session


class TakeNotices:
    """Stores each notice once, its words rendered; its plan is made in the cold lane."""

    def __init__(
        self,
        *,
        gate: CopyGate,
        copy: Copy,
        messages: Messages,
        clock: Clock,
        links: Links,
        wake_planner: Callable[[], None],
    ) -> None:
        """Wire; `wake_planner` is called once notices are stored."""
        self._gate = gate
        self._copy = copy
        self._messages = messages
        self._clock = clock
        self._links = links
        self._behind: Positions = {}
        self.after = wake_planner

    async def before(self, _records: Sequence[Record]) -> None:
        """Wait for the copy, within bounds: a new member's notice follows close on the member."""
        self._behind = await self._gate.wait()

    async def apply(self, session: Session, records: Sequence[Record]) -> None:
        """Store a batch. Raises `Rejected` for what is no notice."""
        notices = [decode(record, Notice).event for record in records]
        ids = {notice.to_role.network_id for notice in notices if notice.to_role is not None}
        zones = await self._copy.zones({notice.zone_id for notice in notices}, session)
        networks = await self._copy.networks_by_id(ids, session)
        now = self._clock.now()
        for notice in notices:
            zone = zones.get(notice.zone_id)
            message = notice_message(notice, zone, networks, self._links, now)
            await self._messages.add(
                session, message, behind=self._behind, recipient=Recipient.of(notice)
            )
