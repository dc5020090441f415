"""The readable pages: a message's life, a person's record, a zone's record of processing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.audit.api.report_actions import ACTIONS
from services.audit.api.report_codes import (
    ANSWERS,
    CHANNELS,
    ENTRY_TYPES,
    KINDS,
    LANGUAGE_NAMES,
    NOTICES,
    SEND_STATES,
    SERVICES,
    STATUSES,
    VERDICT_REASONS,
    VERDICTS,
    Table,
    say,
    say_purpose,
    say_reason,
    say_state,
)
from services.audit.api.report_words import Words, words
from services.audit.domain.entries import EntryType
from services.audit.flows.describe_message import Described, Texts
from services.audit.flows.describe_processing import Processing
from services.audit.flows.describe_subject import SubjectLife
from services.audit.store.log import Stored
from shared.contracts.base import LANGUAGES, Language, MessageType
from shared.contracts.registry import ZoneContact

_BRUSSELS = ZoneInfo("Europe/Brussels")

Cells = Sequence[object]
Facts = Sequence[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Text:
    """A message's words in one language."""

    message_id: str
    """Empty where the page is about one message."""

    language: str | None
    """None for one that the pages do not know, which only an outsider can have written."""

    name: str
    words: str


@dataclass(slots=True)
class Section:
    """One part of a page. With columns it is a table, also where it has no rows."""

    title: str
    paragraphs: Sequence[str] = ()
    texts: Sequence[Text] = ()
    facts: Facts = ()
    columns: Sequence[str] = ()
    rows: Sequence[Cells] = ()


@dataclass(slots=True)
class Page:
    """A page before it is HTML."""

    title: str
    paragraphs: Sequence[str] = ()
    facts: Facts = ()
    sections: list[Section] = field(default_factory=list[Section])


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that is said, in one language."""

    language: Language
    words: Words

    def __getitem__(self, name: str) -> str:
        """Give a text of the pages."""
        return self.words[name]

    def code(self, table: Table, code: str | None) -> str:
        """Say a code."""
        return say(self.language, table, code)


class ReportPages:
    """Renders pages; every value is escaped."""

    def __init__(self) -> None:
        """Read the template."""
        environment = Environment(
            loader=PackageLoader("services.audit.api"),
            autoescape=select_autoescape(enabled_extensions=("html.j2",)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._template = environment.get_template("report.html.j2")

    def message(self, language: Language, found: Described) -> str:
        """Show a message's life."""
        said = Said(language, words(language))
        return self._html(said, _message(said, found))

    def subject(self, language: Language, found: SubjectLife, now: datetime) -> str:
        """Show a person's record."""
        said = Said(language, words(language))
        return self._html(said, _subject(said, found, now))

    def processing(self, language: Language, found: Processing) -> str:
        """Show the record of processing of a zone's log."""
        said = Said(language, words(language))
        return self._html(said, _processing(said, found))

    def _html(self, said: Said, page: Page) -> str:
        return self._template.render(language=said.language, page=page, nothing=said["none"])


def _message(said: Said, found: Described) -> Page:
    row = found.life.row
    facts: list[tuple[str, object]] = [
        (said["message_id"], row["message_id"]),
        (said["kind"], said.code(KINDS, row.get("kind"))),
        (said["status"], said.code(STATUSES, row.get("status"))),
        (said["verdict"], said.code(VERDICTS, row.get("verdict"))),
        (said["reason"], said.code(VERDICT_REASONS, row.get("reason"))),
        (said["references"], row.get("references") or ""),
        (said["issued_by"], found.issued_by or ""),
        (said["signer"], row.get("signer") or ""),
        (said["approver"], row.get("approver") or ""),
        (said["networks"], _networks(found)),
        (said["basis"], found.basis.legal),
        (said["house_rules"], _versions(found, found.basis.house_rules)),
        (said["communication_plan"], _versions(found, found.basis.communication_plan)),
        (said["judged_at"], _moment(row.get("judged_at"))),
        (said["expires_at"], _moment(row.get("expires_at"))),
    ]
    closings = [
        (
            found.networks.get(closing.get("release") or "", closing.get("release") or ""),
            closing.get("sends", ""),
            said.code(ANSWERS, closing.get("answer")),
        )
        for closing in found.life.closings
    ]
    states = [(said.code(SEND_STATES, state), count) for state, count in found.life.states.items()]
    return Page(
        title=said["message_title"],
        paragraphs=[said["proof"]],
        facts=[(label, value) for label, value in facts if value],
        sections=[
            _text_section(said, found),
            Section(said["became"], columns=(said["state"], said["count"]), rows=states),
            Section(
                said["closings"],
                columns=(said["release"], said["sends"], said["answer"]),
                rows=closings,
            ),
            _timeline(said, said["timeline"], found.life.timeline),
        ],
    )


