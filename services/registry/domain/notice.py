"""The mails that the registry asks for: to whom, about what, and until when they are worth sending.

A notice holds ids, counts and dates only; the dispatcher writes its words.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from services.registry.domain.bulletin import BulletinRecord
from services.registry.domain.member import MemberRecord
from services.registry.domain.network import TOLD_OF_END, NetworkRecord
from shared.contracts.registry import Notice, NoticeTemplate, RoleInNetwork

_LIFE = timedelta(days=14)


def _to_role(
    notice_id: str,
    network: tuple[str, str],
    role: Literal["officer", "coordinator", "deputy"],
    template: NoticeTemplate,
    now: datetime,
    *,
    about: Mapping[str, JsonValue],
    expires_at: datetime | None = None,
) -> Notice:
    zone_id, network_id = network
    return Notice(
        zone_id=zone_id,
        notice_id=notice_id,
        to_role=RoleInNetwork(role=role, network_id=network_id),
        template=template,
        about={"network_id": network_id, **about},
        issued_at=now,
        expires_at=expires_at or now + _LIFE,
    )


def _bulletin_about(bulletin: BulletinRecord) -> dict[str, JsonValue]:
    return {
        "bulletin_id": bulletin.bulletin_id,
        "kind": str(bulletin.kind),
        "expires_at": bulletin.expires_at.isoformat(),
    }


def ask_acceptance(notice_id: str, member: MemberRecord, now: datetime) -> Notice:
    """Ask a pending member to read and accept the house rules, by their own link."""
    return Notice(
        zone_id=member.zone_id,
        notice_id=notice_id,
        to_member=member.member_id,
        template="accept_house_rules",
        about={"network_id": member.network_id},
        issued_at=now,
        expires_at=now + _LIFE,
    )


def confirm_membership(notice_id: str, member: MemberRecord, now: datetime) -> Notice:
    """Tell a member that they accepted the house rules, and which version."""
    accepted = member.acceptance
    return Notice(
        zone_id=member.zone_id,
        notice_id=notice_id,
        to_member=member.member_id,
        template="membership_confirmed",
        about={
            "network_id": member.network_id,
            "house_rules_version": None if accepted is None else accepted.version,
        },
        issued_at=now,
        expires_at=now + _LIFE,
    )


def bulletin_waiting(
    notice_id: str, bulletin: BulletinRecord, role: Literal["coordinator", "deputy"], now: datetime
) -> Notice:
    """Tell the coordinators, or the deputies alone, that a bulletin waits for their relay."""
    return _about_open(notice_id, bulletin, role, "bulletin_waiting", now)


def bulletin_reminder(
    notice_id: str, bulletin: BulletinRecord, role: Literal["coordinator", "deputy"], now: datetime
) -> Notice:
    """Remind the coordinators, or the deputies alone, of a bulletin that still waits."""
    return _about_open(notice_id, bulletin, role, "bulletin_reminder", now)


def bulletin_escalated(
    notice_id: str, bulletin: BulletinRecord, role: Literal["deputy", "officer"], now: datetime
) -> Notice:
    """Tell a deputy, or the officer, that a bulletin waits too long and now comes to them."""
    return _about_open(notice_id, bulletin, role, "bulletin_escalated", now)


def bulletin_suggested(notice_id: str, bulletin: BulletinRecord, now: datetime) -> Notice:
    """Tell the officer that a municipality's tip waits to be adopted or declined."""
    return _about_open(notice_id, bulletin, "officer", "bulletin_suggested", now)


def _about_open(
    notice_id: str,
    bulletin: BulletinRecord,
    role: Literal["officer", "coordinator", "deputy"],
    template: NoticeTemplate,
    now: datetime,
) -> Notice:
    """Write of a bulletin that is still open: worth nothing once it ended."""
    return _to_role(
        notice_id,
        (bulletin.zone_id, bulletin.network_id),
        role,
        template,
        now,
        about=_bulletin_about(bulletin),
        expires_at=bulletin.expires_at,
    )


def bulletin_returned(notice_id: str, bulletin: BulletinRecord, now: datetime) -> Notice:
    """Tell the officer that a bulletin came back; the reason stands on its timeline."""
    return _to_role(
        notice_id,
        (bulletin.zone_id, bulletin.network_id),
        "officer",
        "bulletin_returned",
        now,
        about=_bulletin_about(bulletin),
    )


def bulletin_expired(notice_id: str, bulletin: BulletinRecord, now: datetime) -> Notice:
    """Tell the officer that nobody relayed a bulletin in time."""
    return _to_role(
        notice_id,
        (bulletin.zone_id, bulletin.network_id),
        "officer",
        "bulletin_expired",
        now,
        about=_bulletin_about(bulletin),
    )


def member_unreachable(notice_id: str, member: MemberRecord, now: datetime) -> Notice:
    """Tell the coordinators that a member answered STOP and gets no SMS any more."""
    return _to_role(
        notice_id,
        (member.zone_id, member.network_id),
        "coordinator",
        "member_unreachable",
        now,
        about={"member_id": member.member_id},
    )


def network_without_coordinator(notice_id: str, network: NetworkRecord, now: datetime) -> Notice:
    """Tell the officer that nobody relays for a network now."""
    return _to_role(
        notice_id,
        (network.zone_id, network.network_id),
        "officer",
        "network_without_coordinator",
        now,
        about={},
    )


def network_dissolved(
    notice_id: str, network: NetworkRecord, role: Literal["officer", "coordinator"], now: datetime
) -> Notice:
    """Tell the officer or the coordinators that a network is dissolved."""
    return _to_role(
        notice_id,
        (network.zone_id, network.network_id),
        role,
        "network_dissolved",
        now,
        about={},
        expires_at=network.state_since + TOLD_OF_END,
    )


def feedback_due(notice_id: str, network: tuple[str, str], alert_id: str, now: datetime) -> Notice:
    """Remind the officer of a network (zone and id) that an alert still owes it feedback."""
    return _to_role(
        notice_id, network, "officer", "feedback_due", now, about={"alert_id": alert_id}
    )


def house_rules_changed(
    notice_id: str, member: MemberRecord, version: int, now: datetime
) -> Notice:
    """Ask a member to read and accept new house rules, by their own link."""
    return Notice(
        zone_id=member.zone_id,
        notice_id=notice_id,
        to_member=member.member_id,
        template="house_rules_changed",
        about={"network_id": member.network_id, "house_rules_version": version},
        issued_at=now,
        expires_at=now + _LIFE,
    )
