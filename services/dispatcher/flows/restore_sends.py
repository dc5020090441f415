"""Plan a message anew after a restore: with what its events say, and no attempt for the rest."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.restoring import forgotten, replayed, row_of_event
from services.dispatcher.domain.send import PlannedSend
from services.dispatcher.domain.states import UNSENT
from services.dispatcher.store.closings import Closings
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.messages import Work
from services.dispatcher.store.restored import Restored
from services.dispatcher.store.rows import gone, row_of_plan
from shared.clock import Clock
from shared.contracts import Send
from shared.contracts.base import SendState
from shared.mongo import Document
from shared.pseudonyms import KeyRing

_PAGE = 500

Kept = tuple[Send, Document]


class RestoreSends:
    """Used by the planner for messages that a restored database knew less of than its topics."""

    def __init__(
        self, *, ledger: Ledger, restored: Restored, closings: Closings, keys: KeyRing, clock: Clock
    ) -> None:
        """Wire."""
        self._ledger = ledger
        self._restored = restored
        self._closings = closings
        self._keys = keys
        self._clock = clock

    async def page(self, work: Work, sends: Sequence[PlannedSend]) -> list[PlannedSend]:
        """Store the sends of a page that have events, or may have been attempted without one.

        Gives those that certainly had no attempt, to be planned as always.
        """
        known = await self._events(work, sends)
        rows: list[tuple[Row, Sequence[Document]]] = []
        left: list[PlannedSend] = []
        done: set[str] = set()
        now = self._clock.now()
        for send in sends:
            mine = _standing(known.get(send.destination, []))
            if mine:
                rows.append((replayed(_of(send, mine), _sends(mine)), [s for _, s in mine]))
                done.add(mine[0][0].send_id)
            elif send.state is SendState.UNREACHABLE or not work.restored:
                left.append(send)
            else:
                planned = row_of_plan(send)
                rows.append((forgotten(planned, work.message.accepted_at, now), []))
        await self._store(rows, done)
        return left

    async def rest(self, work: Work) -> None:
        """Store what is left of the message's events: sends to where nobody of it is any more."""
        expires_at = work.message.expires_at
        while found := await self._restored.of_message(work.message.key, None, _PAGE):
            rows: list[tuple[Row, Sequence[Document]]] = []
            for send_id, kept in found.items():
                row = row_of_event(kept[0][0], gone(send_id), expires_at)
                rows.append((replayed(row, _sends(kept)), [stored for _, stored in kept]))
            await self._store(rows, set(found))

    async def closing(self, work: Work) -> None:
        """Go on from the last closing statement that was published."""
        marker = await self._restored.marker(work.message.key)
        if marker is not None:
            await self._closings.restore(
                work.message, marker.closed, marker.digest, marker.closed_at
            )

    async def _store(self, rows: Sequence[tuple[Row, Sequence[Document]]], done: set[str]) -> None:
        await self._ledger.recovery.restore(rows)
        await self._restored.done(done)

    async def _events(self, work: Work, sends: Sequence[PlannedSend]) -> dict[str, list[Kept]]:
        """Give the kept events of the sends among these, by destination."""
        key = work.message.key
        years = await self._restored.years(key)
        by_recipient: dict[str, str] = {}
        by_member: dict[str, str] = {}
        for send in sends:
            destination = send.destination
            if send.recipient is None:
                by_member |= dict.fromkeys(send.member_ids, destination)
            else:
                for year in years:
                    name = self._keys.pseudonym(key.zone_id, year, destination)
                    by_recipient[name] = destination
        found: dict[str, list[Kept]] = defaultdict(list)
        channels = {send.channel for send in sends}
        for channel in channels:
            for event, stored in await self._restored.matching(
                key, channel, by_recipient.keys(), by_member.keys()
            ):
                if event.recipient is not None:
                    destination = by_recipient.get(event.recipient)
                else:
                    named = (by_member[one] for one in event.member_ids if one in by_member)
                    destination = next(named, None)
                if destination is not None:
                    found[destination].append((event, stored))
        return found


def _standing(kept: Sequence[Kept]) -> Sequence[Kept]:
    """Give the events of the one send that stands for a destination, of all that went there.

    Others there never went out: they gave up their place to it, or stand beside it.
    """
    by_send: dict[str, list[Kept]] = defaultdict(list)
    for event, stored in kept:
        by_send[event.send_id].append((event, stored))
    went = (one for one in by_send.values() if one[-1][0].state not in UNSENT)
    return next(went, next(iter(by_send.values()), kept))


def _sends(kept: Iterable[Kept]) -> list[Send]:
    return [event for event, _ in kept]


def _of(send: PlannedSend, kept: Sequence[Kept]) -> Row:
    """Begin a planned send's row under the id, and with the people, that its events name."""
    return replace(
        row_of_event(kept[0][0], send.destination, send.expires_at),
        sender_name=send.sender_name,
        reply_to=send.reply_to,
        unsubscribe_token=send.unsubscribe_token,
    )
