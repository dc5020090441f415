"""Which language to answer in, by `Accept-Language` (RFC 9110, section 12.5.4)."""

from typing import Annotated, Literal

from fastapi import Depends, Request

from services.registry.domain.member_list import ListLanguage

_SPOKEN: tuple[ListLanguage, ...] = ("en", "nl", "fr")
"""What problems are told in; the first where the caller asks for nothing that there is."""


def preferred(header: str | None) -> ListLanguage:
    """Give the language that a caller likes best of those that there are."""
    best: ListLanguage = "en"
    weight = 0.0
    for part in (header or "").split(","):
        tag, _, rest = part.partition(";")
        wanted = tag.strip().lower().partition("-")[0]
        quality = _quality(rest)
        for language in _SPOKEN:
            if wanted == language and quality > weight:
                best, weight = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def language_of(request: Request) -> ListLanguage:
    """Dependency: the caller's language."""
    return preferred(request.headers.get("accept-language"))


Spoken = Annotated[ListLanguage, Depends(language_of)]
Shown = Literal["nl", "fr", "de", "en"]
