"""Finding the services: a stack's file, the environment before it, and one clear sentence."""

import json
from pathlib import Path

import pytest

from cli.connection import connect
from cli.failures import CommandError

_STACK: dict[str, object] = {
    "registry": "http://127.0.0.1:1/",
    "dispatcher": "http://127.0.0.1:2",
    "audit": "http://127.0.0.1:3",
    "mongo": "mongodb://127.0.0.1:4",
    "kafka": {
        "bootstrap": "127.0.0.1:5",
        "protocol": "SASL_PLAINTEXT",
        "mechanism": "SCRAM-SHA-256",
        "users": {"police-demo": "from-the-file"},
    },
    "tokens": {"police": "token-of-the-file"},
    "pids": {"registry": 1},
}


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """Write a stack's file and give its folder."""
    (tmp_path / "stack.json").write_text(json.dumps(_STACK))
    return tmp_path


def test_a_folder_and_its_file_are_the_same(stack: Path) -> None:
    assert connect(stack, {}).file == connect(stack / "stack.json", {}).file
    assert connect(stack, {}).url("registry") == "http://127.0.0.1:1"
    assert connect(stack, {}).folder == stack


def test_the_environment_goes_before_the_file(stack: Path) -> None:
    variables = {
        "BUURTBODE_REGISTRY": "https://bin.example/registry",
        "BUURTBODE_TOKEN": "mine",
        "BUURTBODE_KAFKA": "kafka.example:9093",
        "BUURTBODE_KAFKA_PASSWORD": "secret",
        "BUURTBODE_KAFKA_PROTOCOL": "SASL_SSL",
    }
    connection = connect(stack, variables)
    kafka = connection.kafka("police-demo")
    assert connection.url("registry") == "https://bin.example/registry"
    assert connection.token("police") == "mine"
    assert (kafka.bootstrap, kafka.protocol) == ("kafka.example:9093", "SASL_SSL")
    assert kafka.password.get_secret_value() == "secret"


def test_without_a_file_the_environment_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {"BUURTBODE_KAFKA": "kafka.example:9093", "BUURTBODE_KAFKA_PASSWORD": "secret"}
    kafka = connect(None, variables).kafka("police-gent")
    assert (kafka.user, kafka.protocol) == ("police-gent", "SASL_SSL")


def test_a_stack_in_data_is_found(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = stack / "home"
    (home / "data").mkdir(parents=True)
    (stack / "stack.json").rename(home / "data" / "stack.json")
    monkeypatch.chdir(home)
    assert connect(None, {}).token("police") == "token-of-the-file"


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    connection = connect(None, {})
    for ask, name in (
        (lambda: connection.url("audit"), "BUURTBODE_AUDIT"),
        (lambda: connection.token("police"), "--role police"),
        (lambda: connection.kafka("police-demo"), "BUURTBODE_KAFKA"),
        (lambda: connection.folder, "--stack"),
        (connection.sandbox, "buurtbode up"),
    ):
        with pytest.raises(CommandError, match=name):
            ask()


@pytest.mark.parametrize(
    ("user", "maker"),
    [
        ("police-gent", "client add --zone gent"),
        ("witness", "client add --witness"),
        ("operator", "whoever set up the cluster"),
    ],
)
def test_a_user_without_a_password_is_told_who_makes_it(stack: Path, user: str, maker: str) -> None:
    with pytest.raises(CommandError, match=maker):
        connect(stack, {}).kafka(user)


@pytest.mark.parametrize("content", ["", "[]", '{"kafka": 1}', '{"tokens": {"a": 1}}'])
def test_a_file_that_is_no_stack_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "stack.json").write_text(content)
    with pytest.raises(CommandError, match=r"stack\.json"):
        connect(tmp_path, {})


def test_a_folder_without_a_stack_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is the stack up"):
        connect(tmp_path, {})
