"""What must hold between the database and everything that was ever published or is about to be."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from services.registry.domain.bulletin import BulletinRecord
from services.registry.domain.member import MemberRecord
from services.registry.domain.network import NetworkRecord
from services.registry.domain.zone import ZoneRecord
from services.registry.store.rows import from_row
from shared.contracts import (
    Access,
    Bulletin,
    Erasure,
    Event,
    Member,
    Network,
    Verdict,
)
from shared.contracts.dispatcher import VerdictKind
from shared.envelope import decode_any
from shared.kafka import Record
from shared.mongo import Database, Document
from tests.integration.registry.harness import Registry

OWN = (
    "ahead",
    "zones",
    "networks",
    "members",
    "bulletins",
    "documents",
    "meetings",
    "erased",
    "claims",
)
_DEPENDS_ON_TIME = {"contacts", "reply_to"}
"""Who may act now is part of a network's event, and changes without a version."""


@dataclass
class History:
    """The rows, and the events in the order in which a reader of each key gets them."""

    rows: dict[str, dict[str, Document]]
    events: dict[str, Event]
    """By CloudEvents id: what a crash had published twice counts once."""

    by_key: dict[tuple[str, str], list[Event]] = field(
        default_factory=lambda: defaultdict[tuple[str, str], list[Event]](list)
    )

    def of(self, kind: type[Event]) -> list[Any]:
        """Give the events of a kind."""
        return [event for event in self.events.values() if isinstance(event, kind)]


async def read_history(registry: Registry, known: History | None = None) -> History:
    """Read the database, the log, and the outbox behind it; `known` spares decoding again."""
    rows = {name: await _rows(registry.database, name) for name in OWN}
    records = [
        record
        for _, records in sorted(registry.cluster.records.items())
        for record in records
        if not record.topic.endswith(".dlq")
    ]
    waiting = registry.database["outbox"].find().sort([("stream", 1), ("seq", 1), ("_id", 1)])
    records += [_record(row) async for row in waiting if not row["topic"].endswith(".dlq")]
    history = History(rows, {})
    for record in records:
        headers = dict(record.headers)
        ce_id = headers["ce_id"].decode()
        if ce_id in history.events or headers["ce_source"] != b"buurtbode/registry":
            continue
        event = None if known is None else known.events.get(ce_id)
        history.events[ce_id] = event = event or decode_any(record).event
        history.by_key[record.topic, (record.key or b"").decode()].append(event)
    return history


async def _rows(database: Database, name: str) -> dict[str, Document]:
    return {str(row["_id"]): row async for row in database[name].find()}


def _record(row: Document) -> Record:
    headers = tuple((str(name), bytes(value)) for name, value in row["headers"].items())
    key = str(row["key"]).encode()
    return Record(row["topic"], 0, 0, key, bytes(row["value"]), headers)


def check(history: History, registry: Registry) -> None:
    """Assert that every change has its event, every event its change, and no zone is mixed."""
    assert not history.rows["ahead"], "a database that lost nothing is taken for a restored one"
    _check_aggregates(history, registry)
    _check_erasures(history)
    _check_bulletins(history)
    _check_zones(history)


def _check_aggregates(history: History, registry: Registry) -> None:
    now = registry.clock.now()
    stored: dict[tuple[str, str], Any] = {}
    for row in history.rows["zones"].values():
        stored["bin.zones", row["_id"]] = from_row(ZoneRecord, row).event()
    for row in history.rows["networks"].values():
        stored["bin.networks", row["_id"]] = from_row(NetworkRecord, row).event(now)
    for row in history.rows["members"].values():
        stored["bin.members", row["_id"]] = from_row(MemberRecord, row).event()
    for (topic, key), events in history.by_key.items():
        if topic not in {"bin.zones", "bin.networks", "bin.members"}:
            continue
        versions = [getattr(event, "version", 0) for event in events]
        assert versions == sorted(versions), f"{topic}: an older version follows a newer one"
        assert set(versions) == set(range(1, versions[-1] + 1)), f"{topic}: a change has no event"
        if (topic, key) in stored:
            assert _same(events[-1], stored[topic, key]), f"{topic}: the last event is another"
        else:
            assert key in history.rows["erased"], f"{topic}: an event of what is not stored"
    assert stored.keys() <= history.by_key.keys(), "something stored was never published"


