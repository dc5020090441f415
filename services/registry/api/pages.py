"""The public pages as HTML: plain, without scripts, cookies or anybody's name."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, select_autoescape

from services.registry.api.words import WORDS, Words
from shared.contracts.base import LANGUAGES, Language

_HEADERS = {
    # the URL holds the member's token: it is kept out of caches and of other sites' logs
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
}


@dataclass(frozen=True, slots=True)
class Button:
    """A form of one button, with the text before it."""

    name: str
    value: str
    label: str
    before: str = ""
    confirm: tuple[str, str] | None = None
    """A box to tick before, by its name and what it says."""


class Pages:
    """Renders pages from the one template."""

    def __init__(self) -> None:
        """Load the template from the package."""
        environment = Environment(
            loader=PackageLoader("services.registry.api"),
            autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        )
        self._template = environment.get_template("page.html.j2")
        self._facts = environment.get_template("facts.html.j2")

    def show(
        self,
        language: Language,
        title: str,
        paragraphs: Sequence[str],
        *,
        network: str | None = None,
        text: str | None = None,
        link: tuple[str, str] | None = None,
        buttons: Sequence[Button] = (),
        status: int = 200,
    ) -> HTMLResponse:
        """Give a page."""
        html = self._template.render(
            language=language,
            title=title,
            paragraphs=paragraphs,
            network=network,
            text=text,
            link=link,
            buttons=buttons,
        )
        return HTMLResponse(html, status_code=status, headers=_HEADERS)

    def facts(
        self, language: Language, title: str, facts: Sequence[tuple[str, str]]
    ) -> HTMLResponse:
        """Give a page of labels and what they stand for."""
        html = self._facts.render(language=language, title=title, facts=facts)
        return HTMLResponse(html, headers=_HEADERS)

    def unknown_link(self) -> HTMLResponse:
        """Say in all languages that a link is not valid: whose it was is not known."""
        found = [WORDS[language].unknown for language in LANGUAGES]
        return self.show("nl", "Buurtbode", found, status=404)


def words_of(language: Language) -> Words:
    """Give the words of a language."""
    return WORDS[language]
