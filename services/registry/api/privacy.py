"""`/v1/zones/{zone_id}`: what a zone states of its processing, and the public privacy notice."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict
from typing_extensions import TypedDict

from services.registry.api.languages import Shown
from services.registry.api.pages import Pages
from services.registry.api.rights import kept
from services.registry.api.rights_words import RIGHTS, SUPERVISOR
from services.registry.api.scopes import ReadVersion, Wired, ZoneAdmin, ZoneStaff, etag
from services.registry.domain.network import Name
from services.registry.domain.zone import ZonePrivacy, ZoneRecord
from services.registry.flows.edit_zone import edit_zone
from shared.access import not_found
from shared.contracts.registry import LegalBasis
from shared.http import View

router = APIRouter(prefix="/zones/{zone_id}", tags=["zones"])


class PrivacyInput(ZonePrivacy):
    """Controller, data-protection officer and impact assessment, as the notice states them."""

    model_config = ConfigDict(extra="forbid")


class ZoneChange(TypedDict, total=False):
    """What to change; fields that are left out stay as they are."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # pyright: ignore[reportGeneralTypeIssues]

    name: Name
    legal_basis: LegalBasis
    privacy: PrivacyInput


class ZoneSettings(View):
    """A zone with its settings."""

    zone_id: str
    version: int
    name: str
    legal_basis: LegalBasis
    privacy: ZonePrivacy | None


def _settings(zone: ZoneRecord, response: Response) -> ZoneSettings:
    response.headers["ETag"] = etag(zone.version)
    return ZoneSettings(
        zone_id=zone.zone_id,
        version=zone.version,
        name=zone.name,
        legal_basis=zone.legal_basis,
        privacy=zone.privacy,
    )


@router.get("")
async def get_zone(scope: ZoneStaff, response: Response) -> ZoneSettings:
    """Show a zone's settings."""
    return _settings(scope.zone, response)


@router.patch("")
async def patch_zone(
    *,
    scope: ZoneAdmin,
    context: Wired,
    version: ReadVersion,
    change: ZoneChange,
    response: Response,
) -> ZoneSettings:
    """Change a zone's settings; `If-Match` holds the ETag of what you read."""
    changes = dict(change)
    if "privacy" in change:
        changes["privacy"] = ZonePrivacy(**change["privacy"].model_dump())
    zone = await edit_zone(context, scope.actor, scope.zone.zone_id, version, changes)
    return _settings(zone, response)


def pages_of(request: Request) -> Pages:
    """Give what `app.api` made."""
    pages: Pages = request.app.state.pages
    return pages


@router.get("/privacy", tags=["public"], response_class=HTMLResponse)
async def get_privacy(
    zone_id: str,
    context: Wired,
    pages: Annotated[Pages, Depends(pages_of)],
    language: Shown = "nl",
) -> HTMLResponse:
    """Show a zone's privacy notice (GDPR, articles 13 and 14), in nl, fr, de or en."""
    zone = await context.zones.find(zone_id)
    if zone is None:
        raise not_found()
    words = RIGHTS[language]
    stated = zone.privacy
    said = [
        (words.labels["controller"], f"{zone.name}{_rest(stated and stated.address)}"),
        (words.labels["data_protection_officer"], (stated and stated.officer) or words.ask),
        (words.labels["purpose"], words.purpose),
        (words.labels["warm"], zone.legal_basis.warm),
        (words.labels["cold"], zone.legal_basis.cold),
        (words.labels["data"], words.data),
        (words.labels["recipients"], words.recipients),
        (words.labels["kept"], kept(language, context.retention)),
        (words.labels["rights"], words.rights),
        (words.labels["impact_assessment"], (stated and stated.impact_assessment) or words.ask),
        (words.labels["supervisor"], SUPERVISOR),
    ]
    return pages.facts(language, words.notice_title, said)


def _rest(address: str | None) -> str:
    return "" if address is None else f", {address}"
