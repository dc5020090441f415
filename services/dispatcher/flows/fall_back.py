"""Plan a mail for whoever turns out to have said STOP, where their communication plan says so."""

from itertools import groupby

from services.dispatcher.domain.audience import Addressee, Person, Planner, person_of
from services.dispatcher.domain.ledger import Row
from services.dispatcher.flows.resolve_audience import with_fallback
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Messages
from shared.clock import Clock
from shared.contracts import Member
from shared.contracts.base import Channel
from shared.pseudonyms import KeyRing

_MOST = 100


class FallBack:
    """A STOP is learnt when Twilio refuses a send (21610): too late for the plan of that message.

    The registry hears of it by the send's event, so from the next message on it is in the plan.
    """

    def __init__(
        self, *, ledger: Ledger, messages: Messages, copy: Copy, keys: KeyRing, clock: Clock
    ) -> None:
        """Wire."""
        self._ledger = ledger
        self._messages = messages
        self._copy = copy
        self._keys = keys
        self._clock = clock

    async def once(self) -> bool:
        """See to some of them; tell whether there may be more."""
        rows = await self._ledger.duties.to_fall_back(_MOST)
        seen_to = [row.send_id for row in rows if await self._see_to(row)]
        if seen_to:
            await self._ledger.duties.fell_back(seen_to)
        return len(seen_to) == _MOST

    async def _see_to(self, row: Row) -> bool:
        """Plan what is to be planned for one; False while its message is being planned anew."""
        message = await self._messages.get(row.key)
        revision = await self._messages.open_revision(row.key)
        if message is None or revision is None:
            return False
        networks = await self._copy.networks_by_id(message.network_ids)
        takes = with_fallback(message, networks)
        members = await self._copy.members(row.member_ids)
        people = _people([one for one in members.values() if one.network_id in takes])
        if people:
            planner = Planner(
                message,
                networks,
                now=self._clock.now(),
                pseudonym=self._keys.pseudonym,
                new_id=self._clock.new_id,
            )
            await self._ledger.plans.add(None, [planner.send(person) for person in people])
            await self._ledger.plans.make_sendable(row.key, revision)
        return True


def _people(members: list[Member]) -> list[Person]:
    """Give those who have an address, one for each; who may get it is asked before the attempt."""
    known = [
        Addressee(one.member_id, one.network_id, one.language, one.email, one.unsubscribe_token)
        for one in members
        if one.email is not None
    ]
    known.sort(key=lambda one: one.destination)
    return [
        person_of(Channel.EMAIL, list(group))
        for _, group in groupby(known, key=lambda one: one.destination)
    ]
