"""`/v1/networks/{id}/members/{member_id}`: what the law gives a member over their data.

GDPR, articles 15 (record), 17 (erase), 18 and 21 (restrict); article 16 is the PATCH of a member.
"""

from datetime import date
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field, JsonValue

from services.registry.api.members import MemberView, tagged
from services.registry.api.pages import Pages
from services.registry.api.rights_words import RIGHTS, SUPERVISOR
from services.registry.api.scopes import MemberKeeper, Wired
from services.registry.domain.failures import Invalid
from services.registry.domain.measure import Ground
from services.registry.domain.member import MemberRecord
from services.registry.domain.privacy import Retention
from services.registry.flows.erase_member import erase_member
from services.registry.flows.restrict_member import lift_member_restriction, restrict_member
from services.registry.flows.show_record import Held, show_record
from shared.contracts.base import Language, UtcTime
from shared.contracts.registry import LegalBasis
from shared.http import View

router = APIRouter(prefix="/networks/{network_id}/members/{member_id}", tags=["rights"])

Why = Annotated[str, Field(min_length=1, max_length=1000)]


class RestrictInput(View):
    """Restrict (with `ground` and `asked_on`), or lift a restriction of which they were told."""

    model_config = ConfigDict(extra="forbid")

    restricted: bool
    reason: Why
    ground: Ground | None = None
    asked_on: date | None = None
    informed_on: date | None = None


class EraseInput(View):
    """Why, such as that they asked for it."""

    model_config = ConfigDict(extra="forbid")

    reason: Why


class ErasedView(View):
    """What is left of an erased member."""

    member_id: str
    erased_at: UtcTime


class RecordView(View):
    """Everything that the registry holds on a member, and on what it rests (GDPR, article 15)."""

    held: dict[str, JsonValue]
    """Every field there is, but the two secret links; measures with the end of the appeal."""

    links: str
    steering_group: bool
    network: str
    zone: str
    controller: str | None
    data_protection_officer: str | None
    impact_assessment: str | None
    legal_basis: LegalBasis
    purpose: str
    recipients: str
    kept: str
    rights: str
    supervisor: str


@router.post("/restrict")
async def post_restrict(
    scope: MemberKeeper, context: Wired, member_id: str, asked: RestrictInput, response: Response
) -> MemberView:
    """Restrict the processing of a member's data, or lift that."""
    network_id = scope.network.network_id
    if not asked.restricted:
        lifted = await lift_member_restriction(
            context,
            scope.actor,
            network_id,
            member_id,
            reason=asked.reason,
            informed_on=asked.informed_on,
        )
        return tagged(lifted, response)
    if asked.ground is None or asked.asked_on is None:
        field = "ground" if asked.ground is None else "asked_on"
        raise Invalid(
            "no-ground", "Give the `ground`, and the date on which they asked.", field=field
        )
    restricted = await restrict_member(
        context,
        scope.actor,
        network_id,
        member_id,
        ground=asked.ground,
        reason=asked.reason,
        asked_on=asked.asked_on,
    )
    return tagged(restricted, response)


@router.post("/erase")
async def post_erase(
    scope: MemberKeeper, context: Wired, member_id: str, why: EraseInput
) -> ErasedView:
    """Erase a member, here and in every other service; a random id and dates are left."""
    network_id = scope.network.network_id
    erased = await erase_member(context, scope.actor, network_id, member_id, why.reason)
    return ErasedView(member_id=erased.member_id, erased_at=erased.erased_at)


@router.get(
    "/record",
    response_model=RecordView,
    responses={200: {"content": {"application/json": {}, "text/html": {}}}},
)
async def get_record(
    *,
    request: Request,
    scope: MemberKeeper,
    context: Wired,
    member_id: str,
    form: Literal["json", "html"] = "json",
) -> Any:
    """Give all that is held on a member, for a machine (JSON) or for them to read (a page)."""
    network_id = scope.network.network_id
    held = await show_record(context, scope.actor, network_id, member_id)
    record = _record(held, context.retention)
    if form == "json":
        return record
    pages: Pages = request.app.state.pages
    words = RIGHTS[held.member.language]
    return pages.facts(held.member.language, words.record_title, facts(record, words.labels))


def _record(held: Held, retention: Retention) -> RecordView:
    member, zone = held.member, held.zone
    words = RIGHTS[member.language]
    return RecordView(
        held=_held(member),
        links=words.links,
        steering_group=member.member_id in held.network.steering_group,
        network=held.network.name,
        zone=zone.name,
        controller=None if zone.privacy is None else zone.privacy.address,
        data_protection_officer=None if zone.privacy is None else zone.privacy.officer,
        impact_assessment=None if zone.privacy is None else zone.privacy.impact_assessment,
        legal_basis=zone.legal_basis,
        purpose=words.purpose,
        recipients=words.recipients,
        kept=kept(member.language, retention),
        rights=words.rights,
        supervisor=SUPERVISOR,
    )


def _held(member: MemberRecord) -> dict[str, JsonValue]:
    fields = member.model_dump(mode="json", exclude={"accept_token", "unsubscribe_token"})
    fields["measures"] = [
        {
            **measure.model_dump(mode="json"),
            "appeal_until": measure.appeal_until.isoformat(),
        }
        for measure in member.measures
    ]
    return fields


def kept(language: Language, retention: Retention) -> str:
    """Say how long what is kept, in days."""
    return RIGHTS[language].kept.format(
        left=retention.left.days, pending=retention.pending.days, measures=retention.measures.days
    )


def facts(record: RecordView, labels: dict[str, str]) -> list[tuple[str, str]]:
    """Give a record as lines of label and value, nested ones too; nothing is left out."""
    found: list[tuple[str, str]] = []
    _flatten(record.model_dump(mode="json"), "", labels, found)
    return found


def _flatten(
    value: object, name: str, labels: dict[str, str], found: list[tuple[str, str]]
) -> None:
    if isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            _flatten(item, key, labels, found)
        return
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    if not items:
        found.append((labels.get(name, name), labels["none"]))
    for item in items:
        if isinstance(item, dict | list):
            _flatten(cast("object", item), name, labels, found)
        else:
            found.append((labels.get(name, name), _shown(item, labels)))


def _shown(value: object, labels: dict[str, str]) -> str:
    if isinstance(value, bool):
        return labels["yes" if value else "no"]
    return labels["none"] if value is None else str(value)
