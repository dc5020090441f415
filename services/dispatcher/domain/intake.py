"""Turns what comes in (an accepted alert, a release, a notice) into a message to send. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.dispatcher.domain.message import Content, Message, MessageKey
from services.dispatcher.domain.notices import Links, render
from shared.contracts import Alert, Bulletin, Network, Notice, Zone
from shared.contracts.base import Lane, MessageType, Status
from shared.contracts.registry import DocumentKind

Networks = Mapping[str, Network]
"""What the copy has, by id."""

_NO_BASIS = "unknown"
"""The legal basis while the copy does not have the zone: said, not guessed."""


def alert_message(
    alert: Alert, zone: Zone, networks: Networks, takes: Sequence[str], now: datetime
) -> Message:
    """Make the message of an accepted alert; `takes` are the networks that take it."""
    return Message(
        key=MessageKey(alert.zone_id, MessageType.ALERT, alert.alert_id),
        lane=Lane.WARM,
        status=alert.status,
        kind=str(alert.kind),
        references=alert.references,
        network_ids=tuple(takes),
        content=Content(body=dict(alert.text)),
        template=str(alert.kind),
        issued_at=alert.issued_at,
        accepted_at=now,
        expires_at=alert.ends_at,
        legal_basis=zone.legal_basis.warm,
        house_rules=_versions("house_rules", takes, networks),
        communication_plan=_versions("communication_plan", takes, networks),
    )


def bulletin_message(
    bulletin: Bulletin, zone: Zone | None, networks: Networks, now: datetime
) -> Message:
    """Make the message of one release of a bulletin."""
    takes = (bulletin.network_id,)
    return Message(
        key=MessageKey(
            bulletin.zone_id, MessageType.BULLETIN, bulletin.bulletin_id, bulletin.network_id
        ),
        lane=Lane.COLD,
        status=bulletin.status,
        kind=str(bulletin.kind),
        references=bulletin.references,
        network_ids=takes,
        content=Content(
            body=dict(bulletin.body),
            subject=dict(bulletin.subject),
            attachment=bulletin.attachment,
        ),
        template="bulletin",
        issued_at=bulletin.released_at,
        accepted_at=now,
        expires_at=bulletin.expires_at,
        legal_basis=_NO_BASIS if zone is None else zone.legal_basis.cold,
        house_rules=_versions("house_rules", takes, networks),
        communication_plan=_versions("communication_plan", takes, networks),
    )


def notice_message(
    notice: Notice, zone: Zone | None, networks: Networks, links: Links, now: datetime
) -> Message:
    """Make the message of a notice, its words rendered in all languages."""
    takes = () if notice.to_role is None else (notice.to_role.network_id,)
    return Message(
        key=MessageKey(notice.zone_id, MessageType.NOTICE, notice.notice_id),
        lane=Lane.COLD,
        status=Status.ACTUAL,
        kind=notice.template,
        references=None,
        network_ids=takes,
        content=render(notice, links),
        template=notice.template,
        issued_at=notice.issued_at,
        accepted_at=now,
        expires_at=notice.expires_at,
        legal_basis=_NO_BASIS if zone is None else zone.legal_basis.cold,
        house_rules=_versions("house_rules", takes, networks),
        communication_plan=_versions("communication_plan", takes, networks),
    )


def _versions(kind: DocumentKind, takes: Iterable[str], networks: Networks) -> dict[str, int]:
    return {
        network_id: networks[network_id].documents[kind]
        for network_id in takes
        if network_id in networks and kind in networks[network_id].documents
    }
