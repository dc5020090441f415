"""What a restored backup does not know, taken back from what the registry itself published.

An event says less than the registry knew: no name, no number of a fixed line, no text of a
document. What the backup has of these stays; what it never had is `?`, for its coordinator to
correct.
"""

from datetime import datetime

from services.registry.domain.bulletin import BulletinRecord, Step
from services.registry.domain.coordinator import Coordinator, Removal, Screening
from services.registry.domain.documents import DocumentVersion, Plan
from services.registry.domain.member import Acceptance, MemberRecord
from services.registry.domain.network import NetworkRecord
from services.registry.domain.zone import Officer, ZonePrivacy, ZoneRecord
from shared.contracts.base import BulletinKind
from shared.contracts.registry import Bulletin, Contact, DocumentKind, Member, Network, Zone

UNKNOWN = "?"
"""In place of a name that is in no event."""

_BY = "recovery"
_LOST_TEXT = {
    "nl": "De tekst van deze versie ging verloren bij een herstel. Vraag ze aan uw coördinator.",
    "fr": "Le texte de cette version a été perdu lors d'une restauration. Demandez-le à votre "
    "coordinateur.",
    "de": "Der Text dieser Fassung ging bei einer Wiederherstellung verloren. Fragen Sie Ihren "
    "Koordinator.",
    "en": "The text of this version was lost in a restore. Ask your coordinator for it.",
}


def recover_zone(known: ZoneRecord | None, event: Zone, now: datetime) -> ZoneRecord:
    """Give the zone as the event has it, with what the backup knows besides."""
    officers = {} if known is None else {one.officer_id: one for one in known.officers}
    return ZoneRecord(
        zone_id=event.zone_id,
        version=event.version + 1,
        name=event.name,
        legal_basis=event.legal_basis,
        privacy=_privacy(None if known is None else known.privacy, event),
        created_at=now if known is None else known.created_at,
        officers=tuple(
            officers.get(one.officer_id)
            or Officer(
                officer_id=one.officer_id,
                subject=one.subject,
                name=UNKNOWN,
                email=None,
                language="nl",
            )
            for one in event.officers
        ),
        keys=event.keys,
    )


def _privacy(known: ZonePrivacy | None, event: Zone) -> ZonePrivacy | None:
    if event.contact is None:
        return known  # once stated it is never taken back, so the event is from before
    return ZonePrivacy(
        address=event.contact.address,
        officer=event.contact.data_protection_officer,
        impact_assessment=UNKNOWN if known is None else known.impact_assessment,
    )


def recover_network(
    known: NetworkRecord | None, event: Network, zone: ZoneRecord | None, now: datetime
) -> NetworkRecord:
    """Give the network as the event has it, with what the backup knows besides."""
    minding = next((c.contact_id for c in event.contacts if c.role == "officer"), None)
    is_same_state = known is not None and known.state == event.state
    return NetworkRecord(
        network_id=event.network_id,
        version=event.version + 1,
        zone_id=event.zone_id,
        name=event.name,
        municipality=event.municipality,
        kind=event.kind,
        state=event.state,
        languages=event.languages,
        sender_name=event.sender_name,
        area=None if known is None else known.area,
        officer=None if zone is None or minding is None else zone.officer(minding),
        documents=event.documents,
        plan=Plan(
            exercises=event.exercises,
            warm_fallback=event.warm_fallback,
            quiet_hours=event.quiet_hours,
        ),
        coordinators=_coordinators(known, event, now),
        steering_group=() if known is None else known.steering_group,
        created_at=now if known is None else known.created_at,
        state_since=known.state_since if known is not None and is_same_state else now,
        state_reason=known.state_reason if known is not None and is_same_state else None,
    )


def _coordinators(
    known: NetworkRecord | None, event: Network, now: datetime
) -> tuple[Coordinator, ...]:
    """Give who the event names, and as removed who it names no more."""
    before = {} if known is None else {c.coordinator_id: c for c in known.coordinators}
    named = {c.contact_id: c for c in event.contacts if c.role != "officer"}
    removal = Removal(at=now, by=_BY, reason="restored from what was published")
    gone = [
        one if one.removal is not None else one.model_copy(update={"removal": removal})
        for one in before.values()
        if one.coordinator_id not in named
    ]
    return (*gone, *(_coordinator(before.get(c.contact_id), c, now) for c in named.values()))


