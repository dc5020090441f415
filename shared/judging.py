"""What the two judges have in common: reading a police record, its signature, its id, its networks.

The dispatcher judges alerts, the registry judges proposals; each record gets exactly one verdict,
whatever it holds. A judge goes through the steps below in this order, inside the transaction of its
batch, and turns what they give or raise into a verdict:

    case = Case.of(record, MessageType.ALERT, zones.get(zone_named(record) or ""))
    try:
        signed = examine(case, Alert, now)
        ...claims, times, networks...
        answer = accepted(case, choice, now, people=...)
    except Refused as refused:
        answer = refusal(case, refused, now)
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Self, TypeVar, cast

from shared.contracts import Network, Verdict, Zone
from shared.contracts.base import MessageType, Status
from shared.contracts.dispatcher import LeftOut, Original, Reason, VerdictKind
from shared.contracts.police import SIGNATURE_HEADER, Alert, BulletinProposed, PoliceEvent
from shared.contracts.registry import PublisherKey
from shared.envelope import decode, header, sha256
from shared.failures import Rejected
from shared.kafka import Record
from shared.signatures import SignatureRefused, check_issuer, verify

P = TypeVar("P", Alert, BulletinProposed)

AHEAD = timedelta(minutes=2)
"""How far a sender's clock may be ahead of the judge's."""

UNREADABLE = frozenset(
    {Reason.NOT_A_CLOUDEVENT, Reason.WRONG_TYPE, Reason.NOT_JSON, Reason.INVALID_FIELD}
)
"""Reasons for which a record goes to the DLQ besides getting its verdict."""

_ZONE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CE_ID = re.compile(r"[!-~]{1,200}")
ID_FIELD = {MessageType.ALERT: "alert_id", MessageType.BULLETIN: "bulletin_id"}
"""The field that holds a message's id."""

EXPLANATIONS: Mapping[Reason, str] = {
    Reason.NOT_JSON: "The value is not JSON; send the event's JSON as UTF-8.",
    Reason.NOT_A_CLOUDEVENT: (
        "The record is no CloudEvent; it needs the headers ce_specversion (1.0), ce_id and ce_type,"
        " each once."
    ),
    Reason.WRONG_TYPE: "This topic does not take events of that ce_type.",
    Reason.INVALID_FIELD: "A field is missing, unknown or not valid; see the example in the docs.",
    Reason.UNKNOWN_ZONE: "There is no such zone; an admin creates zones in the registry.",
    Reason.KEY_NOT_ZONE: "The record key must be the zone_id of the event.",
    Reason.NO_SIGNATURE: "The header bin-signature is missing; sign the exact bytes of the value.",
    Reason.MALFORMED_SIGNATURE: (
        "The signature is no detached JWS with exactly alg, kid, zone and topic in its header."
    ),
    Reason.WRONG_SIGNATURE: "The signature does not fit these bytes and this key.",
    Reason.SIGNATURE_FOR_OTHER_ZONE: "The signature was made for another zone.",
    Reason.SIGNATURE_FOR_OTHER_TOPIC: "The signature was made for another topic.",
    Reason.UNKNOWN_KEY: "The zone has no key of that kid; an admin enrols keys in the registry.",
    Reason.KEY_NOT_CONFIRMED: "The key waits for another police user of the zone to confirm it.",
    Reason.KEY_NOT_CURRENT: "The key is not valid now; look at its nbf and exp.",
    Reason.KEY_REVOKED: "The key was revoked; sign with another one.",
    Reason.NOT_THE_SIGNER: (
        "issued_by must be the officer whose key signed, or the kid of a police system's key."
    ),
    Reason.APPROVAL_NEEDED: (
        "Together with the alerts of the last 30 minutes this addresses more than 10 networks: "
        "another officer must approve it (approved_by and the header bin-approval)."
    ),
    Reason.APPROVAL_INVALID: (
        "The approval does not hold: approved_by must be the officer whose own key signed the same "
        "bytes in the header bin-approval."
    ),
    Reason.APPROVER_IS_ISSUER: "Whoever approves must be another officer than whoever issued.",
    Reason.UNKNOWN_NETWORK: "The zone has no such network.",
    Reason.NETWORK_NOT_ACTIVE: "The network is not active.",
    Reason.NO_EXERCISES: "The network's communication plan does not provide for exercises.",
    Reason.NO_NETWORK_LEFT: "None of the networks can take it now; left_out says why for each.",
    Reason.ISSUED_IN_FUTURE: "issued_at is more than 2 minutes ahead; check the sender's clock.",
    Reason.ISSUED_TOO_LONG_AGO: "It was issued more than 7 days ago; issue it anew.",
    Reason.EXPIRED: "It had expired when it was judged, so nothing is sent.",
    Reason.ID_TAKEN: "The id belongs to another message already; take a new one.",
    Reason.TOO_LONG: "The SMS needs too many segments; shorten the text.",
    Reason.STATUS_DIFFERS: (
        "The alert it refers to has another status (actual, exercise or test); send it with that "
        "status, or as an alert of its own."
    ),
    Reason.NOT_YOUR_KIND: "The police do not send this kind of message.",
}
"""What each reason means and what to do about it, for people."""

