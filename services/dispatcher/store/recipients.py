"""Who got a message, or may have got it: asked by all-clears, updates and plans."""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.message import MessageKey
from services.dispatcher.store.rows import KEPT, WITHOUT_EVENTS, to_row
from shared.contracts.base import Channel, Language, MessageType, SendState
from shared.mongo import Database, Document, Session

_PAGE = 1000
_OPEN = (SendState.CLAIMED, SendState.ATTEMPTING, SendState.UNKNOWN)
_GOT_THROUGH = (SendState.ACCEPTED, SendState.DELIVERED, SendState.UNDELIVERED)
_PERHAPS_THROUGH = (
    SendState.ATTEMPTING,
    SendState.UNKNOWN,
    SendState.ACCEPTED,
    SendState.DELIVERED,
)


class Reached(NamedTuple):
    """A destination that got an alert, or may have got it."""

    destination: str
    channel: Channel
    member_ids: tuple[str, ...]
    network_ids: tuple[str, ...]
    language: Language
    sender_name: str
    reply_to: str | None
    unsubscribe_token: str | None
    recipient: str | None
    recipient_year: int
    state: SendState


class Recipients:
    """Reads the sends of messages by whom they are for."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._sends = database["sends"]

    async def reached(
        self,
        session: Session | None,
        zone_id: str,
        alert_ids: Collection[str],
        after: tuple[str, str] | None = None,
        limit: int = _PAGE,
        *,
        unresolved: bool = True,
    ) -> list[Reached]:
        """List who got these alerts, or (`unresolved`) may have: the audience of an all-clear.

        Sorted by destination and channel; `after` is the last pair of the page before. Somebody
        who is in several of the alerts comes once per alert; dropped destinations do not come.
        """
        # a claimed send is none of these: after the marker it can no longer be attempted
        open_still = (SendState.ATTEMPTING, SendState.UNKNOWN) if unresolved else ()
        states = (*_GOT_THROUGH, *open_still)
        query: Document = {
            "message": {"$in": _alert_keys(zone_id, alert_ids)},
            "state": {"$in": [str(state) for state in states]},
            "destination": KEPT,
        }
        if after is not None:
            destination, channel = after
            query["$or"] = [
                {"destination": {"$gt": destination}},
                {"destination": destination, "channel": {"$gt": channel}},
            ]
        order = [("destination", 1), ("channel", 1)]
        found = self._sends.find(query, WITHOUT_EVENTS, session=session).sort(order).limit(limit)
        return [_reached(to_row(item)) async for item in found]

    async def unresolved(
        self, session: Session | None, zone_id: str, alert_ids: Collection[str]
    ) -> int:
        """Count the sends of these alerts of which nobody knows whether they got through.

        Settled or not: what was unknown when its alert expired may have reached somebody as well.
        """
        query: Document = {
            "message": {"$in": _alert_keys(zone_id, alert_ids)},
            "state": {"$in": [str(state) for state in _OPEN]},
        }
        return await self._sends.count_documents(query, session=session)

    async def members_planned(
        self,
        session: Session | None,
        key: MessageKey,
        channel: Channel,
        member_ids: Collection[str],
    ) -> set[str]:
        """Give, of these members, those whose send of this message got through, or may have.

        What did not get through, or will be refused since the destination changed, holds back
        no send to where they are now.
        """
        ids = list(member_ids)
        found = self._sends.find(
            {
                "members": {"$in": ids},
                "message": str(key),
                "channel": str(channel),
                "state": {"$in": [str(state) for state in _PERHAPS_THROUGH]},
            },
            {"_id": 0, "members": 1},
            session=session,
        ).hint("members")
        wanted = set(ids)
        return {one async for item in found for one in item["members"] if one in wanted}

    async def busy(
        self, messages: Collection[MessageKey], destinations: Collection[str]
    ) -> dict[str, list[Row]]:
        """Give the open sends of these messages, by destination: an update waits for them."""
        found = self._sends.find(
            {
                "message": {"$in": [str(key) for key in messages]},
                "destination": {"$in": list(destinations)},
                "state": {"$in": [str(state) for state in _OPEN]},
            },
            WITHOUT_EVENTS,
        )
        busy: dict[str, list[Row]] = defaultdict(list)
        async for item in found:
            row = to_row(item)
            busy[row.destination or ""].append(row)
        return busy


def _alert_keys(zone_id: str, alert_ids: Collection[str]) -> list[str]:
    return [str(MessageKey(zone_id, MessageType.ALERT, one)) for one in alert_ids]


def _reached(row: Row) -> Reached:
    return Reached(
        destination=row.destination or "",
        channel=row.channel,
        member_ids=row.member_ids,
        network_ids=row.network_ids,
        language=row.language,
        sender_name=row.sender_name,
        reply_to=row.reply_to,
        unsubscribe_token=row.unsubscribe_token,
        recipient=row.recipient,
        recipient_year=row.recipient_year,
        state=row.state,
    )
