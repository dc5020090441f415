"""`buurtbode up` without the services: starting, restarting, ending, and leaving nothing behind."""

import socket
import stat
import time
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from pymongo import MongoClient

from deploy.kafka_admin import add_police_client, answers, apply_topics
from deploy.local.files import private_folder
from deploy.local.issuer import AUDIENCE
from deploy.local.ports import LOOPBACK, stable_ports
from deploy.local.stack import (
    NoStackError,
    add_kafka_user,
    issuer_of,
    read_stack,
    remove_kafka_user,
)
from shared.topics import ALERTS, Topic
from tests.support.cluster import create_topic
from tests.support.stacks import kafka_user, wait_ready
from tests.support.timing import limit
from tests.support.up_process import UpProcess, alive, end_all

_TOKENS = {
    "admin",
    "operator",
    "police",
    "police-2",
    "coordinator",
    "auditor",
    "municipality",
    "federal",
}
_PARTS = ("kafka", "mongod", "sandbox")

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Path, UpProcess]]:
    """Give one stack to those tests that leave it running."""
    data = tmp_path_factory.mktemp("up") / "stack"
    process = UpProcess(data)
    try:
        wait_ready(data)
        yield data, process
    finally:
        code = process.interrupt()
    assert code == 0


@pytest.fixture(scope="module", autouse=True)
def _nothing_left() -> Generator[None]:
    yield
    end_all()


