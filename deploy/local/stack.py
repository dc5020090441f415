"""`stack.json`: where everything of a running local stack is, and with which secrets."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from deploy.local.files import write_private
from deploy.local.issuer import Issuer
from deploy.local.vault import Vault

STACK_FILE = "stack.json"
ISSUER_KEY = "issuer"


class NoStackError(Exception):
    """No stack runs in this folder, or none became ready in time."""


class KafkaInfo(BaseModel):
    """How to reach Kafka; `users` are those an outsider may be, with their passwords."""

    bootstrap: str
    protocol: Literal["SASL_PLAINTEXT", "SASL_SSL"] = "SASL_PLAINTEXT"
    mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-256"
    users: dict[str, str]


class Stack(BaseModel):
    """What `stack.json` says. URLs have no slash at their end; `mongo` carries a password."""

    registry: str
    dispatcher: str
    audit: str
    sandbox: str
    issuer: str
    mongo: str
    kafka: KafkaInfo
    tokens: dict[str, str]
    pids: dict[str, int]


def read_stack(data: Path) -> Stack:
    """Read `stack.json`; raises `NoStackError` when no stack runs there."""
    try:
        return Stack.model_validate_json((data / STACK_FILE).read_bytes())
    except (FileNotFoundError, ValidationError) as problem:
        message = f"no local stack runs in {data}: start one with `buurtbode up --data {data}`"
        raise NoStackError(message) from problem


def write_stack(data: Path, stack: Stack) -> None:
    """Replace the file, in one step, readable by its owner only."""
    write_private(data / STACK_FILE, stack.model_dump_json(indent=1))


def add_kafka_user(data: Path, user: str, password: str) -> None:
    """Add a Kafka user to the file and to what a restarted stack will say."""
    _change_user(data, user, password)


def remove_kafka_user(data: Path, user: str) -> None:
    """Take a Kafka user out again."""
    _change_user(data, user, None)


def issuer_of(data: Path) -> Issuer:
    """Give the token issuer of the stack that runs in this folder; raises `NoStackError`."""
    return Issuer(read_stack(data).issuer, Vault(data / "secrets").signing_key(ISSUER_KEY))


@contextmanager
def locked(data: Path) -> Generator[None]:
    """Let one process at a time change the file."""
    with (data / ".stack.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _change_user(data: Path, user: str, password: str | None) -> None:
    with locked(data):
        stack = read_stack(data)
        Vault(data / "secrets").keep_kafka_user(user, password)
        stack.kafka.users.pop(user, None)
        if password is not None:
            stack.kafka.users[user] = password
        write_stack(data, stack)
