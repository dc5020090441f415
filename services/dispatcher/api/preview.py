"""`POST /v1/preview`: what an alert or a bulletin would look like, reach and cost."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from services.dispatcher.flows.preview_message import Preview, PreviewMessage
from shared.access import Caller, Role, Roles, not_found
from shared.contracts import Alert, BulletinProposed
from shared.http import Problem
from shared.judging import EXPLANATIONS, Refused

router = APIRouter(prefix="/v1", tags=["preview"])


@router.post("/preview")
async def preview(
    request: Request,
    message: Alert | BulletinProposed,
    caller: Annotated[Caller, Depends(Roles(Role.POLICE))],
) -> Preview:
    """Preview an unsigned alert or proposed bulletin of one's own zone. Nothing is stored."""
    if not caller.in_zone(message.zone_id):
        raise not_found()
    flow: PreviewMessage = request.app.state.preview
    try:
        if isinstance(message, Alert):
            return await flow.alert(message)
        return await flow.bulletin(message)
    except Refused as refused:
        raise Problem(
            422,
            "would-be-refused",
            EXPLANATIONS[refused.reason],
            field=refused.field,
            extra={"reason": str(refused.reason)},
        ) from None
