"""To which type of message an entry belongs, where an alert and a bulletin bear the same id.

Ids are claimed per type, so two messages may share one. Most entries say of which they tell; what
does not (somebody's look at the id, say) belongs to each of them.
"""

from collections.abc import Mapping
from typing import Any

from services.audit.domain.alarms import Alarm
from services.audit.domain.closing import alarm_id
from services.audit.domain.entries import EntryType, log_of
from shared.contracts.base import Lane, MessageType
from shared.topics import ALERTS, PROPOSALS

_EVERY = frozenset(MessageType)
_BULLETIN = frozenset({MessageType.BULLETIN})
_BY_LANE = {Lane.WARM: frozenset({MessageType.ALERT}), Lane.COLD: _EVERY - {MessageType.ALERT}}
_ORIGINALS = {
    f"original.{ALERTS.name}.": frozenset({MessageType.ALERT}),
    f"original.{PROPOSALS.name}.": _BULLETIN,
}


def types_of(entry: Mapping[str, Any], part: Mapping[str, Any] | None) -> frozenset[MessageType]:
    """Give the types of message that an entry may tell of; `part` is None where it is gone."""
    stated = None if part is None else part.get("message_type")
    if stated is not None:
        return frozenset({MessageType(stated)})
    match entry["type"]:
        case EntryType.NOTICE:
            return frozenset({MessageType.NOTICE})
        case EntryType.SEND:
            return _BY_LANE[Lane(entry["lane"])]
        case EntryType.ORIGINAL:
            return _of_original(str(entry["event_id"]))
        case EntryType.ANSWER | EntryType.ALARM:
            return _of_closing(entry)
        case kind:  # a release, or what the registry did to a bulletin
            return _BULLETIN if EntryType.BULLETIN in {kind, entry["state"]} else _EVERY


def _of_original(event_id: str) -> frozenset[MessageType]:
    found = (kinds for begin, kinds in _ORIGINALS.items() if event_id.startswith(begin))
    return next(found, _EVERY)


def _of_closing(entry: Mapping[str, Any]) -> frozenset[MessageType]:
    """Tell what an answer, or an alarm about closing, is about: none of them names it."""
    if entry["reason"] == Alarm.NO_CLOSING:
        due = frozenset(kind for kind in MessageType if entry["event_id"] in _alarms(entry, kind))
        return due or _EVERY
    if entry["type"] == EntryType.ANSWER or entry["reason"] == Alarm.CLOSING_STAYS_DIFFERENT:
        # only a bulletin is closed by release, which stands in the place of the networks
        return _BULLETIN if entry["network_ids"] else _EVERY - _BULLETIN
    return _EVERY


def _alarms(entry: Mapping[str, Any], kind: MessageType) -> set[str]:
    """Name the alarms that are raised where a message of this type is not closed."""
    releases: list[str] = entry["network_ids"] if kind is MessageType.BULLETIN else [""]
    begin = f"{log_of(entry['zone_id'])}|{kind}|{entry['message_id']}"
    return {alarm_id(f"{begin}|{release}") for release in releases}
