"""What the judge of alerts holds against an alert beyond the rules of all police records. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.dispatcher.domain import texts
from shared.contracts import Alert
from shared.contracts.base import AlertKind
from shared.contracts.dispatcher import Reason
from shared.contracts.police import APPROVAL_HEADER
from shared.contracts.registry import PublisherKey
from shared.judging import Case, Refused, signed_by

WINDOW = timedelta(minutes=30)
MOST_NETWORKS = 10
"""More distinct networks than this within `WINDOW` need two officers."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """The networks that one accepted alert or update addressed, and when it was accepted."""

    at: datetime
    network_ids: tuple[str, ...]


def still_counting(recent: Sequence[Addressed], now: datetime) -> list[Addressed]:
    """Give what was accepted within the window before `now`."""
    return [entry for entry in recent if entry.at > now - WINDOW]


def needs_two(alert: Alert, recent: Sequence[Addressed], now: datetime) -> bool:
    """Tell whether this and the zone's recent alerts together address too many for one officer.

    Networks count as addressed even where they are left out: a suspension is not a discount.
    """
    if alert.kind is AlertKind.ALL_CLEAR:
        return False
    networks = set(alert.network_ids)
    for entry in still_counting(recent, now):
        networks.update(entry.network_ids)
    return len(networks) > MOST_NETWORKS


def check_approval(case: Case, alert: Alert, signer: PublisherKey, now: datetime) -> None:
    """Verify an approval where there is one, and note its key in the case. Raises `Refused`.

    `approved_by` is signed by the issuer and names another officer; the header carries that
    officer's own signature over the same bytes. One without the other does not hold.
    """
    present = any(name == APPROVAL_HEADER for name, _ in case.record.headers)
    if alert.approved_by is None and not present:
        return
    if alert.approved_by is None:
        raise Refused(Reason.APPROVAL_INVALID, "approved_by")
    if not present or case.zone is None:
        raise Refused(Reason.APPROVAL_INVALID, APPROVAL_HEADER)
    try:
        key = signed_by(case.record, case.zone, APPROVAL_HEADER, now)
    except Refused:
        raise Refused(Reason.APPROVAL_INVALID, APPROVAL_HEADER) from None
    if key.officer_id is None or key.officer_id != alert.approved_by:
        raise Refused(Reason.APPROVAL_INVALID, "approved_by")
    if key.kid == signer.kid or key.officer_id == signer.officer_id:
        raise Refused(Reason.APPROVER_IS_ISSUER, "approved_by")
    case.approver = key.kid


def check_length(alert: Alert, most: int) -> None:
    """Hold each language's SMS, closing line included, against the cap. Raises `Refused`."""
    for language, text in alert.text.items():
        sms = texts.alert_sms(text, language, alert.kind, alert.status)
        if sms.segments > most:
            raise Refused(Reason.TOO_LONG, f"text.{language}")
