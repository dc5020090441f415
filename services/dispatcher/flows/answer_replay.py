"""Act on the audit service's answers to closing statements."""

from collections.abc import Sequence

from services.dispatcher.store.closings import Closings
from shared.clock import Clock
from shared.contracts import Replay
from shared.envelope import decode
from shared.kafka import Record
from shared.mongo import Session


class AnswerReplay:
    """Applies records of `bin.replays`."""

    def __init__(self, *, closings: Closings, clock: Clock) -> None:
        """Wire; the closing job does the work."""
        self._closings = closings
        self._clock = clock

    async def apply(self, session: Session, records: Sequence[Record]) -> None:
        """Note agreements and wishes for a replay. Raises `Rejected`."""
        for record in records:
            replay = decode(record, Replay).event
            about = (replay.zone_id, replay.message_id, replay.release)
            if replay.answer == "agreed":
                await self._closings.agreed(session, *about, replay.revision)
            else:
                await self._closings.resend(session, *about, self._clock.now())
