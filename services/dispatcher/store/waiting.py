"""Sends of a bulletin that wait behind the one that another network has for the same person.

They are `planned`, with `behind` naming the bulletin, and nobody claims them. The send that they
wait behind has the same name in `base`, which at most one per destination can have; it lets go of
it when it ends without having gone out.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

from pymongo.errors import DuplicateKeyError

from services.dispatcher.domain.ledger import Row
from services.dispatcher.store.rows import WITHOUT_EVENTS, base, to_row
from shared.clock import Clock
from shared.contracts.base import SendState
from shared.mongo import Database, Document

_PAGE = 500


class Waiting(NamedTuple):
    """A send that waits, and the state of the one before it; None where that is gone."""

    row: Row
    before: SendState | None


class WaitingSends:
    """Reads who waits, and lets them go first."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Bind."""
        self._sends = database["sends"]
        self._clock = clock

    async def pages(self) -> AsyncGenerator[Sequence[Waiting]]:
        """Give all that wait, a page at a time, each with what it waits behind."""
        query: Document = {"behind": {"$exists": True}, "state": str(SendState.PLANNED)}
        found = self._sends.find(query, WITHOUT_EVENTS, batch_size=_PAGE)
        found = found.hint("behind_another_network")
        while page := await found.to_list(_PAGE):
            rows = [to_row(item) for item in page]
            states = await self._states(rows)
            yield [Waiting(row, states.get(_place(row))) for row in rows]

    async def _states(self, rows: Sequence[Row]) -> dict[tuple[str, str, str], SendState]:
        places = [
            dict(zip(("base", "channel", "destination"), place, strict=True))
            for place in {_place(row) for row in rows}
        ]
        found = self._sends.find(
            {"$or": places}, {"_id": 0, "base": 1, "channel": 1, "destination": 1, "state": 1}
        )
        return {
            (item["base"], item["channel"], item["destination"]): SendState(item["state"])
            async for item in found
        }

    async def let_go(self, row: Row) -> bool:
        """Put a send in the place of the one before it; tell whether it is there.

        It can be claimed at once where its message's planned event is Kafka's already.
        """
        try:
            written = await self._sends.update_one(
                {"_id": row.send_id, "state": "planned", "behind": {"$exists": True}},
                [
                    {
                        "$set": {
                            "base": "$behind",
                            "sendable": {"$ifNull": ["$freed", False]},
                            "due": self._clock.now(),
                        }
                    },
                    {"$unset": ["behind", "freed"]},
                ],
            )
        except DuplicateKeyError:  # somebody else who waited was quicker
            return False
        return written.modified_count > 0


def _place(row: Row) -> tuple[str, str, str]:
    return base(row.key), str(row.channel), row.destination or ""