def _coordinator(known: Coordinator | None, contact: Contact, now: datetime) -> Coordinator:
    """Take that they may act now as what the police found: nothing else says so."""
    passed = Screening(by=_BY, at=now, passed=True) if contact.active else None
    if known is not None:
        screening = known.screening if known.screening is not None else passed
        return known.model_copy(
            update={"email": contact.email, "screening": screening, "removal": None}
        )
    return Coordinator(
        coordinator_id=contact.contact_id,
        # a deputy's period is in no event, and without one they would stand in for good
        role="co_coordinator" if contact.role == "officer" else contact.role,
        subject=contact.subject,
        name=UNKNOWN,
        email=contact.email or "unknown@invalid.example",
        language=contact.language,
        agreed_to_screening_at=now,
        screening=passed,
        until=now if contact.role == "deputy" else None,
    )


def lost_document(
    network: NetworkRecord, kind: DocumentKind, number: int, now: datetime
) -> DocumentVersion:
    """Give what stands in for a version whose text is in no event: members read that it is lost."""
    return DocumentVersion(
        network_id=network.network_id,
        kind=kind,
        number=number,
        text={language: _LOST_TEXT[language] for language in network.languages},
        added_at=now,
        added_by=_BY,
        plan=network.plan if kind == "communication_plan" else None,
    )


def recover_member(known: MemberRecord | None, event: Member, now: datetime) -> MemberRecord:
    """Give the member as the event has them, with what the backup knows besides."""
    left = event.state == "left"
    phone = event.phone
    fixed = known is not None and known.phone_kind == "fixed" and phone is None
    values = {
        "version": event.version + 1,
        "state": event.state,
        "kind": event.kind,
        "language": event.language,
        "cold_mail": event.cold_mail,
        "sms_stopped": event.sms_stopped,
        "restricted": event.restricted,
        "left_at": (known and known.left_at) or now if left else None,
        "left_by": (known and known.left_by) or "coordinator" if left else None,
        "acceptance": _acceptance(known, event, now),
    }
    if not left:
        values |= {"email": event.email}
        values |= {} if fixed else {"phone": phone, "phone_kind": phone and "mobile"}
    if event.unsubscribe_token is not None:
        values["unsubscribe_token"] = event.unsubscribe_token
    if event.accept_token is not None:
        values["accept_token"] = event.accept_token
    if event.state != "suspended":
        values["suspended_until"] = None
    if known is not None:
        return known.model_copy(update=values)
    return MemberRecord.model_validate(
        {
            "member_id": event.member_id,
            "zone_id": event.zone_id,
            "network_id": event.network_id,
            "tie": "lives",
            "name": UNKNOWN,
            "unsubscribe_token": f"lost-{event.member_id}",
            "accept_token": f"lost-{event.member_id}",
            "created_at": now,
            **values,
        }
    )


def _acceptance(known: MemberRecord | None, event: Member, now: datetime) -> Acceptance | None:
    held = None if known is None else known.acceptance
    if event.house_rules_version is None or (
        held is not None and held.version == event.house_rules_version
    ):
        return held
    return Acceptance(how="restored", version=event.house_rules_version, at=now)


def recover_release(known: BulletinRecord | None, event: Bulletin) -> BulletinRecord:
    """Give the bulletin as it was released, so that nobody releases it again."""
    step = Step(what="released", at=event.released_at, by=event.released_by)
    if known is not None:
        return known.changed(
            state="released",
            chase_at=None,
            timeline=(*known.timeline, step),
            kind=event.kind,
            subject=event.subject,
            body=event.body,
            issued_by=event.issued_by,
        )
    return BulletinRecord(
        bulletin_id=event.bulletin_id,
        zone_id=event.zone_id,
        network_id=event.network_id,
        kind=event.kind,
        references=event.references,
        status=event.status,
        subject=event.subject,
        body=event.body,
        attachment=event.attachment,
        origin="coordinator" if event.kind is BulletinKind.ORGANISATION else "police",
        issued_by=event.issued_by,
        issued_at=event.released_at,
        expires_at=event.expires_at,
        state="released",
        timeline=(step,),
    )
