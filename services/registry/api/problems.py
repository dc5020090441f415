"""How the domain's answers look over HTTP, in the caller's language (nl, fr or en)."""

from collections.abc import Mapping
from typing import cast

from fastapi import FastAPI, Request, Response

from services.registry.api.languages import preferred
from services.registry.api.problem_words import FIELDS, MISSING, say
from services.registry.api.scopes import stale
from services.registry.domain.failures import Conflict, Invalid, NotThere, Refused, Stale
from services.registry.domain.member_list import ListLanguage
from shared.access import not_found
from shared.failures import Fenced
from shared.http import Problem, Translate, told

_STATUS: dict[type[Refused], int] = {Invalid: 422, Conflict: 409}
_Errors = list[dict[str, str]]


def install_failures(app: FastAPI) -> None:
    """Have the domain's refusals answered as problem documents, and all of them translated."""
    for failure in (Refused, NotThere, Stale, Fenced):
        app.add_exception_handler(failure, _on_failure)
    translation: Translate = translate
    app.state.translate = translation


async def _on_failure(request: Request, error: Exception) -> Response:
    return told(request, _problem(error))


def _problem(error: Exception) -> Problem:
    if isinstance(error, NotThere):
        return not_found()
    if isinstance(error, Refused):
        status = _STATUS.get(type(error), 422)
        return Problem(status, error.kind, error.detail, field=error.field, extra=error.extra)
    return stale()


def translate(request: Request, problem: Problem) -> Problem:
    """Give a problem in the caller's language, its next step as a member of its own."""
    language = preferred(request.headers.get("accept-language"))
    said = say(problem.kind, language)
    extra = dict(problem.extra)
    extra["next_step"] = said.next_step
    if problem.kind == "invalid-request":
        extra["errors"] = [_in_words(error, language) for error in _errors(extra)]
    return Problem(
        problem.status,
        problem.kind,
        problem.detail if language == "en" else _detail(problem, language),
        field=problem.field,
        extra=extra,
        headers={**problem.headers, "Content-Language": language, "Vary": "Accept-Language"},
    )


def _detail(problem: Problem, language: ListLanguage) -> str:
    said = say(problem.kind, language)
    reason = said.reason
    if problem.kind == "network-not-ready":
        lacking = cast("list[str]", problem.extra.get("missing", []))
        words = [MISSING.get(what, {}).get(language, what) for what in lacking]
        reason = reason.format(missing=", ".join(words))
    if problem.kind == "invalid-request" and problem.field is not None:
        reason = f"{problem.field} {_why(_errors(problem.extra)[0], language)}."
    return f"{reason} {said.next_step}"


def _errors(extra: Mapping[str, object]) -> _Errors:
    return cast("_Errors", extra.get("errors") or [{}])


def _in_words(error: dict[str, str], language: ListLanguage) -> dict[str, str]:
    if language == "en":
        return error
    return {**error, "reason": f"{error.get('field', '')} {_why(error, language)}"}


def _why(error: dict[str, str], language: ListLanguage) -> str:
    return FIELDS.get(error.get("code", ""), FIELDS["other"])[language]