def _text_section(said: Said, found: Described) -> Section:
    texts = list(_texts(said, found.texts))
    if found.life.row["message_type"] == MessageType.NOTICE:
        return Section(said["said"], [said["notice_text"]])
    return Section(said["said"], [] if texts else [said["text_gone"]], texts)


def _texts(said: Said, texts: Texts, message_id: str = "") -> Iterable[Text]:
    for language, text in sorted(texts.items()):
        known = language if language in LANGUAGES else None
        yield Text(message_id, known, said.code(LANGUAGE_NAMES, language), text)


def _networks(found: Described) -> str:
    ids: list[str] = found.life.row.get("network_ids", [])
    return ", ".join(f"{found.networks.get(name, '')} ({name})".strip() for name in ids)


def _versions(found: Described, versions: Mapping[str, int]) -> str:
    """Give the versions of a document that held, by network."""
    return ", ".join(
        f"{found.networks.get(name, name)}: {version}" for name, version in sorted(versions.items())
    )


def _timeline(said: Said, title: str, entries: Sequence[Stored]) -> Section:
    columns = (
        *(said["entry"], said["time"], said["what"]),
        *(said["state_or_kind"], said["reason_or_action"]),
    )
    return Section(title, columns=columns, rows=[_line(said, _entry(one)) for one in entries])


def _line(said: Said, entry: Mapping[str, Any]) -> Cells:
    kind = entry["type"]
    state = say_state(said.language, kind, entry["state"])
    return (
        entry["index"],
        _moment(datetime.fromisoformat(entry["time"])),
        said.code(ENTRY_TYPES, kind),
        said.code(NOTICES, entry["template"]) if kind == EntryType.NOTICE else state,
        say_reason(said.language, kind, entry["reason"]),
    )


def _subject(said: Said, found: SubjectLife, now: datetime) -> Page:
    intro = said["subject_intro"].format(zone=found.zone_name, now=_moment(now))
    rows = [_sent(said, found, _entry(stored)) for stored in found.record.latest]
    texts = [
        text
        for message_id, message in found.messages.items()
        for text in _texts(said, message.texts, message_id)
    ]
    return Page(
        title=said["subject_title"],
        paragraphs=[intro, *([] if rows else [said["nothing"]]), said["held_elsewhere"]],
        sections=[
            Section(
                said["sent_to_you"],
                columns=(
                    *(said["time"], said["channel"], said["message_id"], said["kind"]),
                    *(said["networks"], said["state"], said["basis"], said["entry"]),
                ),
                rows=rows,
            ),
            Section(said["said"], [] if texts or not rows else [said["text_gone"]], texts),
            Section(
                said["looked_up"],
                [said["reader_unnamed"]],
                columns=(said["time"], said["service"], said["action"], said["why"]),
                rows=list(_looks(said, found.record.entries)),
            ),
            _timeline(said, said["history"], found.record.entries),
            Section(said["about"], facts=_about(said, found)),
        ],
    )


def _looks(said: Said, entries: Iterable[Stored]) -> Iterable[Cells]:
    """Give who looked or acted: by service, and never the reader (ADR 0018)."""
    for stored in entries:
        entry, part = _entry(stored), _part(stored)
        if entry["type"] == EntryType.ACCESS and part:
            yield (
                _moment(datetime.fromisoformat(entry["time"])),
                said.code(SERVICES, part["service"]),
                said.code(ACTIONS, entry["reason"]),
                say_purpose(said.language, part["reason"]),
            )


