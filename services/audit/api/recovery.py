"""`/v1/recover`: go on after a backup was restored."""

from fastapi import APIRouter
from pydantic import ConfigDict

from services.audit.api.scope import Operator, Wired
from services.audit.flows.recover_log import NotNow, NotRecoverable
from shared.access import not_found
from shared.contracts.base import ZoneId
from shared.http import Explanation, Problem, View, sentence

router = APIRouter(tags=["log"])

_AGAIN_S = 10
"""Reading what was published takes seconds; a process that ended lets go of its logs in as many."""


class Recovery(View):
    """Which log was restored from a backup, and why."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    zone_id: ZoneId
    """The zone, or `operators`."""

    reason: Explanation
    """What happened. It is put on record: name nobody."""


class RecoveredView(View):
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
    does not know of; whatever else is wrong with a log stays so. Who did it is recorded with it;
    what was refused (409), or is not possible now (503), changed nothing and is not on record.
    """
    if not caller.in_zone(recovery.zone_id):
        raise not_found()
    log, reason = recovery.zone_id, recovery.reason
    access = flows.record_access.along(log, caller, "log.recover", reason)
    try:
        done = await flows.recover(log, reason, access)
    except NotRecoverable as refused:
        raise Problem(409, "not-recoverable", sentence(refused)) from None
    except NotNow as waits:
        raise Problem(
            503,
            "not-now",
            sentence(waits),
            headers={"Retry-After": str(_AGAIN_S)},
        ) from None
    return RecoveredView(zone_id=done.log, kept=done.kept, signed_beyond=done.published)
