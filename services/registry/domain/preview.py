"""A bulletin as its members will see it, in each language it has."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.registry.domain.bulletin import BulletinRecord
from shared.contracts.base import Language, Status

# The dispatcher writes the mails; a test holds these words against its own.
_CLOSING: Mapping[Language, str] = {
    "nl": "Bel 101 of gebruik de app 112 BE. Kom niet zelf tussen.",
    "fr": "Appelez le 101 ou utilisez l'app 112 BE. N'intervenez pas vous-même.",
    "de": "Rufen Sie 101 an oder nutzen Sie die App 112 BE. Greifen Sie nicht selbst ein.",
    "en": "Call 101 or use the app 112 BE. Do not intervene yourself.",
}
_PREFIX: Mapping[Status, Mapping[Language, str]] = {
    Status.ACTUAL: {},
    Status.EXERCISE: {"nl": "OEFENING", "fr": "EXERCICE", "de": "ÜBUNG", "en": "EXERCISE"},
    Status.TEST: {"nl": "TEST", "fr": "TEST", "de": "TEST", "en": "TEST"},
}


@dataclass(frozen=True, slots=True)
class Preview:
    """One language's subject and text."""

    language: Language
    subject: str
    text: str


def preview(bulletin: BulletinRecord) -> list[Preview]:
    """Give subject and text per language, prefix and closing line included."""
    return [
        _in_language(bulletin, language, subject) for language, subject in bulletin.subject.items()
    ]


def _in_language(bulletin: BulletinRecord, language: Language, subject: str) -> Preview:
    word = _PREFIX[bulletin.status].get(language)
    start = "" if word is None else f"{word}: "
    body = bulletin.body[language]
    return Preview(language, f"{start}{subject}", f"{start}{body}\n\n{_CLOSING[language]}")
