"""`/v1/logs`: for an operator, how the logs are, without anything that they say."""

from datetime import datetime

from fastapi import APIRouter

from services.audit.api.scope import Operator, Wired
from shared.http import View

router = APIRouter(tags=["log"])


class CheckedView(View):
    """The last check of a whole log."""

    at: datetime
    size: int
    doubt: str | None
    """What was found, and what to do; null where everything holds."""


class LogView(View):
    """One log."""

    zone_id: str
    entries: int
    signed: int
    signed_at: datetime | None
    whole: CheckedView | None
    """All entries, against checkpoints and head; at each start and daily."""

    lists: CheckedView | None
    """Stored hashes, lists and counters, against the entries; daily."""

    overdue: bool
    """Whether one of these checks has not ended for two days; docs/operations.md says why."""


class Logs(View):
    """Every log of the caller's zone, or all of them."""

    items: list[LogView]


@router.get("/logs")
async def list_logs(caller: Operator, flows: Wired) -> Logs:
    """List the logs: how far each has come, is signed, and what its last checks found."""
    states = [
        state
        for state in await flows.list_logs()
        if caller.zone is None or caller.zone == state.log
    ]
    return Logs(
        items=[
            LogView.model_validate(
                {
                    "zone_id": state.log,
                    "entries": state.entries,
                    "signed": state.signed,
                    "signed_at": state.signed_at,
                    "whole": state.whole,
                    "lists": state.lists,
                    "overdue": state.overdue,
                },
                from_attributes=True,
            )
            for state in states
        ]
    )
