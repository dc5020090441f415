"""Every command explains itself, and a complaint is a sentence and an exit code."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from cli.main import application
from tests.unit.cli.conftest import Run

Path = tuple[str, ...]


def _commands(command: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    yield path, command
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _commands(inner, (*path, name))


ALL = dict(_commands(typer.main.get_command(application())))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_and_option_has_help(run: Run, path: Path) -> None:
    ran = run(*path, "--help")
    assert ran.code == 0
    assert "Usage:" in ran.out
    command = ALL[path]
    assert isinstance(command, TyperCommand | TyperGroup)
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, TyperOption):
            assert parameter.help, parameter.name


def test_the_commands_of_the_design_are_there() -> None:
    named = {" ".join(path) for path in ALL}
    for command in (
        "up",
        "demo",
        "topics apply",
        "client add",
        "client revoke",
        "token",
        "keys new",
        "republish",
        "alert",
        "approve",
        "resend",
        "bulletin",
        "coverage",
        "status",
        "verify",
        "witness",
        "bundle",
        "verify-entry",
        "dlq list",
        "dlq show",
        "dlq replay",
        "dlq drop",
        "recover",
        "sends unknown",
        "sends settle",
        "pseudonyms rotate",
        "pseudonyms destroy",
    ):
        assert command in named


def test_a_complaint_is_one_sentence_without_a_traceback(run: Run) -> None:
    ran = run("alert", "--nl", "Brand")
    assert ran.code == 1
    assert "--key" in ran.err
    assert "Traceback" not in ran.err


def test_a_wrong_command_line_ends_with_2(run: Run) -> None:
    assert run("keys", "new").code == 2


@pytest.mark.parametrize(
    ("command", "spared"),
    [
        ("None", ("aiokafka", "pymongo")),  # all of them, for the list of commands
        ("'verify'", ("aiokafka", "pymongo", "confluent_kafka", "httpx", "cli.connection")),
        ("'verify-entry'", ("aiokafka", "pymongo", "confluent_kafka", "httpx", "shared.mongo")),
        ("'alert'", ("aiokafka", "pymongo", "services")),
    ],
)
def test_a_command_waits_for_nothing_that_it_does_not_need(
    command: str, spared: tuple[str, ...]
) -> None:
    """Loading what only others need made every command, an alert too, begin half a second late."""
    code = (
        f"import sys; from cli.main import application; application({command});"
        f" print([name for name in {spared!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_command_alone_is_the_same_as_among_all() -> None:
    for name in {path[0] for path in ALL if path}:
        alone = dict(_commands(typer.main.get_command(application(name))))
        assert set(alone) == {(), *(path for path in ALL if path[:1] == (name,))}
