"""The dispatcher's own copy of zones, networks and members, built from the compacted topics.

It lets an alert go out while the registry is down. Beside each member's event stand the keys by
which audiences are read, in order, so that a person's memberships come one after the other:

- `sms`: who gets warm messages: the number, or `member:<id>` where there is none to send to;
- `fallback`: the address of somebody in `sms` without a usable number;
- `mail`: who gets cold messages: the address, or `member:<id>`.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from pymongo import ReplaceOne

from services.dispatcher.domain.audience import UNREACHABLE_PREFIX, Addressee
from shared.contracts import Erasure, Member, Network, Zone
from shared.contracts.base import Language
from shared.mongo import Collection as Rows
from shared.mongo import Database, Document, Session

AudienceKey = Literal["sms", "fallback", "mail"]
Scope = Literal["network_id", "zone_id"]

_PAGE = 1000
_MERGED = 100
"""Up to so many networks an audience is merged from one ordered index scan each (MongoDB merges
200 at most); beyond, the zone's index is read in order and filtered."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people of one network and language can, or cannot, be reached."""

    network_id: str
    language: Language
    unreachable: bool
    by_mail: bool
    """Of the unreachable: whether an alert goes to them by e-mail instead."""

    people: int


class Copy:
    """The copied aggregates. A row holds the newest event, whole."""

    def __init__(self, database: Database) -> None:
        """Bind to the dispatcher's database."""
        self._zones = database["copy_zones"]
        self._networks = database["copy_networks"]
        self._members = database["copy_members"]
        self._erased = database["copy_erased"]
        self._state = database["copy_state"]
        self._complete = False

    async def prepare(self) -> None:
        """Create the indexes."""
        indexes: tuple[tuple[Scope, AudienceKey], ...] = (
            ("network_id", "sms"),
            ("network_id", "fallback"),
            ("network_id", "mail"),
            ("zone_id", "sms"),
            ("zone_id", "fallback"),  # cold messages are released to one network each
        )
        for scope, key in indexes:
            await self._members.create_index(
                [(scope, 1), (key, 1), ("_id", 1)],
                name=_index(scope, key),
                partialFilterExpression={key: {"$exists": True}},
            )
        await self._networks.create_index([("event.zone_id", 1)])
        await self._networks.create_index([("event.contacts.subject", 1)])

    async def apply_zones(self, session: Session, zones: Sequence[Zone]) -> None:
        """Take the newer of these zones."""
        rows = [(zone.zone_id, zone.version, _whole(zone)) for zone in zones]
        await _replace(self._zones, session, rows)

    async def apply_networks(self, session: Session, networks: Sequence[Network]) -> None:
        """Take the newer of these networks."""
        rows = [(network.network_id, network.version, _whole(network)) for network in networks]
        await _replace(self._networks, session, rows)

    async def apply_members(self, session: Session, members: Sequence[Member]) -> None:
        """Take the newer of these members; nothing applies to an erased id."""
        ids = [member.member_id for member in members]
        erased = {
            row["_id"] async for row in self._erased.find({"_id": {"$in": ids}}, session=session)
        }
        rows = [
            (member.member_id, member.version, _member_row(member))
            for member in members
            if member.member_id not in erased
        ]
        await _replace(self._members, session, rows)

    async def erase(self, session: Session, erasures: Sequence[Erasure]) -> None:
        """Forget these members for good."""
        ids = [erasure.member_id for erasure in erasures]
        if not ids:
            return
        marks = [ReplaceOne({"_id": i}, {"_id": i}, upsert=True) for i in dict.fromkeys(ids)]
        await self._erased.bulk_write(marks, ordered=False, session=session)
        await self._members.delete_many({"_id": {"$in": ids}}, session=session)

    async def zones(self, ids: Collection[str], session: Session | None = None) -> dict[str, Zone]:
        """Give the zones among `ids`."""
        rows = self._zones.find({"_id": {"$in": list(ids)}}, session=session)
        return {row["_id"]: Zone.model_validate(row["event"]) async for row in rows}

    async def networks_by_id(
        self, ids: Collection[str], session: Session | None = None
    ) -> dict[str, Network]:
        """Give the networks among `ids`."""
        rows = self._networks.find({"_id": {"$in": list(ids)}}, session=session)
        return {row["_id"]: Network.model_validate(row["event"]) async for row in rows}

    async def networks(self, zone_id: str) -> list[Network]:
        """Give a zone's networks."""
        rows = self._networks.find({"event.zone_id": zone_id}).sort("_id", 1)
        return [Network.model_validate(row["event"]) async for row in rows]

    async def networks_of(self, subject: str) -> set[str]:
        """Give the networks in which somebody is an active coordinator or deputy."""
        contact = {
            "subject": subject,
            "active": True,
            "role": {"$in": ["coordinator", "co_coordinator", "deputy"]},
        }
        rows = self._networks.find({"event.contacts": {"$elemMatch": contact}}, {"_id": 1})
        return {row["_id"] async for row in rows}

    async def members(self, ids: Collection[str]) -> dict[str, Member]:
        """Give the members among `ids`; who is unknown or erased is not in it."""
        rows = self._members.find({"_id": {"$in": list(ids)}})
        return {row["_id"]: Member.model_validate(row["event"]) async for row in rows}

    async def audience(
        self, key: AudienceKey, zone_id: str, network_ids: Sequence[str], after: str | None
    ) -> AsyncIterator[list[Addressee]]:
        """Give the members of these networks, all those behind one destination at a time, in order.

        `after` is the last destination that was dealt with. One page is in memory at a time.
        """
        few = key == "mail" or len(network_ids) <= _MERGED
        scope: Scope = "network_id" if few else "zone_id"
        query: Document = {
            "network_id": {"$in": list(network_ids)},
            "zone_id": zone_id,
            key: {"$exists": True} if after is None else {"$exists": True, "$gt": after},
        }
        rows = (
            self._members.find(query, _projection(key), batch_size=_PAGE)
            .sort([(key, 1), ("_id", 1)])
            .hint(_index(scope, key))
        )
        group: list[Addressee] = []
        while page := await rows.to_list(_PAGE):  # one by one they would cost twice as much
            for row in page:
                addressee = _addressee(row, key)
                if group and group[0].destination != addressee.destination:
                    yield group
                    group = []
                group.append(addressee)
        if group:
            yield group

    async def count_people(
        self, key: AudienceKey, network_ids: Collection[str], session: Session | None = None
    ) -> int:
        """Count the distinct people in the audience of these networks."""
        pipeline = [
            {"$match": {"network_id": {"$in": list(network_ids)}, key: {"$exists": True}}},
            {"$group": {"_id": f"${key}"}},
            {"$count": "people"},
        ]
        cursor = await self._members.aggregate(
            pipeline, session=session, hint=_index("network_id", key)
        )
        found = await cursor.to_list()
        return int(found[0]["people"]) if found else 0

    async def tally(
        self,
        key: AudienceKey,
        network_ids: Collection[str],
        *,
        by_network: bool,
        fall_back: Collection[str] = (),
    ) -> list[Tally]:
        """Count people by network, language and whether they can be reached.

        `by_network` counts somebody who is in two networks in each; else once, in the network of
        the member who decides the language. `fall_back` are the networks whose communication plan
        names e-mail for who has no number.
        """
        person: Document = {"person": f"${key}"}
        if by_network:
            person["network_id"] = "$network_id"
        has_mail = {"$ne": [{"$type": "$fallback"}, "missing"]}
        first: Document = {
            "member_id": "$_id",
            "language": "$event.language",
            "network_id": "$network_id",
            "by_mail": {"$and": [{"$in": ["$network_id", list(fall_back)]}, has_mail]},
        }
        unreachable = {"$eq": [{"$indexOfCP": ["$_id.person", UNREACHABLE_PREFIX]}, 0]}
        pipeline: list[Document] = [
            {"$match": {"network_id": {"$in": list(network_ids)}, key: {"$exists": True}}},
            {"$group": {"_id": person, "first": {"$min": first}}},
            {
                "$group": {
                    "_id": {
                        "network_id": "$first.network_id",
                        "language": "$first.language",
                        "unreachable": unreachable,
                        "by_mail": {"$and": [unreachable, "$first.by_mail"]},
                    },
                    "people": {"$sum": 1},
                }
            },
        ]
        hint = _index("network_id", key)
        cursor = await self._members.aggregate(pipeline, allowDiskUse=True, hint=hint)
        return [Tally(people=row["people"], **row["_id"]) async for row in cursor]

    @property
    def complete(self) -> bool:
        """Tell whether the copy has ever been complete, as far as this process knows."""
        return self._complete

    async def was_complete(self) -> bool:
        """Look up whether the copy has ever been complete; once true it stays so."""
        if not self._complete:
            self._complete = await self._state.find_one({"_id": "complete"}) is not None
        return self._complete

    async def set_complete(self) -> None:
        """Note that the copy has been complete."""
        await self._state.replace_one({"_id": "complete"}, {"_id": "complete"}, upsert=True)
        self._complete = True


