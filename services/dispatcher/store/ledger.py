"""The ledger: one document per send, in collection `sends`; each part of it is a module here."""

from services.dispatcher.domain.ledger import Patience
from services.dispatcher.store.changes import Changes
from services.dispatcher.store.claims import SendClaims
from services.dispatcher.store.closings import Closings
from services.dispatcher.store.destinations import Destinations
from services.dispatcher.store.duties import Duties
from services.dispatcher.store.events import MessageOf, SendEvents
from services.dispatcher.store.plans import Plans
from services.dispatcher.store.recipients import Recipients
from services.dispatcher.store.recovery import Recovery
from shared.clock import Clock
from shared.mongo import Database


class Ledger:
    """All sends, their states, and the events that are not acknowledged or agreed on yet."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        message_of: MessageOf,
        patience: Patience | None = None,
    ) -> None:
        """Bind; `message_of` gives a message's own data, which its events carry."""
        patience = patience or Patience()
        self._sends = database["sends"]
        self.closings = Closings(database)
        self.events = SendEvents(database, clock, self.closings, message_of, patience.look_back)
        self.changes = Changes(database, clock, self.closings, self.events, patience)
        self.plans = Plans(database, clock, self.closings, self.events, self.changes)
        self.claims = SendClaims(database, clock, patience.look_back)
        self.recipients = Recipients(database)
        self.destinations = Destinations(database, clock)
        self.duties = Duties(database, clock)
        self.recovery = Recovery(database, clock, self.events, self.changes, self.plans)

    async def prepare(self) -> None:
        """Create the indexes. Partial ones stay small: they hold what still has to be done."""
        sends = self._sends
        await sends.create_index(
            [("message", 1), ("channel", 1), ("destination", 1)], unique=True, name="once"
        )
        await sends.create_index(
            [("base", 1), ("channel", 1), ("destination", 1)],
            unique=True,
            name="once_per_bulletin",
            partialFilterExpression={"base": {"$exists": True}},
        )
        await sends.create_index("behind", sparse=True, name="behind_another_network")
        await sends.create_index(
            [("lane", 1), ("channel", 1), ("due", 1), ("_id", 1)],
            name="in_turn",
            partialFilterExpression={"state": "planned", "sendable": True},
        )
        await sends.create_index("held", sparse=True, name="leased")
        await sends.create_index(
            "message", name="unpublished", partialFilterExpression={"pending": True}
        )
        await sends.create_index(
            "message", name="unsettled", partialFilterExpression={"settled": False}
        )
        await sends.create_index("check_at", sparse=True, name="to_check")
        await sends.create_index(
            [("lane", 1), ("channel", 1)],
            name="second_attempts",
            partialFilterExpression={"second": True},
        )
        await sends.create_index("references", unique=True, sparse=True, name="bound_once")
        await sends.create_index("members", name="members")
        await sends.create_index("forget", sparse=True, name="to_forget")
        await sends.create_index("fall_back", sparse=True, name="to_fall_back")