_DUPLICATE = "The same message was accepted before, from another record; nothing is sent twice."


class Refused(Exception):  # noqa: N818 - a verdict, not an error of ours
    """The record is not accepted. No part holds a value of the record."""

    def __init__(
        self,
        reason: Reason,
        field: str | None = None,
        *,
        left_out: Sequence[LeftOut] = (),
        verdict: VerdictKind = VerdictKind.REFUSED,
    ) -> None:
        """Name the reason and, where one is to blame, the header or field."""
        super().__init__(reason if field is None else f"{reason} ({field})")
        self.reason = reason
        self.field = field
        self.left_out = tuple(left_out)
        self.verdict = verdict


class Duplicate(Exception):  # noqa: N818 - a verdict, not an error of ours
    """The same bytes were accepted before, from another record."""


@dataclass(slots=True)
class Case:
    """One record before its judge, and what is readable of it so far."""

    record: Record
    message_type: MessageType
    zone: Zone | None
    """The known zone that the record key names."""

    ce_id: str | None
    message_id: str | None
    sha256: str
    event: PoliceEvent | None = None
    """Set once it is read; its fields then stand in the verdict, also in a refusal."""

    signer: str | None = None
    approver: str | None = None

    @classmethod
    def of(cls, record: Record, message_type: MessageType, zone: Zone | None) -> Self:
        """Open the case; `zone` is the zone of `zone_named(record)`, or None where unknown."""
        ce_id = header(record, "ce_id")
        return cls(
            record=record,
            message_type=message_type,
            zone=zone,
            ce_id=ce_id if ce_id is not None and _CE_ID.fullmatch(ce_id) else None,
            message_id=_readable_id(record.value, ID_FIELD[message_type]),
            sha256=sha256(record.value),
        )


@dataclass(frozen=True, slots=True)
class Signed(Generic[P]):
    """An event whose signature holds, and the key that made it."""

    event: P
    key: PublisherKey


def zone_named(record: Record) -> str | None:
    """Give the zone that the record key names, known or not; None where it names none."""
    if record.key is None:
        return None
    try:
        text = record.key.decode("ascii")
    except UnicodeDecodeError:
        return None
    return text if _ZONE.fullmatch(text) else None


def _readable_id(value: bytes, name: str) -> str | None:
    """Give the message's id where it can be read, so that its sender can find the verdict."""
    try:
        parsed: object = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, dict):
        return None
    found = cast("dict[str, object]", parsed).get(name)
    return found if isinstance(found, str) and _UUID.fullmatch(found) else None


def examine(case: Case, model: type[P], now: datetime) -> Signed[P]:
    """Read the record and verify its signature. Raises `Refused`.

    Record key, `zone_id`, protected `zone` and the key's zone are equal; `topic` is the topic
    read; `issued_by` is the signer (docs/architecture.md, "Police events are signed").
    """
    event = _read(case, model)
    if zone_named(case.record) != event.zone_id:
        raise Refused(Reason.KEY_NOT_ZONE, "zone_id")
    if case.zone is None:
        raise Refused(Reason.UNKNOWN_ZONE, "zone_id")
    case.event = event
    key = signed_by(case.record, case.zone, SIGNATURE_HEADER, now)
    try:
        check_issuer(key, event.issued_by)
    except SignatureRefused as refused:
        raise Refused(refused.reason, refused.field) from None
    case.signer = key.kid
    return Signed(event, key)


def _read(case: Case, model: type[P]) -> P:
    try:
        return decode(case.record, model).event
    except Rejected as rejected:
        raise Refused(Reason(rejected.reason), rejected.field) from None
    except (ValueError, RecursionError, OverflowError):
        # nested too deeply, or text that is no text: whatever it is, it is not our event
        raise Refused(Reason.NOT_JSON) from None


def signed_by(record: Record, zone: Zone, name: str, now: datetime) -> PublisherKey:
    """Give the zone's key that signed the record's bytes in header `name`. Raises `Refused`."""
    if not any(key == name for key, _ in record.headers):
        raise Refused(Reason.NO_SIGNATURE, name)
    token = header(record, name)
    if token is None:
        raise Refused(Reason.MALFORMED_SIGNATURE, name)
    try:
        return verify(record.value, token, zone, topic=record.topic, now=now, field=name)
    except SignatureRefused as refused:
        raise Refused(refused.reason, refused.field) from None