def _index(scope: Scope, key: AudienceKey) -> str:
    return f"{scope}_{key}"


def _whole(event: Zone | Network | Member) -> Document:
    # times of day and tuples have no BSON form, JSON has all
    return {"event": event.model_dump(mode="json")}


def _member_row(member: Member) -> Document:
    if member.state == "left":
        member = member.model_copy(update={"phone": None, "email": None, "accept_token": None})
    row = {**_whole(member), "zone_id": member.zone_id, "network_id": member.network_id}
    if member.state != "active" or member.restricted:
        return row
    nobody = f"{UNREACHABLE_PREFIX}{member.member_id}"
    usable = member.phone is not None and not member.sms_stopped
    row["sms"] = member.phone if usable else nobody
    if not usable and member.email:
        row["fallback"] = member.email
    if member.cold_mail:
        row["mail"] = member.email or nobody
    return row


def _projection(key: AudienceKey) -> Document:
    return {
        "network_id": 1,
        key: 1,
        "event.language": 1,
        "event.unsubscribe_token": 1,
        "event.sms_stopped": 1,
    }


def _addressee(row: Document, key: AudienceKey) -> Addressee:
    event = row["event"]
    return Addressee(
        member_id=row["_id"],
        network_id=row["network_id"],
        language=event["language"],
        destination=row[key],
        unsubscribe_token=event.get("unsubscribe_token"),
        sms_stopped=bool(event.get("sms_stopped")),
    )


async def _replace(rows: Rows, session: Session, new: Sequence[tuple[str, int, Document]]) -> None:
    """Write rows of a greater version than what is there; one process owns each key at a time."""
    if not new:
        return
    ids = [row_id for row_id, _, _ in new]
    latest = {
        row["_id"]: int(row["version"])
        async for row in rows.find({"_id": {"$in": ids}}, {"version": 1}, session=session)
    }
    writes: dict[str, ReplaceOne[Document]] = {}
    for row_id, version, row in new:
        if version > latest.get(row_id, -1):
            latest[row_id] = version
            writes[row_id] = ReplaceOne({"_id": row_id}, {"version": version, **row}, upsert=True)
    if writes:
        await rows.bulk_write(list(writes.values()), ordered=False, session=session)
