"""`/v1/networks/{id}/documents`: charter, house rules and communication plan, in versions."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict

from services.registry.api.scopes import NetworkKeeper, Wired
from services.registry.domain.documents import DocumentVersion, Plan
from services.registry.domain.failures import Invalid
from services.registry.flows.add_document import add_document
from services.registry.flows.show_document import show_document
from shared.contracts.base import Bodies, UtcTime
from shared.contracts.registry import DocumentKind
from shared.http import View

router = APIRouter(prefix="/networks/{network_id}", tags=["documents"])


class PlanInput(Plan):
    """What a communication plan settles for the machines."""

    model_config = ConfigDict(extra="forbid")


class NewDocument(View):
    """A version to add. A communication plan has `plan`; the others do not."""

    model_config = ConfigDict(extra="forbid")

    text: Bodies
    plan: PlanInput | None = None
    in_force_from: date | None = None
    """From when it held, where that was before today: what was signed since counts for it."""


class DocumentView(View):
    """A version of a document."""

    network_id: str
    kind: DocumentKind
    version: int
    text: Bodies
    plan: Plan | None
    added_at: UtcTime
    in_force_from: date


def _view(document: DocumentVersion) -> DocumentView:
    return DocumentView(
        network_id=document.network_id,
        kind=document.kind,
        version=document.number,
        text=document.text,
        plan=document.plan,
        added_at=document.added_at,
        in_force_from=document.held_on(),
    )


@router.get("/documents/{kind}")
async def get_document(
    scope: NetworkKeeper,
    context: Wired,
    kind: DocumentKind,
    version: Annotated[int | None, Query(ge=1)] = None,
) -> DocumentView:
    """Show the current version of a document, or an older one."""
    return _view(await show_document(context, scope.network, kind, version))


@router.post("/documents/{kind}", status_code=201)
async def post_document(
    scope: NetworkKeeper, context: Wired, kind: DocumentKind, new: NewDocument
) -> DocumentView:
    """Add a version, which becomes the current one."""
    if (new.plan is not None) != (kind == "communication_plan"):
        raise Invalid(
            "plan-misplaced",
            "A communication plan has `plan` (exercises, warm_fallback, quiet_hours); the other "
            "documents do not.",
            field="plan",
        )
    document = await add_document(
        context,
        scope.actor,
        scope.network.network_id,
        kind,
        text=new.text,
        plan=new.plan,
        added_by=scope.caller.subject,
        in_force_from=new.in_force_from,
    )
    return _view(document)
