"""From options, a file and answers to a complete event. What is missing is asked for, or named."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_args

import typer
from pydantic import ValidationError
from rich.prompt import Prompt

from cli.console import interactive, say
from cli.failures import CommandError, cannot_read
from cli.keyfile import SigningKey
from shared.clock import Clock
from shared.contracts import Alert, BulletinProposed
from shared.contracts.base import LANGUAGES, BulletinKind, Language
from shared.contracts.police import AlertEvent, PoliceEvent

Fields = dict[str, Any]
E = TypeVar("E", bound=PoliceEvent)

ALERT_EVENTS: tuple[str, ...] = get_args(AlertEvent)
_LANGUAGE_NAMES: dict[Language, str] = {
    "nl": "Dutch",
    "fr": "French",
    "de": "German",
    "en": "English",
}

NetworksOption = Annotated[
    list[str] | None,
    typer.Option("--network", help="A network that gets it; repeat for more.", show_default=False),
]
FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        help="A JSON file with the message's fields; options go before it. '-' reads the input.",
        show_default=False,
    ),
]
ExpiresOption = Annotated[
    int | None,
    typer.Option("--minutes", min=1, help="Never send it later than this many minutes from now."),
]


def from_file(path: Path | None) -> Fields:
    """Read a message's fields. Raises `CommandError`."""
    if path is None:
        return {}
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text()
        fields = json.loads(text)
    except OSError as error:
        raise CommandError(cannot_read(path, error)) from None
    except ValueError:
        message = f"{path} is not JSON"
        raise CommandError(message) from None
    if not isinstance(fields, dict):
        message = f"{path} must hold one JSON object with the message's fields"
        raise CommandError(message)
    return cast("Fields", fields)


def by_language(nl: str | None, fr: str | None, de: str | None, en: str | None) -> dict[str, str]:
    """Give what was said in each language, the silent ones left out."""
    texts = {"nl": nl, "fr": fr, "de": de, "en": en}
    return {language: text for language, text in texts.items() if text}


def overlay(fields: Fields, given: Mapping[str, object]) -> Fields:
    """Lay options over a file's fields; what was not given changes nothing."""
    return {**fields, **{name: value for name, value in given.items() if value}}


def stamp(
    fields: Fields, id_field: str, key: SigningKey, clock: Clock, minutes: int | None
) -> Fields:
    """Add what the message says of itself: id, zone, issuer and times. Keeps what is there."""
    now = clock.now()
    own: Fields = {
        id_field: clock.new_id(),
        "zone_id": key.zone_id,
        "issued_by": key.issued_by,
        "issued_at": now.isoformat(),
        "status": "actual",
    }
    stamped = {**own, **fields}
    if minutes is not None:
        stamped["expires_at"] = (_issued(stamped, now) + timedelta(minutes=minutes)).isoformat()
    if stamped["zone_id"] != key.zone_id:
        message = f"the file is for zone {stamped['zone_id']}, your key for zone {key.zone_id}"
        raise CommandError(message)
    return stamped


def complete(fields: Fields, questions: Mapping[str, tuple[str, Callable[[], object]]]) -> Fields:
    """Ask for what is missing; where nobody can be asked, raise `CommandError` naming it all.

    `questions` gives, per field, the option that would have set it and how to ask.
    """
    missing = {name: how for name, how in questions.items() if not fields.get(name)}
    if missing and not interactive():
        options = ", ".join(option for option, _ in missing.values())
        message = f"missing: {options} (nobody can be asked here, so say it on the command line)"
        raise CommandError(message)
    return {**fields, **{name: ask() for name, (_, ask) in missing.items()}}


def alert_questions() -> dict[str, tuple[str, Callable[[], object]]]:
    """Give the questions of an alert."""
    return {
        "network_ids": ("--network", ask_networks),
        "event": ("--event", lambda: ask_one_of("What is it about?", ALERT_EVENTS)),
        "text": ("--nl, --fr, --de or --en", lambda: ask_languages("Text")),
    }


def bulletin_questions() -> dict[str, tuple[str, Callable[[], object]]]:
    """Give the questions of a bulletin."""
    return {
        "network_ids": ("--network", ask_networks),
        "kind": ("--kind", lambda: ask_one_of("What kind?", [str(kind) for kind in BulletinKind])),
        "subject": ("--subject-nl (or -fr, -de, -en)", lambda: ask_languages("Subject")),
        "body": ("--nl, --fr, --de or --en", lambda: ask_languages("Text")),
    }


def ask_networks() -> list[str]:
    """Ask for networks, until at least one is named."""
    while True:
        answer = Prompt.ask("Which networks get it? (ids, with spaces between them)")
        found = answer.replace(",", " ").split()
        if found:
            return found


def ask_one_of(question: str, choices: tuple[str, ...] | list[str]) -> str:
    """Ask for one of several words."""
    return Prompt.ask(question, choices=list(choices))


def ask_languages(what: str) -> dict[str, str]:
    """Ask for a text in each language, until there is one."""
    while True:
        found: dict[str, str] = {}
        for language in LANGUAGES:
            answer = Prompt.ask(
                f"{what} in {_LANGUAGE_NAMES[language]} (empty: none)",
                default="",
                show_default=False,
            )
            if answer.strip():
                found[language] = answer
        if found:
            return found
        say("At least one language is needed.")


def alert(fields: Fields) -> Alert:
    """Check an alert as its judge will. Raises `CommandError` naming the field that is wrong."""
    return _checked(Alert, fields)


def bulletin(fields: Fields) -> BulletinProposed:
    """Check a proposal as its judge will. Raises `CommandError` naming the field."""
    return _checked(BulletinProposed, fields)


def _checked(model: type[E], fields: Fields) -> E:
    try:
        return model.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        message = f"{where}: {what}" if where else what
        raise CommandError(message) from None


def _issued(fields: Fields, now: datetime) -> datetime:
    try:
        return datetime.fromisoformat(str(fields["issued_at"]))
    except ValueError:
        return now  # the whole check that follows names the field
