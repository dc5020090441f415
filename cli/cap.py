"""CAP 1.2 (OASIS Common Alerting Protocol, ITU-T X.1303) read as an alert of ours.

The document is held against the standard's element tables (sections 3.2.1 to 3.2.4): which
elements, how many, in which order, with which words. What it says and an SMS to the members of
neighbourhood networks cannot honour is refused with the reason, never guessed or left out. XML
that declares a document type is refused unread, so there are no entities to expand or to fetch.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid5
from xml.parsers.expat import ExpatError, ParserCreate

from cli.composing import ALERT_EVENTS, Fields
from cli.failures import CommandError, cannot_read
from shared.contracts.base import LANGUAGES, Language
from shared.geometry import Position, Ring

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
_SIGNATURE = "http://www.w3.org/2000/09/xmldsig# Signature"
_LARGEST = 1_000_000
_DEEPEST = 8
_IDS = UUID("64c7ac30-b7a5-4a6f-8b43-8d1a1c0f4f29")
"""The namespace of ids of CAP messages whose identifier is no UUID; never to be changed."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
"""Section 3.3.2: no fraction, no `Z`."""

_WORDS: Mapping[str, frozenset[str]] = {
    "status": frozenset({"Actual", "Exercise", "System", "Test", "Draft"}),
    "msgType": frozenset({"Alert", "Update", "Cancel", "Ack", "Error"}),
    "scope": frozenset({"Public", "Restricted", "Private"}),
    "category": frozenset(
        {
            *("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env"),
            *("Transport", "Infra", "CBRNE", "Other"),
        }
    ),
    "responseType": frozenset(
        {
            *("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess"),
            *("AllClear", "None"),
        }
    ),
    "urgency": frozenset({"Immediate", "Expected", "Future", "Past", "Unknown"}),
    "severity": frozenset({"Extreme", "Severe", "Moderate", "Minor", "Unknown"}),
    "certainty": frozenset({"Observed", "Likely", "Possible", "Unlikely", "Unknown"}),
}

_MANY = 1000
_PAIR = (("valueName", 1, 1), ("value", 1, 1))
_CHILDREN: Mapping[str, Sequence[tuple[str, int, int]]] = {
    "alert": (
        *(("identifier", 1, 1), ("sender", 1, 1), ("sent", 1, 1), ("status", 1, 1)),
        *(("msgType", 1, 1), ("source", 0, 1), ("scope", 1, 1), ("restriction", 0, 1)),
        *(("addresses", 0, 1), ("code", 0, _MANY), ("note", 0, 1), ("references", 0, 1)),
        *(("incidents", 0, 1), ("info", 0, _MANY)),
    ),
    "info": (
        *(("language", 0, 1), ("category", 1, _MANY), ("event", 1, 1)),
        *(("responseType", 0, _MANY), ("urgency", 1, 1), ("severity", 1, 1)),
        *(("certainty", 1, 1), ("audience", 0, 1), ("eventCode", 0, _MANY)),
        *(("effective", 0, 1), ("onset", 0, 1), ("expires", 0, 1), ("senderName", 0, 1)),
        *(("headline", 0, 1), ("description", 0, 1), ("instruction", 0, 1), ("web", 0, 1)),
        *(("contact", 0, 1), ("parameter", 0, _MANY), ("resource", 0, _MANY)),
        ("area", 0, _MANY),
    ),
    "resource": (
        *(("resourceDesc", 1, 1), ("mimeType", 1, 1), ("size", 0, 1), ("uri", 0, 1)),
        *(("derefUri", 0, 1), ("digest", 0, 1)),
    ),
    "area": (
        *(("areaDesc", 1, 1), ("polygon", 0, _MANY), ("circle", 0, _MANY)),
        *(("geocode", 0, _MANY), ("altitude", 0, 1), ("ceiling", 0, 1)),
    ),
    "eventCode": _PAIR,
    "parameter": _PAIR,
    "geocode": _PAIR,
}
"""The elements of each group in the schema's order, and how often each may stand there."""

