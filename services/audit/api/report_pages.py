"""The readable pages: a message's life, a person's record, a zone's record of processing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.audit.api.report_words import Words, code, words
from services.audit.flows.describe_message import Described
from services.audit.flows.describe_processing import Processing
from services.audit.flows.describe_subject import SubjectLife
from services.audit.store.log import Stored
from shared.contracts.base import Language, MessageType

_BRUSSELS = ZoneInfo("Europe/Brussels")

Cells = Sequence[object]


@dataclass(slots=True)
class Section:
    """One part of a page."""

    title: str
    paragraphs: Sequence[str] = ()
    texts: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Cells] = ()


@dataclass(slots=True)
class Page:
    """A page before it is HTML."""

    title: str
    paragraphs: Sequence[str] = ()
    facts: Sequence[tuple[str, object]] = ()
    sections: list[Section] = field(default_factory=list[Section])


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
        return self._html(language, _message(words(language), found))

    def subject(self, language: Language, found: SubjectLife, now: datetime) -> str:
        """Show a person's record."""
        return self._html(language, _subject(words(language), found, now))

    def processing(self, language: Language, found: Processing) -> str:
        """Show a zone's record of processing."""
        return self._html(language, _processing(words(language), found))

    def _html(self, language: Language, page: Page) -> str:
        return self._template.render(language=language, page=page)


def _message(said: Words, found: Described) -> Page:
    row = found.life.row
    facts: list[tuple[str, object]] = [
        (said["message_id"], row["message_id"]),
        (said["kind"], code(said, row.get("kind"))),
        (said["status"], code(said, row.get("status"))),
        (said["verdict"], code(said, row.get("verdict"))),
        (said["reason"], code(said, row.get("reason"))),
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
        (closing.get("release") or "", closing.get("sends", ""), code(said, closing.get("answer")))
        for closing in found.life.closings
    ]
    states = [(code(said, state), count) for state, count in found.life.states.items()]
    return Page(
        title=said["message_title"],
        paragraphs=[said["proof"]],
        facts=[(label, value) for label, value in facts if value],
        sections=[
            _text_section(said, found),
            Section(said["became"], columns=(said["state"], said["count"]), rows=states),
            Section(
                said["closings"],
                columns=(said["release"], said["people"], said["answer"]),
                rows=closings,
            ),
            _timeline(said, said["timeline"], found.life.timeline),
        ],
    )


def _text_section(said: Words, found: Described) -> Section:
    texts = [f"{language}\n{text}" for language, text in sorted(found.texts.items())]
    if found.life.row["message_type"] == MessageType.NOTICE:
        return Section(said["said"], [said["notice_text"]])
    return Section(said["said"], [] if texts else [said["text_gone"]], texts)


def _networks(found: Described) -> str:
    ids: list[str] = found.life.row.get("network_ids", [])
    return ", ".join(f"{found.networks.get(name, '')} ({name})".strip() for name in ids)


def _versions(found: Described, versions: Mapping[str, int]) -> str:
    """Give the versions of a document that held, by network."""
    return ", ".join(
        f"{found.networks.get(name, name)}: {version}" for name, version in sorted(versions.items())
    )


def _timeline(said: Words, title: str, entries: Sequence[Stored]) -> Section:
    rows = [
        (
            entry["index"],
            _moment(datetime.fromisoformat(entry["time"])),
            code(said, entry["type"]),
            code(said, entry["state"]),
            code(said, entry["reason"]),
        )
        for entry in map(_entry, entries)
    ]
    columns = (said["entry"], said["time"], said["what"], said["state"], said["reason"])
    return Section(title, columns=columns, rows=rows)


def _subject(said: Words, found: SubjectLife, now: datetime) -> Page:
    intro = said["subject_intro"].format(zone=found.zone_name, now=_moment(now))
    rows = [_sent(said, found, _entry(stored)) for stored in found.record.latest]
    asked = [
        (
            _moment(datetime.fromisoformat(entry["time"])),
            part["service"],  # never the reader: see ADR 0018
            f"{entry['reason']}: {part['reason']}" if part["reason"] else entry["reason"],
        )
        for entry, part in ((_entry(stored), _part(stored)) for stored in found.record.entries)
        if entry["type"] == "access" and part
    ]
    texts = [
        f"{message_id}\n\n" + "\n\n".join(text for _, text in sorted(message.texts.items()))
        for message_id, message in found.messages.items()
        if message.texts
    ]
    return Page(
        title=said["subject_title"],
        paragraphs=[intro, said["rights"]] if rows else [intro, said["nothing"], said["rights"]],
        sections=[
            Section(
                said["sent_to_you"],
                columns=(
                    *(said["time"], said["channel"], said["message_id"], said["kind"]),
                    *(said["networks"], said["state"], said["basis"], said["entry"]),
                ),
                rows=rows,
            ),
            Section(said["said"], texts=texts),
            Section(
                said["looked_up"], columns=(said["time"], said["who"], said["why"]), rows=asked
            ),
            _timeline(said, said["history"], found.record.entries),
        ],
    )


def _sent(said: Words, found: SubjectLife, entry: dict[str, Any]) -> Cells:
    message = found.messages.get(entry["message_id"])
    basis: dict[str, Any] = entry["basis"] or {}
    names: Mapping[str, str] = {} if message is None else message.networks
    return (
        _moment(datetime.fromisoformat(entry["time"])),
        code(said, entry["channel"]),
        entry["message_id"],
        code(said, None if message is None else message.life.row.get("kind")),
        ", ".join(names.get(network) or network for network in entry["network_ids"]),
        code(said, entry["state"]),
        basis.get("legal", ""),
        entry["index"],
    )


def _processing(said: Words, found: Processing) -> Page:
    basis = found.legal_basis
    days = {"days": found.text_kept_for.days, "private_days": found.private_kept_for.days}
    key = said["year_key_there"] if found.has_key else said["year_key_gone"]
    sends = [
        (code(said, channel), code(said, state), count)
        for (channel, state), count in sorted(found.sends.items())
    ]
    others = [
        (code(said, kind), code(said, state), count)
        for (kind, state), count in sorted(found.entries.items())
    ]
    return Page(
        title=said["processing_title"],
        facts=[
            (said["controller"], f"{found.zone_name} ({found.zone_id})"),
            (said["year"], found.year),
            (said["purposes"], said["purposes_text"]),
            (said["basis_warm"], said["unknown"] if basis is None else basis.warm),
            (said["basis_cold"], said["unknown"] if basis is None else basis.cold),
            (said["subjects"], said["subjects_text"]),
            (said["data"], said["data_text"]),
            (said["recipients"], said["recipients_text"]),
            (said["retention"], said["retention_text"].format(**days)),
            (said["year_key"], key),
            (said["security"], said["security_text"]),
            (said["networks"], found.networks),
        ],
        sections=[
            Section(said["sends"], (), (), (said["channel"], said["state"], said["count"]), sends),
            Section(
                said["other_entries"],
                columns=(said["what"], said["state"], said["count"]),
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
