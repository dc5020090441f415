"""HTTP as all services speak it: problem documents (RFC 9457), health and metrics."""

import importlib.metadata
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import httpx
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, StringConstraints
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from shared.failures import Retryable
from shared.pseudonyms import NoPseudonymKey

PROBLEM_TYPE = "application/problem+json"
_NAME = re.compile(r"[a-z][a-z_]*|[0-9]{1,5}|\[key\]")
"""What a field of ours is called, or an item's place in a list."""

_QUOTING = frozenset({"uuid_parsing", "url_parsing"})
"""Kinds of pydantic's errors, besides those with a `reason`, whose words quote the input."""

_TYPE_BASE = "https://buurtbode.example/problems/"

Explanation = Annotated[str, StringConstraints(min_length=5, max_length=500, strip_whitespace=True)]
"""Why somebody does what is put on record, in their own words."""

Ready = Callable[[], Awaitable[Mapping[str, str]]]
"""Gives what stands in the way of working, by part; empty when ready."""


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer that is a problem document. No part may hold personal data.

    `kind` is the last part of the type URI; `detail` says what to do; `field` names the input.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        field: str | None = None,
        extra: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the problem."""
        super().__init__(kind)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.field = field
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


Translate = Callable[[Request, Problem], Problem]
"""Gives a problem in the language that the request asks for."""


class View(BaseModel):
    """What a body or an answer is made of: the docstrings of its fields explain them in `/docs`.

    Not for a generic class: below Python 3.13 the docstrings are looked for in the source where a
    class is made, and where `Page[Item]` is only mentioned, that may end in an error.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)


class ProblemDocument(View):
    """The shape of every error answer (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None


class Health(BaseModel):
    """The answer of `/livez` and `/readyz`."""

    status: str
    waiting_for: dict[str, str] = {}


PROBLEM_RESPONSES: dict[int | str, dict[str, object]] = {
    "default": {
        "model": ProblemDocument,
        "description": "A problem document (RFC 9457).",
        "content": {PROBLEM_TYPE: {}},
    }
}
"""For the `responses` of a service's routes: the OpenAPI document names the shape of errors."""


MOST_BYTES = 1_000_000
"""What a request may hold: it is read before anybody is asked who they are. A route that takes
files says how much more."""


@cache
def trusted() -> ssl.SSLContext:
    """Give whom our clients trust, for `verify`: reading it takes 25 ms, too long for each."""
    return httpx.create_ssl_context()


def application(service: str, description: str, routes: Sequence[BaseRoute]) -> FastAPI:
    """Make a service's application of its routes, which need the `PROBLEM_RESPONSES` already."""
    return FastAPI(
        title=f"Buurtbode {service}",
        version=importlib.metadata.version("buurtbode"),
        description=description,
        responses=PROBLEM_RESPONSES,
        routes=list(routes),
        max_body_size=MOST_BYTES,
    )


def install(app: FastAPI, ready: Ready) -> None:
    """Add the problem handlers, `/livez`, `/readyz` and `/metrics` to an application."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for unavailable in (PyMongoError, Retryable):
        app.add_exception_handler(unavailable, _on_unavailable)
    app.add_exception_handler(NoPseudonymKey, _on_no_key)
    app.add_exception_handler(Exception, _on_fault)

    @app.get("/livez", tags=["health"])
    async def livez() -> Health:  # pyright: ignore[reportUnusedFunction]
        """Tell that the process answers."""
        return Health(status="alive")

    @app.get("/readyz", tags=["health"], responses={503: {"model": Health}})
    async def readyz(response: Response) -> Health:  # pyright: ignore[reportUnusedFunction]
        """Tell whether the service can do its work, and what it waits for."""
        waiting = dict(await ready())
        if waiting:
            response.status_code = 503
        return Health(status="waiting" if waiting else "ready", waiting_for=waiting)

    @app.get("/metrics", tags=["health"], response_class=Response)
    async def metrics() -> Response:  # pyright: ignore[reportUnusedFunction]
        """Give Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def sentence(reason: object) -> str:
    """Write a refusal of ours as a sentence; what it names keeps its letters."""
    text = str(reason)
    return f"{text[:1].upper()}{text[1:]}."


def answer(problem: Problem) -> JSONResponse:
    """Give a problem as a response; for what a service turns into problems itself."""
    body: dict[str, object] = {
        "type": _TYPE_BASE + problem.kind,
        "title": problem.kind.replace("-", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        **problem.extra,
    }
    if problem.field is not None:
        body["field"] = problem.field
    return JSONResponse(
        body, status_code=problem.status, headers=problem.headers, media_type=PROBLEM_TYPE
    )


def told(request: Request, problem: Problem) -> JSONResponse:
    """Give a problem as a response, in the caller's language where the service has words for it.

    A service that has sets `app.state.translate`, a `Translate`.
    """
    translate: Translate | None = getattr(request.app.state, "translate", None)
    return answer(problem if translate is None else translate(request, problem))


async def _on_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return told(request, error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        {"field": _field(item["loc"][1:]), "code": str(item["type"]), "reason": _reason(item)}
        for item in error.errors()
    ]
    first = errors[0] if errors else {"field": "", "code": "", "reason": ""}
    detail = f"{first['field'] or 'The request'}: {first['reason']}. Correct it and send it again."
    return told(
        request,
        Problem(
            422,
            "invalid-request",
            detail,
            field=first["field"] or None,
            extra={"errors": errors},
        ),
    )


def _field(place: Sequence[object]) -> str:
    """Name a field by its place; a part that looks like no name of ours may be personal data."""
    return ".".join(name if _NAME.fullmatch(name := str(part)) else "?" for part in place)


def _reason(item: Mapping[str, Any]) -> str:
    """Give pydantic's reason without what it quotes from the input."""
    said = str(item["msg"])
    quotes = item["type"] in _QUOTING or "reason" in item.get("ctx", {})
    return said.partition(":")[0].partition(",")[0] if quotes else said


async def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    kind = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http-error")
    headers = dict(error.headers or {})
    return told(request, Problem(error.status_code, kind, str(error.detail), headers=headers))


async def _on_unavailable(request: Request, error: Exception) -> Response:
    structlog.get_logger().warning("not available", error=type(error).__name__)
    return told(
        request,
        Problem(
            503,
            "unavailable",
            "A part that this needs does not answer now; nothing was changed. Try again.",
            headers={"Retry-After": "2"},
        ),
    )


async def _on_no_key(request: Request, error: Exception) -> Response:
    if not isinstance(error, NoPseudonymKey):
        raise error
    structlog.get_logger().error("no pseudonym key", zone_id=error.zone_id)
    return told(
        request,
        Problem(
            503,
            "no-pseudonym-key",
            f"Zone {error.zone_id} has no pseudonym key for {error.year}, without which nobody's "
            "reading can be put on record; so nothing was shown. Trying again does not help: an "
            f"operator has to run `buurtbode pseudonyms rotate --zone {error.zone_id}`.",
        ),
    )


async def _on_fault(request: Request, error: Exception) -> Response:
    structlog.get_logger().error("fault", error=type(error).__name__, route=_route(request))
    return told(
        request,
        Problem(500, "fault", "Something is wrong on our side; the operator has been told."),
    )


def _route(request: Request) -> str:
    """Give the route's template: the URL itself could carry a token."""
    route: object = request.scope.get("route")
    return str(getattr(route, "path", "unknown"))
