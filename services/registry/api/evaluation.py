"""`/v1/networks/{id}/evaluation`: a network's year, as JSON or as a page to print."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from services.registry.api.evaluation_words import EvaluationPages
from services.registry.api.figures import Year
from services.registry.api.scopes import NetworkRelay, Wired
from services.registry.domain.evaluation import Evaluation
from services.registry.flows.evaluate_network import evaluate_network
from shared.contracts.base import BulletinKind, Language, UtcTime
from shared.http import View

router = APIRouter(prefix="/networks/{network_id}", tags=["figures"])


class FeedbackView(View):
    """What became of the feedback that alerts owe."""

    given: int
    waived: int
    due: int


class ReachView(View):
    """Whom messages can reach now, of the active members."""

    members: int
    by_sms: int
    by_mail: int


class MeetingHeldView(View):
    """A meeting of the year."""

    starts_at: UtcTime
    attendance: int | None
    has_minutes: bool


class EvaluationView(View):
    """A network's year. Durations are in ISO 8601."""

    network_id: str
    name: str
    year: int
    members: int
    joined: int
    left: int
    alerts: int
    bulletins: dict[BulletinKind, int]
    relay_median: timedelta | None
    relay_longest: timedelta | None
    returned: int
    expired: int
    feedback: FeedbackView
    reach: ReachView
    sms_reached: int
    mail_reached: int
    not_reached: int
    meetings: list[MeetingHeldView]
    segments: int
    cost: Decimal | None
    """In euro, by the dated tariff; `null` where it has no price."""


def _view(found: Evaluation) -> EvaluationView:
    return EvaluationView.model_validate(found, from_attributes=True)


@router.get(
    "/evaluation",
    responses={200: {"content": {"text/html": {}}}},
    response_model=EvaluationView,
)
async def get_evaluation(
    request: Request,
    scope: NetworkRelay,
    context: Wired,
    year: Year,
    *,
    form: Annotated[Literal["json", "html"], Query(alias="format")] = "json",
    language: Annotated[Language | None, Query(description="Of the page.")] = None,
) -> EvaluationView | Response:
    """Show a network's yearly evaluation; `format=html` is a page to print."""
    found = await evaluate_network(context, scope.network.network_id, year)
    if form == "json":
        return _view(found)
    pages: EvaluationPages = request.app.state.evaluation_pages
    return HTMLResponse(pages.show(language or scope.network.languages[0], found))
