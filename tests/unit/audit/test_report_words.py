"""Every closed list that a page may show has words in the four languages, and none is left over."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from services.audit.api import report_codes, report_pages, report_words
from services.audit.api.report_actions import ACTIONS, FAMILIES, PURPOSES
from services.audit.api.report_codes import REASONS, STATES, Table, say, say_purpose, say_state
from services.audit.api.report_words import words
from services.audit.domain.alarms import Alarm
from services.audit.domain.drafting import alarm_draft, draft_of, key_drafts
from services.audit.domain.entries import EntryType
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.flows.settle_unknown import Outcome
from services.registry.domain.rights import EscalationReason, Right
from services.registry.flows.republish import Republishable
from shared.contracts import Access, Replay, Zone
from shared.contracts.base import (
    LANGUAGES,
    AlertKind,
    BulletinKind,
    Channel,
    Language,
    SendState,
    Status,
)
from shared.contracts.common import AccessKind
from shared.contracts.dispatcher import Reason, VerdictKind
from shared.contracts.registry import DocumentKind, NoticeTemplate
from tests.unit.audit.test_drafting import NOW, example

ROOT = Path(report_words.__file__).parents[3]
ACTING = [
    *(ROOT / "services").glob("*/flows/*.py"),
    *(ROOT / "services").glob("*/api/*.py"),
    ROOT / "shared" / "dead_letters.py",
]
"""Where the code names what it puts on record, as `object.verb`."""

OTHER_DOTTED = frozenset(get_args(Republishable))
"""What looks like an action there and is none: names of topics."""

FILLED = {
    "document.": [f"document.{kind}" for kind in get_args(DocumentKind)],
    "send.settle.": [f"send.settle.{outcome}" for outcome in get_args(Outcome)],
    "dead_letter.": ["dead_letter.drop.", "dead_letter.replay."],
}
"""What an action begins with that is put together, and what can follow from a closed list."""

NO_ACTIONS = frozenset({"checkpoint.", "log_key.", "restored."})
"""Ids of entries and events that are put together likewise."""


def key_states() -> set[str | None]:
    """Give what the entries of keys say; the last one is of the log's own key."""
    zone = example("be.bin.zone.v1")
    assert isinstance(zone, Zone)
    revoked = zone.keys[0].model_copy(update={"revoked_at": NOW})
    after = zone.model_copy(update={"keys": (revoked, *zone.keys[1:])})
    drafts = key_drafts(None, after, NOW)
    return {draft.state for draft in drafts} | {"log_key_changed"}


def bulletin_states() -> set[str | None]:
    draft = draft_of(example("be.bin.bulletin.v1"))
    assert draft is not None
    return {draft.state}


def values(*closed: Any) -> set[str]:
    """Give the codes of enumerations and of literals."""
    return {str(code) for one in closed for code in (get_args(one) or one)}


CLOSED: dict[str, tuple[Table, Iterable[str | None]]] = {
    "languages": (report_codes.LANGUAGE_NAMES, LANGUAGES),
    "channels": (report_codes.CHANNELS, values(Channel)),
    "services": (report_codes.SERVICES, values(Access.model_fields["service"].annotation)),
    "statuses": (report_codes.STATUSES, values(Status)),
    "notices": (report_codes.NOTICES, values(NoticeTemplate)),
    "kinds": (report_codes.KINDS, values(AlertKind, BulletinKind, NoticeTemplate)),
    "entry types": (report_codes.ENTRY_TYPES, values(EntryType)),
    "access kinds": (STATES[EntryType.ACCESS], values(AccessKind)),
    "send states": (STATES[EntryType.SEND], values(SendState)),
    "verdicts": (STATES[EntryType.VERDICT], values(VerdictKind)),
    "answers": (STATES[EntryType.ANSWER], values(Replay.model_fields["answer"].annotation)),
    "key states": (STATES[EntryType.KEY], key_states()),
    "bulletin states": (STATES[EntryType.BULLETIN], bulletin_states()),
    "alarm states": (
        STATES[EntryType.ALARM],
        {alarm_draft(event_id="a", time=NOW, reason="b").state},
    ),
    "alarms": (REASONS[EntryType.ALARM], values(Alarm)),
    "alarms of answers": (REASONS[EntryType.ANSWER], values(Alarm)),
    "reasons of verdicts": (REASONS[EntryType.VERDICT], values(Reason)),
    "reasons of sends": (REASONS[EntryType.SEND], values(SendReason)),
    "purposes": (
        PURPOSES,
        {f"as {right}" for right in Right if right is not Right.OWN_COORDINATOR}
        | {f"escalation {code}" for code in get_args(EscalationReason)},
    ),
}