def check_times(event: PoliceEvent, now: datetime, *, oldest: timedelta | None = None) -> None:
    """Hold the event's times against the judge's clock. Raises `Refused`.

    `oldest` is how long ago it may have been issued (7 days for proposals).
    """
    if event.issued_at > now + AHEAD:
        raise Refused(Reason.ISSUED_IN_FUTURE, "issued_at")
    if event.ends_at <= now:
        raise Refused(Reason.EXPIRED, "expires_at", verdict=VerdictKind.EXPIRED)
    if oldest is not None and event.issued_at < now - oldest:
        raise Refused(Reason.ISSUED_TOO_LONG_AGO, "issued_at")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a judge needs to know of a network."""

    zone_id: str
    active: bool
    exercises: bool

    @classmethod
    def of(cls, network: Network) -> Self:
        """Take it from the network's event."""
        return cls(network.zone_id, network.state == "active", network.exercises)


@dataclass(frozen=True, slots=True)
class Choice:
    """The networks that take a message, and those left out."""

    takes: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = field(default=())


def choose_networks(
    event: PoliceEvent, known: Mapping[str, Candidate], *, none_left: bool = False
) -> Choice:
    """Choose who takes the event. Raises `Refused`, naming a field by its position, not its value.

    A network that is not active, or that expects no exercises, is left out and named. `test` needs
    no consent: it never leaves for a real number. `none_left` lets an empty choice pass (an
    all-clear goes to whoever got the alert, whatever its networks).
    """
    takes: list[str] = []
    left_out: list[LeftOut] = []
    for position, network_id in enumerate(event.network_ids):
        network = known.get(network_id)
        if network is None or network.zone_id != event.zone_id:
            raise Refused(Reason.UNKNOWN_NETWORK, f"network_ids.{position}")
        if not network.active:
            left_out.append(LeftOut(network_id=network_id, reason=Reason.NETWORK_NOT_ACTIVE))
        elif event.status is Status.EXERCISE and not network.exercises:
            left_out.append(LeftOut(network_id=network_id, reason=Reason.NO_EXERCISES))
        else:
            takes.append(network_id)
    if not takes and not none_left:
        raise Refused(Reason.NO_NETWORK_LEFT, "network_ids", left_out=left_out)
    return Choice(tuple(takes), tuple(left_out))


def accepted(case: Case, choice: Choice, now: datetime, *, people: int | None = None) -> Verdict:
    """Give the verdict on a record that is accepted; `people` is who it reaches, where known."""
    count = len(choice.takes)
    explanation = f"Accepted for {count} network{'' if count == 1 else 's'}."
    if choice.left_out:
        explanation += f" Left out: {len(choice.left_out)}; left_out says why for each."
    return _verdict(
        case, VerdictKind.ACCEPTED, now, choice=choice, people=people, explanation=explanation
    )


def refusal(case: Case, refused: Refused, now: datetime) -> Verdict:
    """Give the verdict on a record that is refused, or that came too late."""
    explanation = EXPLANATIONS[refused.reason]
    if refused.field is not None:
        explanation += f" Look at: {refused.field}."
    return _verdict(
        case,
        refused.verdict,
        now,
        choice=Choice((), refused.left_out),
        reason=refused.reason,
        field=refused.field,
        explanation=explanation,
    )


def duplicate(case: Case, now: datetime) -> Verdict:
    """Give the verdict on a record whose bytes were accepted before, from another record."""
    return _verdict(case, VerdictKind.DUPLICATE, now, choice=Choice(()), explanation=_DUPLICATE)


def _verdict(
    case: Case,
    kind: VerdictKind,
    now: datetime,
    *,
    choice: Choice,
    explanation: str,
    reason: Reason | None = None,
    field: str | None = None,
    people: int | None = None,
) -> Verdict:
    record, event = case.record, case.event
    return Verdict(
        event_id=_event_id(record, kind, reason, field),
        ce_id=case.ce_id,
        original=Original(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            sha256=case.sha256,
        ),
        zone_id=None if case.zone is None else case.zone.zone_id,
        message_type=case.message_type,
        message_id=case.message_id,
        network_ids=choice.takes,
        left_out=choice.left_out,
        verdict=kind,
        reason=reason,
        field=field,
        explanation=explanation,
        people=people,
        signer=case.signer,
        approver=case.approver,
        judged_at=now,
        **_told(event),
    )


def _told(event: PoliceEvent | None) -> dict[str, Any]:
    if event is None:
        return {}
    kind: object = getattr(event, "kind", None)
    return {
        "kind": None if kind is None else str(kind),
        "references": event.references,
        "status": event.status,
        "expires_at": event.ends_at,
    }


def _event_id(record: Record, kind: VerdictKind, reason: Reason | None, field: str | None) -> str:
    """Derive from the position and the outcome: a repeated verdict is the same event.

    A record that is read again may get another verdict (its key was confirmed meanwhile, or it
    expired); that is another event, and the audit log keeps both.
    """
    outcome = sha256(f"{kind}|{reason or ''}|{field or ''}".encode())[:12]
    return f"{record.topic}.{record.partition}.{record.offset}.{outcome}"