def _sent(said: Said, found: SubjectLife, entry: dict[str, Any]) -> Cells:
    message = found.messages.get(entry["message_id"])
    basis: dict[str, Any] = entry["basis"] or {}
    names: Mapping[str, str] = {} if message is None else message.networks
    return (
        _moment(datetime.fromisoformat(entry["time"])),
        said.code(CHANNELS, entry["channel"]),
        entry["message_id"],
        said.code(KINDS, None if message is None else message.life.row.get("kind")),
        ", ".join(names.get(network) or network for network in entry["network_ids"]),
        said.code(SEND_STATES, entry["state"]),
        basis.get("legal", ""),
        entry["index"],
    )


def _about(said: Said, found: SubjectLife) -> Facts:
    """Give the rest of what article 15(1) of the GDPR has a person told."""
    return [
        (said["controller"], found.zone_name),
        *_contact(said, found.contact),
        (said["purposes"], said["purposes_text"]),
        (said["data"], said["data_text"]),
        (said["source"], said["source_text"]),
        (said["recipients"], f"{said['recipients_text']} {said['recipients_of_sends']}"),
        (said["transfers"], f"{said['transfers_text']} {said['transfers_of_sends']}"),
        (said["retention"], _retention(said, found.text_kept_for, found.private_kept_for)),
        (said["decisions"], said["decisions_text"]),
        (said["rights"], said["rights_text"]),
        (said["supervisor"], said["supervisor_text"]),
    ]


def _contact(said: Said, contact: ZoneContact | None) -> Facts:
    stated = None if contact is None else contact.address
    officer = None if contact is None else contact.data_protection_officer
    return [
        (said["controller_address"], stated or said["not_stated"]),
        (said["data_protection_officer"], officer or said["not_stated"]),
    ]


def _retention(said: Said, texts: timedelta, parts: timedelta) -> str:
    return said["retention_text"].format(days=texts.days, private_days=parts.days)


def _processing(said: Said, found: Processing) -> Page:
    basis = found.legal_basis
    sends = [
        (said.code(CHANNELS, channel), said.code(SEND_STATES, state), count)
        for (channel, state), count in sorted(found.sends.items())
    ]
    others = [
        (said.code(ENTRY_TYPES, kind), say_state(said.language, kind, state), count)
        for (kind, state), count in sorted(found.entries.items())
    ]
    return Page(
        title=said["processing_title"],
        paragraphs=[said["processing_intro"].format(zone_id=found.zone_id)],
        facts=[
            (said["controller"], f"{found.zone_name} ({found.zone_id})"),
            *_contact(said, found.contact),
            (said["year"], found.year),
            (said["purposes"], said["purposes_text"]),
            (said["basis_warm"], said["not_stated"] if basis is None else basis.warm),
            (said["basis_cold"], said["not_stated"] if basis is None else basis.cold),
            (said["subjects"], said["subjects_text"]),
            (said["data"], said["data_text"]),
            (said["recipients"], f"{said['recipients_text']} {said['recipients_not']}"),
            (said["transfers"], said["transfers_text"]),
            (said["retention"], _retention(said, found.text_kept_for, found.private_kept_for)),
            (said["year_key"], said["year_key_there" if found.has_key else "year_key_gone"]),
            (said["security"], said["security_text"]),
            (said["networks"], found.networks),
        ],
        sections=[
            Section(
                said["sends"], columns=(said["channel"], said["state"], said["count"]), rows=sends
            ),
            Section(
                said["other_entries"],
                columns=(said["what"], said["state_or_kind"], said["count"]),
                rows=others,
            ),
        ],
    )


def _entry(stored: Stored) -> dict[str, Any]:
    return orjson.loads(stored.body)


def _part(stored: Stored) -> dict[str, Any]:
    return {} if stored.part is None else orjson.loads(stored.part)


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return moment.astimezone(_BRUSSELS).strftime("%Y-%m-%d %H:%M:%S %Z")
