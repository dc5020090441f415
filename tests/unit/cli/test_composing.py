"""From options and files to a message: nothing is guessed, and what is wrong is named."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import composing, keyfile
from cli.composing import Fields
from cli.failures import CommandError
from shared.clock import Clock
from shared.contracts import Alert

_KEY = keyfile.new_key("demo", "officer-1", "demo-key-1")
_NOW = datetime(2026, 3, 14, 20, 15, tzinfo=UTC)
_CLOCK = Clock(now=lambda: _NOW)
_FIELDS: Fields = {
    "network_ids": ["bin-lindeveld"],
    "kind": "alert",
    "event": "burglary",
    "text": {"nl": "Inbraak"},
}


def _alert(minutes: int | None = None, **fields: object) -> Alert:
    stamped = composing.stamp({**_FIELDS, **fields}, "alert_id", _KEY, _CLOCK, minutes)
    return composing.alert(stamped)


def test_the_key_says_for_which_zone_and_in_whose_name() -> None:
    alert = _alert()
    assert (alert.zone_id, alert.issued_by, alert.issued_at) == ("demo", "officer-1", _NOW)
    assert alert.status == "actual"


def test_each_message_gets_an_id_of_its_own_unless_the_file_has_one() -> None:
    assert _alert().alert_id != _alert().alert_id
    kept = "6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90"
    assert _alert(alert_id=kept).alert_id == kept


def test_minutes_count_from_the_time_of_issue() -> None:
    assert _alert(minutes=45).ends_at == _NOW + timedelta(minutes=45)
    issued = _NOW - timedelta(minutes=5)
    late = _alert(minutes=45, issued_at=issued.isoformat())
    assert late.ends_at == issued + timedelta(minutes=45)


def test_a_file_for_another_zone_than_the_keys_is_refused() -> None:
    with pytest.raises(CommandError, match="zone other, your key for zone demo"):
        _alert(zone_id="other")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"event": "picnic"}, "event"),
        ({"network_ids": ["a", "a"]}, "network_ids"),
        ({"text": {"nl": ""}}, "text.nl"),
        ({"text": {"tlh": "nuqneH"}}, "text.tlh"),
        ({"urgent": True}, "urgent"),
        ({"kind": "update"}, "references"),
        ({"issued_at": "yesterday"}, "issued_at"),
        ({"expires_at": "2026-03-14T20:00:00Z"}, "expires_at"),
    ],
)
def test_what_is_wrong_is_named(fields: Fields, named: str) -> None:
    with pytest.raises(CommandError) as raised:
        _alert(**fields)
    assert str(raised.value).startswith(named)


def test_options_go_before_the_file_and_silence_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "alert.json"
    path.write_text(json.dumps(_FIELDS))
    read = composing.from_file(path)
    given: Fields = {"event": "fire", "text": {}, "network_ids": None}
    assert composing.overlay(read, given) == {**_FIELDS, "event": "fire"}


@pytest.mark.parametrize("content", ["", "[]", "not json", '"text"'])
def test_a_file_that_is_no_message_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "alert.json"
    path.write_text(content)
    with pytest.raises(CommandError, match=r"alert\.json"):
        composing.from_file(path)


def test_without_a_terminal_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(CommandError) as raised:
        composing.complete({"event": "fire"}, composing.alert_questions())
    assert "--network" in str(raised.value)
    assert "--nl" in str(raised.value)
    assert "--event" not in str(raised.value)


def test_on_a_terminal_only_what_is_missing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(question: str) -> object:
        asked.append(question)
        return ["bin-molenwijk"]

    monkeypatch.setattr("cli.composing.interactive", lambda: True)
    questions = {
        "event": ("--event", lambda: answer("event")),
        "network_ids": ("--network", lambda: answer("network")),
    }
    found = composing.complete({"event": "fire"}, questions)
    assert found == {"event": "fire", "network_ids": ["bin-molenwijk"]}
    assert asked == ["network"]
