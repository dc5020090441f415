"""`/v1/recover`: go on after a backup was restored."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict

from services.dispatcher.flows.recover_ledger import NotRestored, RecoverLedger
from shared.access import Caller, Role, Roles, not_found
from shared.http import Explanation, Problem, View, sentence

router = APIRouter(prefix="/v1", tags=["operations"])


class Recovery(View):
    """Why the database is older than its topics; put on record."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Explanation


class RecoveredView(View):
    """What was taken back from the topics."""

    sends: int
    """Sends whose forgotten changes the ledger has again."""

    unknown: int
    """Sends that may have been attempted since the backup; never attempted by themselves."""

    messages: int
    """Messages that are planned anew, with what their events say."""


@router.post("/recover")
async def recover(
    request: Request, caller: Annotated[Caller, Depends(Roles(Role.OPERATOR))], recovery: Recovery
) -> RecoveredView:
    """Take back from the topics what a restored database forgot, and let it send again.

    Only where readiness says that the database is older than its topics. May take minutes.
    """
    if caller.zone is not None:
        raise not_found()
    flow: RecoverLedger = request.app.state.recover
    try:
        done = await flow(caller, recovery.reason)
    except NotRestored as reason:
        raise Problem(409, "not-recoverable", sentence(reason)) from None
    return RecoveredView(sends=done.sends, unknown=done.unknown, messages=done.messages)
