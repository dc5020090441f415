"""`/v1/zones`: zones, their officers, their keys, and what waits in them."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ConfigDict, EmailStr, Field

from services.registry.api.bulletins import BulletinItem, bulletin_item
from services.registry.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, paged
from services.registry.api.privacy import PrivacyInput
from services.registry.api.scopes import (
    Admin,
    Wired,
    ZoneAdmin,
    ZoneKeeper,
    ZonePolice,
    ZoneStaff,
    actor_of,
)
from services.registry.domain import contact
from services.registry.domain.bulletin import BulletinState
from services.registry.domain.network import Name
from services.registry.domain.zone import Officer, ZonePrivacy, ZoneRecord
from services.registry.flows.appoint_officer import appoint_officer
from services.registry.flows.confirm_key import confirm_key
from services.registry.flows.create_zone import create_zone
from services.registry.flows.enrol_key import enrol_key
from services.registry.flows.list_bulletins import list_in_zone
from services.registry.flows.list_officers import list_officers
from services.registry.flows.revoke_key import revoke_key
from services.registry.flows.waive_feedback import waive_feedback
from services.registry.store.alerts import Due
from shared.access import Role, not_found
from shared.contracts.base import Id, Language, MessageId, Moment, UtcTime, ZoneId
from shared.contracts.registry import LegalBasis, PublisherKey
from shared.http import View

router = APIRouter(prefix="/zones", tags=["zones"])
one = APIRouter(prefix="/zones/{zone_id}", tags=["zones"])

Subject = Annotated[str, Field(min_length=1, max_length=200)]
"""The `sub` of a person's token."""


class _Input(View):
    model_config = ConfigDict(extra="forbid")


class NewZone(_Input):
    """A zone to create."""

    zone_id: ZoneId
    name: Name
    legal_basis: LegalBasis
    privacy: PrivacyInput | None = None


class ZoneView(View):
    """A zone."""

    zone_id: str
    version: int
    name: str
    legal_basis: LegalBasis


class NewOfficer(_Input):
    """An officer to add. The address is where reminders and returned bulletins go."""

    officer_id: Id
    subject: Subject
    name: Name
    email: EmailStr | None = None
    language: Language


class OfficerView(View):
    """A mandated officer."""

    officer_id: str
    subject: str
    name: str
    email: str | None
    language: Language


class NewKey(_Input):
    """A public key to enrol; `officer_id` is None for a police system's key."""

    jwk: dict[str, str]
    officer_id: Id | None = None
    nbf: Moment
    exp: Moment


class FeedbackDue(View):
    """An alert on which members got no feedback yet, and the networks they are in."""

    alert_id: str
    network_ids: tuple[str, ...]
    status: str
    accepted_at: UtcTime


def _zone_view(zone: ZoneRecord) -> ZoneView:
    return ZoneView(
        zone_id=zone.zone_id, version=zone.version, name=zone.name, legal_basis=zone.legal_basis
    )


def _officer_view(officer: Officer) -> OfficerView:
    return OfficerView(**officer.model_dump())


