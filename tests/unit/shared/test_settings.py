"""What a service says about settings that it cannot start with."""

import os
from pathlib import Path

import pytest

from services.audit import app as audit
from services.audit.signer import Signer
from services.dispatcher import app as dispatcher
from services.registry import app as registry
from services.registry.settings import RegistrySettings
from shared.service import run
from shared.settings import UnusableSettingsError, read_settings
from shared.tasks import Task

COMPLETE = {
    "BUURTBODE_KAFKA__BOOTSTRAP": "kafka:9092",
    "BUURTBODE_KAFKA__USER": "registry",
    "BUURTBODE_KAFKA__PASSWORD": "word-for-kafka",
    "BUURTBODE_MONGO__URL": "mongodb://registry:word-for-mongo@mongo/registry",
    "BUURTBODE_MONGO__DATABASE": "registry",
    "BUURTBODE_OIDC__ISSUER": "https://issuer.example",
    "BUURTBODE_OIDC__AUDIENCE": "buurtbode",
    "BUURTBODE_OIDC__JWKS_URL": "https://issuer.example/jwks",
    "BUURTBODE_PSEUDONYM_KEYS": "/run/keys/pseudonyms.json",
}


@pytest.fixture(autouse=True)
def _complete_environment(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    for name in [name for name in os.environ if name.startswith("BUURTBODE_")]:
        monkeypatch.delenv(name)
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)


def complaint() -> str:
    with pytest.raises(UnusableSettingsError) as caught:
        read_settings(RegistrySettings)
    assert "word-for" not in str(caught.value)
    assert caught.value.__context__ is None  # a traceback would quote it
    return str(caught.value)


def test_a_complete_environment_is_read() -> None:
    assert read_settings(RegistrySettings).kafka.user == "registry"


@pytest.mark.parametrize("name", COMPLETE)
def test_a_missing_variable_is_named_and_no_other(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name)
    assert complaint() == f"set {name}"


def test_of_a_missing_group_every_variable_without_a_default_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kafka = [name for name in COMPLETE if name.startswith("BUURTBODE_KAFKA__")]
    for name in kafka:
        monkeypatch.delenv(name)
    assert complaint() == f"set {', '.join(kafka)}"


def test_a_wrong_value_is_named_but_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUURTBODE_HTTP__PORT", "word-for-port")
    monkeypatch.delenv("BUURTBODE_KAFKA__USER")
    said = complaint()
    assert said.startswith("set BUURTBODE_KAFKA__USER; BUURTBODE_HTTP__PORT: ")


def test_a_group_that_is_not_json_is_named_but_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUURTBODE_KAFKA", "word-for-kafka")
    assert '"kafka"' in complaint()


@pytest.mark.parametrize(
    ("main", "also"),
    [
        (registry.main, []),
        (dispatcher.main, ["BUURTBODE_TWILIO__AUTH_TOKEN", "BUURTBODE_PUBLIC_URL"]),
        (audit.main, ["BUURTBODE_SIGNING_KEY"]),
    ],
)
def test_a_service_that_cannot_start_says_why_in_one_line_and_fails(
    main: Task, also: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BUURTBODE_MONGO__URL")
    with pytest.raises(SystemExit) as ended:
        run(main)
    said = str(ended.value.code)  # text here: written to stderr, and the code is 1
    assert said.startswith("cannot start: set ")
    assert "\n" not in said
    for name in ["BUURTBODE_MONGO__URL", *also]:
        assert name in said


@pytest.mark.parametrize("content", [None, "no key"])
def test_a_signing_key_that_cannot_be_read_is_named_by_its_variable(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "log.pem"
    if content is not None:
        path.write_text(content)

    async def main() -> None:
        Signer.load(path)

    with pytest.raises(SystemExit) as ended:
        run(main)
    said = str(ended.value.code)
    assert said.startswith("cannot start: BUURTBODE_SIGNING_KEY: ")
    assert str(path) in said
