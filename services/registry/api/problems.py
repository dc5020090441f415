"""How the domain's answers look over HTTP."""

from fastapi import FastAPI, Request, Response

from services.registry.api.scopes import stale
from services.registry.domain.failures import Conflict, Invalid, NotThere, Refused, Stale
from shared.access import not_found
from shared.failures import Fenced
from shared.http import Problem, answer

_STATUS: dict[type[Refused], int] = {Invalid: 422, Conflict: 409}


def install_failures(app: FastAPI) -> None:
    """Have the domain's refusals answered as problem documents."""
    for failure in (Refused, NotThere, Stale, Fenced):
        app.add_exception_handler(failure, _on_failure)


async def _on_failure(_request: Request, error: Exception) -> Response:
    return answer(_problem(error))


def _problem(error: Exception) -> Problem:
    if isinstance(error, NotThere):
        return not_found()
    if isinstance(error, Refused):
        status = _STATUS.get(type(error), 422)
        return Problem(status, error.kind, error.detail, field=error.field, extra=error.extra)
    return stale()