def _until(holds: Callable[[], bool], seconds: float) -> float:
    """Wait for something, and give how many seconds it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


def test_stack_json_says_where_everything_is(running: tuple[Path, UpProcess]) -> None:
    """Every address answers, every user and token is there, and only the owner can read it."""
    data, process = running
    stack = read_stack(data)
    assert stat.S_IMODE((data / "stack.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "secrets").stat().st_mode) == 0o700
    assert stack.tokens.keys() == _TOKENS
    assert {"operator", "police-demo", "witness"} <= stack.kafka.users.keys()
    assert all(answers(kafka_user(stack, name)) for name in stack.kafka.users)
    assert not apply_topics(kafka_user(stack, "operator"))
    with MongoClient[dict[str, Any]](stack.mongo) as client:
        assert client.admin.command("ping")["ok"] == 1
    assert httpx.get(f"{stack.sandbox}/sms").json() == []
    assert set(_PARTS) <= stack.pids.keys()
    assert "ready" in process.printed()
    assert stack.tokens["police"] in process.printed()


def test_secrets_are_not_on_any_command_line(running: tuple[Path, UpProcess]) -> None:
    """Every local user can read every command line."""
    data, process = running
    secrets = {*read_stack(data).kafka.users.values(), read_stack(data).mongo}
    lines = [" ".join(c.cmdline()) for c in psutil.Process(process.pid).children(recursive=True)]
    assert len(lines) >= len(_PARTS)
    assert not [line for line in lines for secret in secrets if secret in line]


def test_tokens_are_those_of_the_issuer(running: tuple[Path, UpProcess]) -> None:
    """Discovery leads to the key set, which verifies the ready-made and newly made tokens."""
    data, _ = running
    stack = read_stack(data)
    found = httpx.get(f"{stack.issuer}/.well-known/openid-configuration").json()
    assert found["issuer"] == stack.issuer
    keys = KeySet.import_key_set(httpx.get(found["jwks_uri"]).json())
    made = issuer_of(data).mint("coordinator", sub="someone", zone="elsewhere")
    for token, sub, zone in (
        (stack.tokens["police"], "officer-1", "demo"),
        (stack.tokens["admin"], "admin-1", None),
        (made, "someone", "elsewhere"),
    ):
        claims = jwt.decode(token, keys, algorithms=["Ed25519"]).claims
        assert (claims["sub"], claims.get("zone")) == (sub, zone)
        assert (claims["iss"], claims["aud"]) == (stack.issuer, AUDIENCE)
    municipality = jwt.decode(stack.tokens["municipality"], keys, algorithms=["Ed25519"]).claims
    assert municipality["municipality"] == "44021"


def test_a_second_up_says_so_and_ends(running: tuple[Path, UpProcess]) -> None:
    """It names the process that runs, changes nothing, and exits with 1."""
    data, process = running
    before = read_stack(data)
    second = UpProcess(data)
    assert second.wait() == 1
    assert "already runs" in second.printed()
    assert str(process.pid) in second.printed()
    assert read_stack(data) == before
    assert answers(kafka_user(before, "operator"))


@pytest.mark.parametrize("part", _PARTS)
def test_a_killed_part_is_back_in_five_seconds(running: tuple[Path, UpProcess], part: str) -> None:
    """Under a new pid, which the file then tells, at the same address, and in working order."""
    data, _ = running
    before = read_stack(data)
    psutil.Process(before.pids[part]).kill()
    took = _until(lambda: read_stack(data).pids[part] != before.pids[part], 60)
    after = read_stack(data)
    assert answers(kafka_user(after, "operator"))
    with MongoClient[dict[str, Any]](after.mongo) as client:
        client["registry"]["things"].insert_one({})
    assert httpx.get(f"{after.sandbox}/readyz").status_code == 200
    assert took < limit(5)
    assert after.model_copy(update={"pids": before.pids}) == before


def test_a_police_client_is_added_to_the_file(running: tuple[Path, UpProcess]) -> None:
    """It stays there when the supervisor rewrites the file, and goes when it is revoked."""
    data, _ = running
    stack = read_stack(data)
    password = add_police_client(kafka_user(stack, "operator"), "other")
    add_kafka_user(data, "police-other", password)
    before = read_stack(data).pids["sandbox"]
    psutil.Process(before).kill()
    _until(lambda: read_stack(data).pids["sandbox"] != before, 60)
    assert answers(kafka_user(read_stack(data), "police-other"))
    remove_kafka_user(data, "police-other")
    assert "police-other" not in read_stack(data).kafka.users


def test_everything_is_kept_over_a_restart(tmp_path: Path) -> None:
    """Addresses, secrets, topics and documents are the same; Ctrl-C leaves no process behind."""
    data = tmp_path / "stack"
    first = UpProcess(data)
    before = wait_ready(data)
    create_topic(kafka_user(before, "operator"), Topic("kept", "k", (), (), "", ALERTS.retention))
    with MongoClient[dict[str, Any]](before.mongo) as client:
        client["registry"]["things"].insert_one({"_id": 1})
    key = (data / "log.pub.pem").read_bytes()
    assert first.interrupt() == 0
    assert alive([first.pid, *before.pids.values()]) == []
    with pytest.raises(NoStackError):
        read_stack(data)

    began = time.monotonic()
    second = UpProcess(data)
    after = wait_ready(data)
    try:
        assert time.monotonic() - began < limit(10)
        changed = {"pids": before.pids, "tokens": before.tokens}
        assert after.model_copy(update=changed) == before
        assert (data / "log.pub.pem").read_bytes() == key
        topics = _topics(kafka_user(after, "operator"))
        assert "kept" in topics
        with MongoClient[dict[str, Any]](after.mongo) as client:
            assert client["registry"]["things"].find_one() == {"_id": 1}
    finally:
        assert second.terminate() == 0
    assert alive([second.pid, *after.pids.values()]) == []


def _topics(operator: Any) -> set[str]:
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    from deploy.kafka_admin import client_settings  # noqa: PLC0415

    return set(AdminClient(client_settings(operator)).list_topics(timeout=10).topics)


def test_a_killed_up_leaves_no_process_behind(tmp_path: Path) -> None:
    """Whatever happens to the supervisor, its parts end with it, and the folder is free again."""
    data = tmp_path / "stack"
    process = UpProcess(data)
    stack = wait_ready(data)
    process.kill()
    _until(lambda: alive(list(stack.pids.values())) == [], 5)
    again = UpProcess(data)
    began = time.monotonic()
    while read_stack_or_none(data) in {None, stack.model_dump_json()}:
        assert time.monotonic() - began < timedelta(seconds=30).total_seconds()
        time.sleep(0.05)
    assert again.interrupt() == 0


def read_stack_or_none(data: Path) -> str | None:
    """Give what the file says, if it is there."""
    try:
        return read_stack(data).model_dump_json()
    except NoStackError:
        return None


def test_ctrl_c_during_the_start_ends_what_was_started(tmp_path: Path) -> None:
    """Nothing is left half-started."""
    data = tmp_path / "stack"
    process = UpProcess(data)
    _until(lambda: len(psutil.Process(process.pid).children()) >= 2, 20)
    children = [child.pid for child in psutil.Process(process.pid).children()]
    assert process.interrupt() == 0
    assert alive([process.pid, *children]) == []


def test_a_port_that_someone_else_took_is_named(tmp_path: Path) -> None:
    """Addresses are promised to stay; where one cannot, `up` says which and ends."""
    data = private_folder(tmp_path / "stack")
    ports = stable_ports(data / "ports.json", ["sandbox"])
    with socket.create_server((LOOPBACK, ports["sandbox"])):
        process = UpProcess(data)
        assert process.wait() == 1
    assert f"port {ports['sandbox']}" in process.printed()
    assert "Traceback" not in process.printed()