_STATUS = {"Actual": "actual", "Exercise": "exercise", "Test": "test"}
_KIND = {"Alert": "alert", "Update": "update", "Cancel": "all_clear"}
_RING_MIN = 4
T = TypeVar("T")


class CapError(CommandError):
    """A document that is no CAP 1.2, or says what we cannot honour."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whom it is for, as the document says: outlines, municipalities (NIS codes), networks."""

    outlines: frozenset[Ring]
    municipalities: frozenset[str]
    networks: frozenset[str]

    @property
    def named(self) -> bool:
        """Tell whether it names anything that can be matched."""
        return bool(self.outlines or self.municipalities or self.networks)


@dataclass(frozen=True, slots=True)
class CapAlert:
    """What an alert of ours takes over, and the place that its networks are chosen by."""

    fields: Fields
    place: Place


@dataclass(slots=True)
class _Node:
    name: str
    text: str = ""
    children: list["_Node"] = field(default_factory=list["_Node"])

    def all(self, name: str) -> list["_Node"]:
        """Give the children of a name."""
        return [child for child in self.children if child.name == name]

    def get(self, name: str) -> str | None:
        """Give the text of the only child of a name; None where it is absent or empty."""
        return next((child.text for child in self.all(name) if child.text), None)

    def must(self, name: str) -> str:
        """Give the text of a child that must be there and not be empty. Raises `CapError`."""
        found = self.get(name)
        if found is None:
            message = f"CAP: {name} is empty"
            raise CapError(message)
        return found


