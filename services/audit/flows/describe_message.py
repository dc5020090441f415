"""Describe a message for a reader: what was said, who stands for it, and what became of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson

from services.audit.domain.entries import EntryType
from services.audit.flows.show_message import MessageLife, ShowMessage
from services.audit.store.copies import Copies
from services.audit.store.log import Stored
from shared.contracts.dispatcher import Basis, VerdictKind
from shared.mongo import Document

Texts = Mapping[str, str]
"""By language; a bulletin's subject stands above its body."""


@dataclass(frozen=True, slots=True)
class Described:
    """A message's life with its words and the names of its networks."""

    life: MessageLife
    texts: Texts
    """Empty once their date has come, or where what was written could not be read."""

    issued_by: str | None
    networks: Mapping[str, str]
    """Names by id, where the registry told one."""

    basis: Basis
    """On what it rests, as its plans say; `legal` is empty where it was not planned."""


class DescribeMessage:
    """Reads the text from the original that was accepted, else from the bulletin as released.

    Where nothing was accepted, from what was refused. Anybody who may write to the topic can name
    a message's id in a record that is refused, as does who corrects one and sends it again.
    """

    def __init__(self, show: ShowMessage, copies: Copies) -> None:
        """Wire."""
        self._show = show
        self._copies = copies

    async def __call__(self, log: str, message_id: str) -> Described | None:
        """Give it, or None where the log has no such message."""
        row = await self._show.row(log, message_id)
        return None if row is None else await self.life(row)

    async def life(self, row: Document) -> Described:
        """Give the message of a row; the caller records the reading."""
        life = await self._show.life(row)
        said = _said(life.timeline)
        names = await self._copies.names(life.row.get("network_ids", ()))
        issued_by = said.get("issued_by")
        return Described(life, _texts(said), issued_by, names, _basis(life.timeline))


def _said(timeline: Iterable[Stored]) -> dict[str, Any]:
    """Give what the message said, as an object; empty where nothing of it is left."""
    accepted: set[str] = set()
    originals: list[tuple[str, dict[str, Any]]] = []
    released: dict[str, Any] = {}
    for stored in timeline:
        if stored.part is None:
            continue
        entry: dict[str, Any] = orjson.loads(stored.body)
        part: dict[str, Any] = orjson.loads(stored.part)
        match entry["type"]:
            case EntryType.VERDICT if entry["state"] == VerdictKind.ACCEPTED:
                accepted.add(_position(part["original"]))
            case EntryType.BULLETIN:
                released = released or part
            case EntryType.ORIGINAL if part.get("value") is not None:
                originals.append((part["position"], _object(part["value"])))
            case _:
                pass
    if accepted or released:
        stands = (said for position, said in originals if position in accepted)
        return next(stands, released)
    refused = [said for _, said in originals if said]
    return refused[0] if refused else {}


def _position(original: Mapping[str, Any]) -> str:
    return f"{original['topic']}|{original['partition']}|{original['offset']}"


def _basis(timeline: Iterable[Stored]) -> Basis:
    """Give what a message's plans rest on: a bulletin has one for each network."""
    found = Basis(legal="")
    for entry in (orjson.loads(stored.body) for stored in timeline):
        if entry["basis"] is not None:
            plan = Basis.model_validate(entry["basis"])
            found = Basis(
                legal=plan.legal,
                house_rules=found.house_rules | plan.house_rules,
                communication_plan=found.communication_plan | plan.communication_plan,
            )
    return found


def _object(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}  # whatever an outsider wrote
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _texts(said: Mapping[str, Any]) -> Texts:
    subjects, bodies = _strings(said.get("subject")), _strings(said.get("body"))
    whole = {
        language: "\n\n".join(
            part for part in (subjects.get(language), bodies.get(language)) if part is not None
        )
        for language in {**subjects, **bodies}
    }
    return _strings(said.get("text")) or whole


def _strings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    pairs = cast("dict[str, object]", value)
    return {name: text for name, text in pairs.items() if isinstance(text, str)}