@router.get("")
async def get_zones(
    who: ZoneKeeper, context: Wired, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Page[ZoneView]:
    """List zones: an admin's all, a police user's own."""
    if who.zone is None and not who.has(Role.ADMIN):
        return Page[ZoneView](items=[], next=None)
    zones = await context.zones.listed(who.zone, cursor, limit)
    last = zones[-1].zone_id if zones else None
    return paged([_zone_view(zone) for zone in zones], limit, last)


@router.post("", status_code=201)
async def post_zone(who: Admin, context: Wired, new: NewZone) -> ZoneView:
    """Create a zone."""
    if not who.in_zone(new.zone_id):
        raise not_found()
    zone = await create_zone(
        context,
        actor_of(who),
        zone_id=new.zone_id,
        name=new.name,
        legal_basis=new.legal_basis,
        privacy=None if new.privacy is None else ZonePrivacy(**new.privacy.model_dump()),
    )
    return _zone_view(zone)


@one.get("/officers")
async def get_officers(scope: ZoneStaff, context: Wired) -> Page[OfficerView]:
    """List a zone's officers."""
    officers = await list_officers(context, scope.actor, scope.zone.zone_id)
    return Page[OfficerView](items=[_officer_view(o) for o in officers], next=None)


@one.post("/officers", status_code=201)
async def post_officer(scope: ZoneAdmin, context: Wired, new: NewOfficer) -> OfficerView:
    """Add a mandated officer."""
    officer = Officer(
        officer_id=new.officer_id,
        subject=new.subject,
        name=new.name,
        email=None if new.email is None else contact.email(new.email),
        language=new.language,
    )
    await appoint_officer(context, scope.actor, scope.zone.zone_id, officer)
    return _officer_view(officer)


@one.get("/keys")
async def get_keys(scope: ZoneStaff) -> Page[PublisherKey]:
    """List a zone's keys, the revoked ones too."""
    return Page[PublisherKey](items=list(scope.zone.keys), next=None)


@one.put("/keys/{kid}", responses={201: {"model": PublisherKey}})
async def put_key(
    scope: ZoneAdmin, context: Wired, kid: Id, new: NewKey, response: Response
) -> PublisherKey:
    """Enrol a public Ed25519 key. It counts once another police user of the zone confirmed it."""
    key = _key(kid, new, scope.caller.subject)
    stored, is_new = await enrol_key(context, scope.actor, scope.zone.zone_id, key)
    response.status_code = 201 if is_new else 200
    return stored


def _key(kid: str, new: NewKey, enroller: str) -> PublisherKey:
    return PublisherKey(
        kid=kid,
        jwk=new.jwk,
        officer_id=new.officer_id,
        nbf=new.nbf,
        exp=new.exp,
        enrolled_by=enroller,
    )


@one.post("/keys/{kid}/confirm")
async def post_confirm_key(scope: ZonePolice, context: Wired, kid: str) -> PublisherKey:
    """Confirm a key that neither is yours nor was enrolled by you."""
    subject = scope.caller.subject
    return await confirm_key(context, scope.actor, scope.zone.zone_id, kid, subject)


@one.delete("/keys/{kid}")
async def delete_key(scope: ZoneStaff, context: Wired, kid: str) -> PublisherKey:
    """Revoke a key for good. It stays listed, with `revoked_at`."""
    return await revoke_key(context, scope.actor, scope.zone.zone_id, kid)


@one.get("/bulletins")
async def get_zone_bulletins(
    scope: ZonePolice,
    context: Wired,
    state: BulletinState | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[BulletinItem]:
    """List the zone's bulletins, one item per network, the latest first."""
    found = await list_in_zone(context, scope.zone.zone_id, state, cursor, limit)
    last = found[-1].row_id if found else None
    return paged([bulletin_item(bulletin) for bulletin in found], limit, last)


class NoFeedback(_Input):
    """Why members get no feedback on an alert: in all the networks where it is due, or in these."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    network_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=500)] | None = None


@one.post("/feedback-due/{alert_id}/waive")
async def post_waive_feedback(
    scope: ZonePolice, context: Wired, alert_id: MessageId, why: NoFeedback
) -> FeedbackDue:
    """Record why an alert gets no feedback, and clear it from the list."""
    left = await waive_feedback(
        context,
        scope.actor,
        scope.zone.zone_id,
        alert_id,
        network_ids=why.network_ids,
        reason=why.reason,
    )
    return _feedback_due(left)


@one.get("/feedback-due")
async def get_feedback_due(
    scope: ZonePolice, context: Wired, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Page[FeedbackDue]:
    """List the alerts on which the members of some network got no feedback yet."""
    found = await context.alerts.due(scope.zone.zone_id, cursor, limit)
    items = [_feedback_due(due) for due in found]
    return paged(items, limit, items[-1].alert_id if items else None)


def _feedback_due(due: Due) -> FeedbackDue:
    return FeedbackDue(
        alert_id=due.alert_id,
        network_ids=due.network_ids,
        status=due.status,
        accepted_at=due.accepted_at,
    )
