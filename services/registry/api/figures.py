"""`/v1/figures`: a year, for zone, municipality (the invoice's annex) and federal level."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from services.registry.api.scopes import FigureReader, Wired
from services.registry.domain.figures import By, Figure
from services.registry.domain.spreadsheet import write_table
from services.registry.flows.show_figures import show_figures
from shared.http import View

router = APIRouter(tags=["figures"])

Year = Annotated[int, Query(ge=2019, le=2100, description="A calendar year in Belgium.")]
"""The networks' circular is of 2019."""


class FigureView(View):
    """One line. `null`: withheld because so few people are not anonymous, or not applicable."""

    key: str
    name: str
    networks: int
    members: int | None
    joined: int | None
    left: int | None
    alerts: int | None
    bulletins: int | None
    sms_reached: int | None
    mail_reached: int | None
    not_reached: int | None
    segments: int | None
    cost: Decimal | None
    """In euro, by the dated tariff; `null` where it has no price."""


class FiguresView(View):
    """The figures of a year."""

    year: int
    by: By
    items: list[FigureView]


def _view(figure: Figure) -> FigureView:
    return FigureView(**{name: getattr(figure, name) for name in FigureView.model_fields})


@router.get("/figures", responses={200: {"content": {"text/csv": {}}}}, response_model=FiguresView)
async def get_figures(
    who: FigureReader,
    context: Wired,
    year: Year,
    by: By = "network",
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> FiguresView | Response:
    """Show what networks did in a year: the zone's, the municipality's own, or all of them.

    Outside the zone, counts of people are rounded, and withheld for groups of fewer than five.
    """
    items = [_view(figure) for figure in await show_figures(context, who, year, by)]
    if form == "json":
        return FiguresView(year=year, by=by, items=items)
    names = list(FigureView.model_fields)
    table = [names, *([_cell(getattr(item, name)) for name in names] for item in items)]
    return Response(
        write_table(table, "csv"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="figures-{year}-{by}.csv"'},
    )


def _cell(value: object) -> str:
    return "" if value is None else str(value)