def read(path: Path, now: datetime, event: str | None = None) -> CapAlert:
    """Read a file; `event` is what the officer says it is about. Raises `CapError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CapError(cannot_read(path, error)) from None
    return parse(content, now, event)


def parse(content: bytes, now: datetime, event: str | None = None) -> CapAlert:
    """Read a document. Raises `CapError`."""
    alert = _tree(content)
    _check(alert)
    _honourable(alert)
    infos = alert.all("info")
    kind = _KIND[alert.must("msgType")]
    if not infos:
        raise CapError("CAP: there is no info, so there is nothing to say to anybody")
    for info in infos:
        _honourable_info(info, kind, now)
    fields: Fields = {
        "alert_id": _id(alert.must("sender"), alert.must("identifier"), alert.must("sent")),
        "kind": kind,
        "status": _STATUS[alert.must("status")],
        "issued_at": _moment("sent", alert.must("sent")).isoformat(),
        "event": event or _same(infos, _event, "event"),
        "text": _texts(infos),
    }
    expires = _same(infos, lambda info: info.get("expires"), "expires")
    if expires is not None:
        fields["expires_at"] = _moment("expires", expires).isoformat()
    if kind != "alert":
        fields["references"] = _first(alert)
    return CapAlert(fields, _same(infos, _place, "area"))


# ---- XML


def _tree(content: bytes) -> _Node:
    """Parse without a document type: no entity is declared, expanded or fetched."""
    if len(content) > _LARGEST:
        raise CapError("CAP: more than a megabyte is no alert")
    top = _Node("")
    open_nodes = [top]

    def start(name: str, _attributes: object) -> None:
        if len(open_nodes) > _DEEPEST:
            raise CapError("CAP: elements stand too deep in each other")
        node = _Node(name.removeprefix(NAMESPACE + " "))
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_name: str) -> None:
        node = open_nodes.pop()
        node.text = node.text.strip()

    def text(data: str) -> None:
        open_nodes[-1].text += data

    def document_type(*_what: object) -> None:
        raise CapError("CAP: a document type declaration is refused (it could declare entities)")

    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat's own signature
    except ExpatError as error:
        message = f"CAP: this is no XML (line {error.lineno})"
        raise CapError(message) from None
    except (ValueError, LookupError):
        raise CapError("CAP: this is in no encoding that can be read") from None
    return top.children[0]


def _check(alert: _Node) -> None:
    if alert.name != "alert":
        message = f"CAP: the document is no alert of {NAMESPACE}"
        raise CapError(message)
    if alert.all(_SIGNATURE):
        raise CapError("CAP: it is signed, and nobody here can check that XML signature")
    _check_children(alert)


def _check_children(node: _Node) -> None:
    allowed = _CHILDREN.get(node.name)
    if allowed is None:
        _check_leaf(node)
        return
    order = [name for name, _, _ in allowed]
    last = 0
    for child in node.children:
        if child.name not in order:
            message = f"CAP: {node.name} has no element {child.name.rpartition(' ')[2]}"
            raise CapError(message)
        if order.index(child.name) < last:
            message = f"CAP: {child.name} stands too late in {node.name}"
            raise CapError(message)
        last = order.index(child.name)
        _check_children(child)
    for name, least, most in allowed:
        if not least <= len(node.all(name)) <= most:
            how = "is missing" if not node.all(name) else "stands there more than once"
            message = f"CAP: {name} {how} in {node.name}"
            raise CapError(message)


def _check_leaf(node: _Node) -> None:
    if node.children:
        message = f"CAP: {node.name} holds text, no elements"
        raise CapError(message)
    words = _WORDS.get(node.name)
    if words is not None and node.text not in words:
        message = f"CAP: {node.name} is one of {', '.join(sorted(words))}"
        raise CapError(message)


def _moment(name: str, text: str) -> datetime:
    if _TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    message = f"CAP: {name} must be like 2026-11-22T14:30:00+01:00"
    raise CapError(message)


# ---- what we can honour


def _honourable(alert: _Node) -> None:
    reasons = {
        ("status", "System"): "a System message is for machines",
        ("status", "Draft"): "a Draft is not to be acted on",
        ("msgType", "Ack"): "an Ack is for the sender of a message",
        ("msgType", "Error"): "an Error is for the sender of a message",
        ("scope", "Restricted"): "its restriction cannot be kept once it is sent to members",
        ("scope", "Private"): "it is for the addresses that it names, not for members",
    }
    for (name, word), why in reasons.items():
        if alert.must(name) == word:
            message = f"CAP: {name} {word} cannot be sent: {why}"
            raise CapError(message)
    everybody = "it goes to all members of its networks"
    why = {
        "restriction": everybody,
        "addresses": everybody,
        "code": "what its user group means by it is not known here",
        "note": "put it into the text, or leave it out",
        "incidents": "alerts are kept together by references alone",
    }
    for name, reason in why.items():
        if alert.get(name) is not None:
            message = f"CAP: {name} cannot be honoured: {reason}"
            raise CapError(message)


def _honourable_info(info: _Node, kind: str, now: datetime) -> None:
    why = {
        "audience": "it goes to all members of its networks",
        "web": "put the address into the text, or leave it out",
        "contact": "put it into the text, or leave it out",
        "parameter": "what its system means by it is not known here",
        "resource": "an SMS carries no attachment",
    }
    for name, reason in why.items():
        if info.all(name):
            message = f"CAP: {name} cannot be honoured: {reason}"
            raise CapError(message)
    for name in ("effective", "onset"):
        at = info.get(name)
        if at is not None and _moment(name, at) > now:
            message = f"CAP: {name} lies ahead, and an alert is sent at once: send it then"
            raise CapError(message)
    if info.must("urgency") in {"Future", "Past"}:
        message = f"CAP: urgency {info.must('urgency')} is no alert: write a bulletin"
        raise CapError(message)
    if info.must("certainty") == "Unlikely":
        raise CapError("CAP: certainty Unlikely is no alert: nothing in an SMS would say so")
    asked = {one.text for one in info.all("responseType")} - {"None"}
    if ("AllClear" in asked) != (kind == "all_clear") and "AllClear" in asked:
        raise CapError("CAP: responseType AllClear belongs to msgType Cancel")
    if asked - {"AllClear"} and info.get("instruction") is None:
        raise CapError("CAP: responseType asks for something that no instruction says in words")


def _same(infos: Sequence[_Node], look: Callable[[_Node], T], what: str) -> T:
    """Give what all info blocks agree on: they are one message in several languages."""
    found = [look(info) for info in infos]
    if any(one != found[0] for one in found):
        message = f"CAP: the info blocks differ in their {what}; send them as separate alerts"
        raise CapError(message)
    return found[0]


def _event(info: _Node) -> str:
    codes = {
        code.must("value")
        for code in info.all("eventCode")
        if code.must("valueName") == "buurtbode"
    }
    named = codes or {info.must("event").lower().replace(" ", "_")}
    known = named & set(ALERT_EVENTS)
    if len(named) == 1 and known:
        return known.pop()
    message = (
        "CAP: what it is about is not one of ours: say it with --event, or in an eventCode "
        f"'buurtbode' ({', '.join(ALERT_EVENTS)})"
    )
    raise CapError(message)


def _texts(infos: Sequence[_Node]) -> dict[Language, str]:
    texts: dict[Language, str] = {}
    for info in infos:
        tag = info.get("language") or "en-US"  # section 3.2.2: the default
        spoken = tag.partition("-")[0].lower()
        language: Language | None = next((one for one in LANGUAGES if one == spoken), None)
        if language is None:
            message = f"CAP: no member gets messages in {tag}: {', '.join(LANGUAGES)}"
            raise CapError(message)
        if language in texts:
            message = f"CAP: two info blocks are in {language}; send them as separate alerts"
            raise CapError(message)
        parts = [info.get(name) for name in ("headline", "description", "instruction")]
        texts[language] = "\n".join(part for part in parts if part)
        if not texts[language]:
            raise CapError("CAP: an info block has no headline, description or instruction")
    return texts


def _id(sender: str, identifier: str, sent: str) -> str:
    """Keep an identifier that is a UUID; of another, make one that is always the same."""
    try:
        return str(UUID(identifier))
    except ValueError:
        at = _moment("sent", sent)
        return str(uuid5(_IDS, f"{sender},{identifier},{at.timestamp():.0f}"))


def _first(alert: _Node) -> str:
    """Give the id of the alert that this one replaces or ends."""
    named = (alert.get("references") or "").split()
    parts = named[0].split(",") if len(named) == 1 else []
    if len(parts) != 3:  # noqa: PLR2004 - section 3.2.1: sender,identifier,sent
        raise CapError(
            "CAP: references must name one message, the first alert, as sender,identifier,sent: "
            "an update takes the place of all that came after it"
        )
    sender, identifier, sent = parts
    return _id(sender, identifier, sent)


# ---- where


def _place(info: _Node) -> Place:
    outlines: set[Ring] = set()
    codes: dict[str, set[str]] = {"NIS": set(), "buurtbode": set()}
    for area in info.all("area"):
        for name in ("circle", "altitude", "ceiling"):
            if area.all(name):
                message = f"CAP: {name} cannot be matched to networks: draw a polygon"
                raise CapError(message)
        outlines |= {_ring(one.text) for one in area.all("polygon")}
        for code in area.all("geocode"):
            known = codes.get(code.must("valueName"))
            if known is None:
                message = (
                    f"CAP: geocodes of {code.must('valueName')} are not known here: use 'NIS' "
                    "(a municipality) or 'buurtbode' (a network's id)"
                )
                raise CapError(message)
            known.add(code.must("value"))
    return Place(frozenset(outlines), frozenset(codes["NIS"]), frozenset(codes["buurtbode"]))


def _ring(text: str) -> Ring:
    """Read `latitude,longitude` pairs; ours are the other way round, as GeoJSON's are."""
    ring = _positions(text)
    if len(ring) < _RING_MIN or ring[0] != ring[-1]:
        raise CapError(
            "CAP: a polygon has four pairs of latitude,longitude or more, the last like the first"
        )
    return ring


def _positions(text: str) -> Ring:
    """Read the pairs; none where one of them is no pair."""
    with suppress(ValueError):
        return tuple(_position(pair) for pair in text.split())
    return ()


def _position(pair: str) -> Position:
    latitude, longitude = (float(part) for part in pair.split(","))
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 - WGS 84
        raise ValueError(pair)
    return longitude, latitude