def _same(event: Any, stored: Any) -> bool:
    left = _DEPENDS_ON_TIME if isinstance(event, Network) else set[str]()
    return bool(event.model_dump(exclude=left) == stored.model_dump(exclude=left))


def _check_erasures(history: History) -> None:
    ordered = {event.member_id for event in history.of(Erasure)}
    assert ordered == history.rows["erased"].keys(), "erasures and their orders differ"
    assert not ordered & history.rows["members"].keys(), "an erased person is stored"
    for member_id in ordered:
        last: Any = history.by_key["bin.members", member_id][-1]
        assert (last.state, last.phone, last.email) == ("left", None, None)


def _check_bulletins(history: History) -> None:
    released = [(e.zone_id, e.bulletin_id, e.network_id) for e in history.of(Bulletin)]
    assert len(set(released)) == len(released), "a bulletin went out twice"
    rows = [from_row(BulletinRecord, row) for row in history.rows["bulletins"].values()]
    stored = {(b.zone_id, b.bulletin_id, b.network_id) for b in rows if b.has("released")}
    assert stored == set(released), "releases and their events differ"
    accepted = {
        f"{v.zone_id}|bulletin|{v.message_id}"
        for v in history.of(Verdict)
        if v.verdict is VerdictKind.ACCEPTED
    }
    assert accepted == history.rows["claims"].keys(), "verdicts and claims differ"
    for meeting in history.rows["meetings"].values():
        row_id = f"{meeting['zone_id']}|{meeting['bulletin_id']}|{meeting['network_id']}"
        assert row_id in history.rows["bulletins"], "a meeting has no invitation"


def _check_zones(history: History) -> None:
    zone_of = {key: row["zone_id"] for key, row in history.rows["networks"].items()}
    for name in ("members", "bulletins", "meetings"):
        for row in history.rows[name].values():
            assert zone_of[row["network_id"]] == row["zone_id"], f"{name}: two zones are mixed"
    people = {**history.rows["members"], **history.rows["erased"]}
    for event in history.of(Access) + history.of(Bulletin) + history.of(Member):
        network_id = getattr(event, "network_id", None)
        if network_id is not None:
            assert zone_of[network_id] == event.zone_id, "an event mixes two zones"
        for member_id in getattr(event, "member_ids", ()):
            assert people[member_id]["zone_id"] == event.zone_id, "a record mixes two zones"


def check_step(before: History, after: History) -> None:
    """Assert that each row that changed is named by a record of who did it."""
    new = [e for ce_id, e in after.events.items() if ce_id not in before.events]
    records = [event for event in new if isinstance(event, Access)]
    for name in OWN:
        if name == "claims":  # its verdict was checked
            continue
        for row_id in before.rows[name].keys() | after.rows[name].keys():
            was, now = before.rows[name].get(row_id), after.rows[name].get(row_id)
            if was != now and not _silent(was, now):
                assert any(_names(record, now or was or {}) for record in records), (
                    f"{name}: a change is on no record"
                )


def _silent(was: Document | None, now: Document | None) -> bool:
    """Tell a change of when to look again, which is nobody's act."""
    if was is None or now is None:
        return False
    kept = was.keys() | now.keys()
    changed = {key for key in kept if was.get(key) != now.get(key)}
    return changed <= {"chase_at", "next_turn", "version"} and bool(changed & {"chase_at"})


def _names(record: Access, row: Document) -> bool:
    if "member_id" in row:
        return row["member_id"] in record.member_ids
    if "bulletin_id" in row:
        return record.message_id == row["bulletin_id"]
    if "network_id" in row:
        return record.network_id == row["network_id"]
    return record.zone_id == row["zone_id"]
