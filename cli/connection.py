"""How a command finds the services and the cluster: a stack's file, and the environment.

`--stack` names a folder with `stack.json`, which `buurtbode up` writes, or a file of that shape
that an administrator hands out. Environment variables go before it, so that a script needs no
file: `BUURTBODE_REGISTRY`, `BUURTBODE_DISPATCHER`, `BUURTBODE_AUDIT` (URLs), `BUURTBODE_TOKEN`,
and `BUURTBODE_KAFKA` (host:port), `BUURTBODE_KAFKA_PASSWORD`, `BUURTBODE_KAFKA_PROTOCOL`,
`BUURTBODE_KAFKA_CA_FILE`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from cli.api import TIMEOUT_S, Api
from cli.failures import CommandError, cannot_read
from shared.settings import KafkaSettings
from shared.topics import Party

STACK_FILE = "stack.json"
_DEFAULT_FOLDER = Path("data")
_PREFIX = "BUURTBODE_"

Service = Literal["registry", "dispatcher", "audit"]
SERVICES: tuple[Service, ...] = ("registry", "dispatcher", "audit")

Protocol = Literal["SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512"]

StackOption = Annotated[
    Path | None,
    typer.Option(
        "--stack",
        envvar="BUURTBODE_STACK",
        help="Where to find the services: the folder that 'buurtbode up --data' made, or a file "
        "of addresses that your administrator gave you. [default: ./data, if it is there]",
        show_default=False,
    ),
]


class KafkaAccess(BaseModel):
    """The cluster, and the passwords of the users that the holder of the file may be."""

    model_config = ConfigDict(extra="ignore")

    bootstrap: str
    protocol: Protocol = "SASL_SSL"
    mechanism: Mechanism = "SCRAM-SHA-256"
    ca_file: Path | None = None
    users: dict[str, str] = {}


class StackFile(BaseModel):
    """The shape of `stack.json`; a handed-out file may leave out what its holder has no use for."""

    model_config = ConfigDict(extra="ignore")

    registry: str | None = None
    dispatcher: str | None = None
    audit: str | None = None
    sandbox: str | None = None
    issuer: str | None = None
    kafka: KafkaAccess | None = None
    tokens: dict[str, str] = {}
    pids: dict[str, int] = Field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything that a command may connect to."""

    file: StackFile
    path: Path | None
    """The file that was read; None where everything comes from the environment."""

    environment: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Give the stack's folder. Raises `CommandError` where there is none."""
        if self.path is None or self.path.name != STACK_FILE:
            message = "this needs the folder of a local stack: name it with --stack DIR"
            raise CommandError(message)
        return self.path.parent

    def url(self, service: Service) -> str:
        """Give a service's URL without a trailing slash. Raises `CommandError`."""
        found = self._variable(service.upper()) or getattr(self.file, service)
        if not found:
            message = (
                f"where is the {service}? Name the stack with --stack, or set "
                f"{_PREFIX}{service.upper()} to its URL"
            )
            raise CommandError(message)
        return str(found).rstrip("/")

    def sandbox(self) -> str:
        """Give the URL of the local stack's SMS and mail sandbox. Raises `CommandError`."""
        if self.file.sandbox is None:
            message = "there is no sandbox here: only a stack started with 'buurtbode up' has one"
            raise CommandError(message)
        return self.file.sandbox.rstrip("/")

    def token(self, name: str) -> str:
        """Give the bearer token of a role, such as `police`. Raises `CommandError`."""
        found = self._variable("TOKEN") or self.file.tokens.get(name)
        if not found:
            message = (
                f"no token for role {name}: set {_PREFIX}TOKEN, or make one with "
                f"'buurtbode token --role {name}'"
            )
            raise CommandError(message)
        return found

    def api(self, service: Service, role: str, timeout: float = TIMEOUT_S) -> Api:
        """Give a service as somebody with a role calls it. Raises `CommandError`.

        `timeout` is how many seconds an answer may take.
        """
        return Api(service, self.url(service), self.token(role), timeout=timeout)

    def kafka(self, user: str) -> KafkaSettings:
        """Give the connection of a Kafka user, such as `police-demo`. Raises `CommandError`."""
        bootstrap = self._variable("KAFKA")
        access = self.file.kafka or (KafkaAccess(bootstrap=bootstrap) if bootstrap else None)
        if access is None:
            message = f"where is Kafka? Name the stack with --stack, or set {_PREFIX}KAFKA"
            raise CommandError(message)
        password = self._variable("KAFKA_PASSWORD") or access.users.get(user)
        if not password:
            message = (
                f"no password for the Kafka user {user}: {_maker(user)}, and you set "
                f"{_PREFIX}KAFKA_PASSWORD"
            )
            raise CommandError(message)
        protocol = self._variable("KAFKA_PROTOCOL") or access.protocol
        ca_file = self._variable("KAFKA_CA_FILE") or access.ca_file
        try:
            return KafkaSettings.model_validate(
                {
                    "bootstrap": bootstrap or access.bootstrap,
                    "user": user,
                    "password": SecretStr(password),
                    "protocol": protocol,
                    "mechanism": access.mechanism,
                    "ca_file": ca_file,
                }
            )
        except ValidationError:
            message = f"{_PREFIX}KAFKA_PROTOCOL is SASL_SSL or SASL_PLAINTEXT"
            raise CommandError(message) from None

    def _variable(self, name: str) -> str | None:
        return self.environment.get(_PREFIX + name) or None


def _maker(user: str) -> str:
    if user == Party.WITNESS:
        return "an operator makes it with 'buurtbode client add --witness'"
    kind, _, zone = user.partition("-")
    if kind == Party.POLICE and zone:
        return f"an operator makes it with 'buurtbode client add --zone {zone}'"
    return "whoever set up the cluster has it"


def connect(stack: Path | None, environment: Mapping[str, str] | None = None) -> Connection:
    """Read the stack's file, where one is named or lies in ./data. Raises `CommandError`."""
    variables = os.environ if environment is None else environment
    path = _stack_file(stack)
    if path is None:
        return Connection(StackFile(), None, variables)
    try:
        return Connection(StackFile.model_validate_json(path.read_bytes()), path, variables)
    except OSError as error:
        message = f"{cannot_read(path, error)}: is the stack up, and is it yours?"
        raise CommandError(message) from None
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        message = f"{path} is not a stack's file: look at {where or 'its JSON'}"
        raise CommandError(message) from None


def _stack_file(stack: Path | None) -> Path | None:
    if stack is None:
        default = _DEFAULT_FOLDER / STACK_FILE
        return default if default.is_file() else None
    return stack / STACK_FILE if stack.is_dir() or stack.suffix != ".json" else stack
