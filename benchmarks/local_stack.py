"""How soon the local stack is ready, and how soon a killed server of it is back.

The limits are those promised to who runs it: ready in 10 s once everything is fetched, a server
back in 5 s. Beside each stands the bare server without a stack around it: killed, started again at
once, and waited for until a client gets its answer.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.kafka_admin import answers
from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_properties import KafkaPorts, KafkaSecrets
from deploy.local.kafka_runtime import kafka_runtime
from deploy.local.mongod import Mongod, MongoSecrets
from deploy.local.ports import stable_ports
from deploy.local.stack import NoStackError, read_stack
from tests.support.stacks import kafka_user, wait_ready

TITLE = "Local stack: ready, and back after a kill"
ROUNDS = 5
READY_LIMIT_S, BACK_LIMIT_S = 10.0, 5.0
_ROOT = Path(__file__).parents[1]
_PATIENCE_S = 60.0
_ASK_S = 0.5
"""How long one question to Kafka may take: it bounds how exactly its return is seen."""


class _Server(Protocol):
    """A server that runs by itself."""

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def stop(self) -> None: ...


def measure() -> list[str]:
    """Start a stack again and again, kill its servers in turns with bare ones, and give a table."""
    kafka_runtime()  # fetched now where it was not: the limit holds for what is here
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "stack"
        first = _ready(data, ROUNDS)
        again = [_ready_again(data) for _ in range(ROUNDS)]
        rows = [_row("empty folder, until all services are ready", first, READY_LIMIT_S)]
        rows.append(_row("kept folder, until all services are ready", again, READY_LIMIT_S))
        rows += _kills(data, Path(folder) / "bare")
    return [
        f"{ROUNDS} rounds each; seconds.",
        "",
        "| | median | lowest | highest | limit | highest in proportion to the limit |",
        "|---|---|---|---|---|---|",
        *rows,
    ]


def _row(name: str, seconds: list[float], limit: float) -> str:
    middle, low, high = statistics.median(seconds), min(seconds), max(seconds)
    return f"| {name} | {middle:.1f} | {low:.1f} | {high:.1f} | {limit:.0f} | {high / limit:.2f} |"


def _start(data: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "up", "--data", str(data)],
        cwd=_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.send_signal(signal.SIGTERM)
    child.wait(60)


def _ready(data: Path, rounds: int) -> list[float]:
    """Measure on fresh folders; the last round leaves its folder as `data`."""
    places = [*(data.with_name(f"fresh-{number}") for number in range(rounds - 1)), data]
    return [_ready_again(place) for place in places]


def _ready_again(data: Path) -> float:
    began = time.perf_counter()
    child = _start(data)
    try:
        wait_ready(data, timedelta(seconds=_PATIENCE_S))
        return time.perf_counter() - began
    finally:
        _end(child)


def _kills(data: Path, bare: Path) -> list[str]:
    stack: dict[str, list[float]] = {"kafka": [], "mongod": []}
    alone: dict[str, list[float]] = {"kafka": [], "mongod": []}
    servers = _bare_servers(bare)
    child = _start(data)
    try:
        wait_ready(data, timedelta(seconds=_PATIENCE_S))
        for server, _ in servers.values():
            server.start()
        for _ in range(ROUNDS):
            for name, (server, replies) in servers.items():
                stack[name].append(_killed_in_the_stack(data, name))
                alone[name].append(_killed_alone(server, replies))
    finally:
        for server, _ in servers.values():
            server.stop()
        _end(child)
    return [
        row
        for name in servers
        for row in (
            _row(f"{name} killed in the stack, until it answers", stack[name], BACK_LIMIT_S),
            _row(f"{name} killed alone, until it answers", alone[name], BACK_LIMIT_S),
        )
    ]


def _bare_servers(folder: Path) -> dict[str, tuple[_Server, Callable[[], bool]]]:
    folder.mkdir()
    ports = stable_ports(folder / "ports.json", ("client", "internal", "controller", "mongod"))
    mongo_port = ports.pop("mongod")
    broker = KafkaBroker(
        folder / "kafka", kafka_runtime(), KafkaPorts(**ports), KafkaSecrets("broker", "operator")
    )
    mongod = Mongod(folder / "mongod", mongo_port, MongoSecrets("admin", {}))
    return {
        "kafka": (broker, lambda: answers(broker.operator, _ASK_S)),
        "mongod": (mongod, lambda: _writes(mongod.admin_url)),
    }


def _killed_in_the_stack(data: Path, name: str) -> float:
    stack = read_stack(data)
    operator, old = kafka_user(stack, "operator"), stack.pids[name]
    began = time.perf_counter()
    os.kill(old, signal.SIGKILL)
    replies = (
        (lambda: answers(operator, _ASK_S)) if name == "kafka" else (lambda: _writes(stack.mongo))
    )
    _wait(lambda: not _runs(old) and replies())
    took = time.perf_counter() - began
    _wait(lambda: _pid(data, name) not in (None, old))
    time.sleep(5)  # the services come back to rest before the next kill
    return took


def _killed_alone(server: _Server, replies: Callable[[], bool]) -> float:
    began = time.perf_counter()
    server.kill()
    server.start()
    _wait(replies)
    return time.perf_counter() - began


def _runs(pid: int) -> bool:
    """Say whether a process still runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _pid(data: Path, name: str) -> int | None:
    try:
        return read_stack(data).pids.get(name)
    except NoStackError:
        return None


def _writes(url: str) -> bool:
    """Say whether the database acknowledges a majority write."""
    try:
        with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=200) as client:
            client["benchmark"]["alive"].insert_one({})
    except PyMongoError:
        return False
    return True


def _wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            message = "the stack is not back"
            raise TimeoutError(message)
        time.sleep(0.02)
