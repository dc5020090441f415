"""`/v1/recover`: go on after a backup was restored."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.audit.api.scope import Operator, Wired
from services.audit.flows.recover_log import NotRecoverable
from shared.access import not_found
from shared.contracts.base import ZoneId
from shared.http import Problem, sentence

router = APIRouter(tags=["log"])


class Recovery(BaseModel):
    """Which log was restored from a backup, and why."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    zone_id: ZoneId
    """The zone, or `operators`."""

    reason: Annotated[str, StringConstraints(min_length=5, max_length=500, strip_whitespace=True)]


class RecoveredView(BaseModel):
    """What was put on record."""

    zone_id: str
    kept: int
    """The first so many entries are those of before."""

    signed_beyond: int
    """The log is signed again when it has more entries than this."""


@router.post("/recover")
async def recover(caller: Operator, flows: Wired, recovery: Recovery) -> RecoveredView:
    """Put on record that a log was restored from a backup, and sign it again from there.

    Only for a log that is shorter than, or differs from, a published checkpoint that its database
    does not know of; whatever else is wrong with a log stays so.
    """
    if not caller.in_zone(recovery.zone_id):
        raise not_found()
    await flows.record_access(
        recovery.zone_id, caller, "change", "log.recover", reason=recovery.reason
    )
    try:
        done = await flows.recover(recovery.zone_id, recovery.reason)
    except NotRecoverable as reason:
        raise Problem(409, "not-recoverable", sentence(reason)) from None
    return RecoveredView(zone_id=done.log, kept=done.kept, signed_beyond=done.published)
