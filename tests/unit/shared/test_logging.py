"""What a log line may hold: nothing of a person, whatever an exception quotes."""

import asyncio
import json
import logging
import sys

import pytest
from pydantic import ValidationError

from shared.contracts import Alert, Event, Member
from shared.logging import WithoutTexts
from shared.service import run
from shared.tasks import beside

NUMBER = "+32450000001"


def record(*, exc_info: bool = True) -> logging.LogRecord:
    info = sys.exc_info() if exc_info else None
    return logging.LogRecord("library", logging.ERROR, "x.py", 1, NUMBER, (), info)


def test_an_exception_is_told_by_type_and_place_and_never_by_its_text() -> None:
    line = ""
    try:
        try:
            {}[NUMBER]
        except KeyError as cause:
            raise ValueError(NUMBER) from cause
    except ValueError:
        line = WithoutTexts("dispatcher").format(record())
    assert line
    assert NUMBER not in line
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["service"], entry["level"], entry["logger"]) == ("dispatcher", "ERROR", "library")
    assert [one["error"] for one in entry["errors"]] == ["ValueError", "KeyError"]
    assert all("test_logging.py" in one["frames"][-1] for one in entry["errors"])


def test_what_ends_a_service_is_told_by_type_and_place_and_never_by_its_text() -> None:
    async def main() -> None:
        async def fails() -> None:
            try:
                {}[NUMBER]
            except KeyError as cause:
                raise ValueError(NUMBER) from cause

        async with beside([fails]):
            await asyncio.Event().wait()

    with pytest.raises(SystemExit) as ended:
        run(main)
    said = str(ended.value.code)  # text here: written to stderr, and the code is 1
    assert NUMBER not in said
    names = [one["error"] for one in json.loads(said)["errors"]]
    assert names == ["ExceptionGroup", "ValueError", "KeyError"]


def test_a_record_without_an_exception_says_who_and_how_bad() -> None:
    line = WithoutTexts("audit").format(record(exc_info=False))
    assert json.loads(line) == {"service": "audit", "level": "ERROR", "logger": "library"}


@pytest.mark.parametrize("model", [Member, Alert])
def test_a_contract_says_what_is_wrong_and_does_not_quote_it(model: type[Event]) -> None:
    """Neither what our services write nor what outsiders do."""
    with pytest.raises(ValidationError) as refused:
        model.model_validate({"zone_id": [NUMBER], "phone": NUMBER, "text": NUMBER})
    assert NUMBER not in str(refused.value)
    assert "zone_id" in str(refused.value)
