"""What `up` hands to the parts it starts, and what it takes from its user."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from deploy.local.issuer import Issuer
from deploy.local.options import (
    PASSWORD_VARIABLE,
    BadOptionError,
    as_user,
    external_operator,
)
from deploy.local.service_settings import (
    LIVE_ACCOUNT,
    SERVICES,
    TEST_ACCOUNT,
    Surroundings,
    accounts,
    environment,
)
from deploy.local.vault import Vault
from services.audit.settings import AuditSettings
from services.dispatcher.settings import DispatcherSettings
from services.registry.settings import RegistrySettings
from shared.settings import ServiceSettings


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    """Give the surroundings of services that nobody starts."""
    vault = Vault(tmp_path / "secrets")
    return Surroundings(
        kafka_bootstrap="127.0.0.1:1",
        kafka_passwords={name: f"kafka of {name}" for name in SERVICES},
        mongo_urls={name: f"mongodb://{name}@127.0.0.1:2" for name in SERVICES},
        issuer=Issuer("http://127.0.0.1:3/issuer", vault.signing_key("issuer")),
        sandbox_url="http://127.0.0.1:3",
        smtp_port=4,
        ports={"registry": 5, "dispatcher": 6, "audit": 7, "bounces": 8},
        vault=vault,
    )


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        ("registry", RegistrySettings),
        ("dispatcher", DispatcherSettings),
        ("audit", AuditSettings),
    ],
)
def test_each_service_gets_all_that_its_settings_ask_for(
    around: Surroundings,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    settings: Callable[[], ServiceSettings],
) -> None:
    """The service's own settings class reads what `up` sets, its own user and database in it."""
    for name, value in environment(service, around).items():
        monkeypatch.setenv(name, value)
    read = settings()
    assert read.kafka.user == read.mongo.database == service
    assert read.kafka.password.get_secret_value() == f"kafka of {service}"
    assert read.mongo.url.get_secret_value() == f"mongodb://{service}@127.0.0.1:2"
    assert read.http.port == around.ports[service]
    if isinstance(read, DispatcherSettings):
        assert str(read.public_url).rstrip("/") == around.service_url(service)


def test_no_variable_is_set_that_no_service_reads(around: Surroundings) -> None:
    """A name with a typing error would be silently ignored."""
    known = {
        "registry": RegistrySettings,
        "dispatcher": DispatcherSettings,
        "audit": AuditSettings,
    }
    for service, settings in known.items():
        for variable in environment(service, around):
            parts = variable.removeprefix("BUURTBODE_").lower().split("__")
            model: Any = settings
            for part in parts[:-1]:
                kind = model.model_fields[part].annotation
                model = next((one for one in get_args(kind) if one is not type(None)), kind)
            assert parts[-1] in model.model_fields, variable


def test_messages_of_status_test_go_to_another_account(around: Surroundings) -> None:
    """Both accounts are the sandbox's, and one can tell them apart."""
    settings = environment("dispatcher", around)
    assert settings["BUURTBODE_TWILIO__ACCOUNT_SID"] == LIVE_ACCOUNT
    assert settings["BUURTBODE_TEST_TWILIO__ACCOUNT_SID"] == TEST_ACCOUNT
    live, test = accounts(around)
    assert (live.sid, test.sid) == (LIVE_ACCOUNT, TEST_ACCOUNT)
    assert live.auth_token.get_secret_value() == settings["BUURTBODE_TWILIO__AUTH_TOKEN"]
    assert live.auth_token != test.auth_token
    token = settings["BUURTBODE_TWILIO__CALLBACK_TOKEN"]
    assert str(live.inbound_url) == f"http://127.0.0.1:6/v1/inbound/twilio/{token}"


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    """And is the same for the next process; the files are their owner's only."""
    first = Vault(tmp_path / "secrets")
    made = [first.password("a"), first.password("b")]
    key = first.signing_key("log").read_bytes()
    again = Vault(tmp_path / "secrets")
    assert [again.password("a"), again.password("b")] == made
    assert made[0] != made[1]
    assert again.signing_key("log").read_bytes() == key
    assert stat.S_IMODE(again.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in again.folder.iterdir()} == {0o600}


def test_an_existing_cluster_is_reached_as_its_superuser(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the login in the option, or the password in a variable."""
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    given = external_operator("boss:se:cret@kafka.example:9092")
    assert (given.bootstrap, given.user) == ("kafka.example:9092", "boss")
    assert given.password.get_secret_value() == "se:cret"
    with pytest.raises(BadOptionError, match=PASSWORD_VARIABLE):
        external_operator("kafka.example:9092")
    monkeypatch.setenv(PASSWORD_VARIABLE, "from-variable")
    given = external_operator("kafka.example:9092")
    assert (given.user, given.password.get_secret_value()) == ("operator", "from-variable")


@pytest.mark.parametrize("kafka", ["", "kafka", "kafka:", ":9092", "kafka:port"])
def test_an_address_without_host_or_port_is_refused(
    monkeypatch: pytest.MonkeyPatch, kafka: str
) -> None:
    """With words that say what it should be."""
    monkeypatch.setenv(PASSWORD_VARIABLE, "x")
    with pytest.raises(BadOptionError, match="host:port"):
        external_operator(kafka)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "mongodb://admin:pw@h:1/?replicaSet=rs0&authSource=admin",
            "mongodb://audit:p%40w@h:1/?replicaSet=rs0&authSource=admin",
        ),
        ("mongodb://admin:pw@a:1,b:2", "mongodb://audit:p%40w@a:1,b:2/?authSource=admin"),
        ("mongodb://h:1/?replicaSet=rs0", "mongodb://h:1/?replicaSet=rs0"),
    ],
)
def test_a_service_gets_its_own_login_on_the_same_servers(url: str, expected: str) -> None:
    """Except where the servers have no users at all."""
    assert as_user(url, "audit", "p@w") == expected