_DOTTED, _BEGUN = r"[a-z_]+\.[a-z_]+", r"([a-z_]+\.)+"


def named_actions() -> Iterator[str]:
    """Give every action that the code puts on record, or the beginning of one."""
    for file in ACTING:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                yield from _begun(node)
            elif isinstance(node, ast.Constant) and re.fullmatch(_DOTTED, str(node.value)):
                yield str(node.value)


def _begun(node: ast.JoinedStr) -> Iterator[str]:
    begin = node.values[0]
    if isinstance(begin, ast.Constant) and re.fullmatch(_BEGUN, str(begin.value)):
        yield from FILLED.get(str(begin.value), [str(begin.value)])


@pytest.mark.parametrize("name", CLOSED)
def test_every_code_of_a_closed_list_has_words(name: str) -> None:
    table, codes = CLOSED[name]
    assert table.keys() == set(codes)


def test_every_action_on_record_has_words_and_no_words_are_of_none() -> None:
    found = set(named_actions()) - OTHER_DOTTED - NO_ACTIONS
    assert {"bulletin.return", "bulletin.decline", "member.list", "recover."} <= found
    assert found == ACTIONS.keys() | FAMILIES.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_word_or_shows_a_code_for_one(language: Language) -> None:
    tables = [table for table, _ in CLOSED.values()] + [ACTIONS, FAMILIES]
    for table in tables:
        for code, said in table.items():
            assert said.keys() == set(LANGUAGES), code
            assert said[language].strip() == said[language] != "", code
            assert not re.search(r"_|\w\.\w", said[language]), code
    assert all(words(language).values())


def test_a_text_has_the_same_places_to_fill_in_every_language() -> None:
    said = {language: words(language) for language in LANGUAGES}
    for name in said["nl"]:
        fields = {
            frozenset(field for _, field, *_ in Formatter().parse(said[one][name]) if field)
            for one in LANGUAGES
        }
        assert len(fields) == 1, name


def test_the_pages_use_every_text_and_no_other() -> None:
    tree = ast.parse(Path(report_pages.__file__).read_text())
    used = {
        constant.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "said"
        for constant in ast.walk(node.slice)
        if isinstance(constant, ast.Constant)
    }
    assert used == words("nl").keys()


@pytest.mark.parametrize("action", ["return", "decline", "withdraw", "expire"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_done_to_a_bulletin_is_not_called_a_release(
    language: Language, action: str
) -> None:
    released = say_state(language, EntryType.BULLETIN, "released")
    release = say(language, ACTIONS, "bulletin.release")
    done = say(language, ACTIONS, f"bulletin.{action}")
    assert released not in (say_state(language, EntryType.ACCESS, "bulletin"), done)
    assert done != release


def test_a_code_without_words_is_shown_as_a_code_and_escaped() -> None:
    assert say("nl", ACTIONS, "member.<b>") == "<code>member.&lt;b&gt;</code>"
    assert say("nl", ACTIONS, "republish.bin.zones").endswith(" <code>bin.zones</code>")
    assert say_state("nl", "a_newer_type", "a_state") == "<code>a_state</code>"
    assert say("nl", ACTIONS, None) == ""


def test_why_somebody_looked_is_as_they_wrote_it_and_the_registrys_codes_in_words() -> None:
    assert say_purpose("fr", "vol: rue <du> Moulin") == "vol: rue <du> Moulin"
    assert say_purpose("fr", "as coordinator") == "comme coordinateur"
    assert say_purpose("nl", "escalation incident: fiets").endswith("een incident: fiets")
    assert say_purpose("fr", "escalation incident: vélo").endswith("un incident : vélo")
