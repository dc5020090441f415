"""Settings that every service needs; each service's own class adds to these.

Read from environment variables with the prefix `BUURTBODE_` (nested names with `__`), for
instance `BUURTBODE_KAFKA__BOOTSTRAP`. Secrets have no defaults: a service without them does not
start, and says which one is missing.
"""

from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import AnyHttpUrl, BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

_PREFIX = "BUURTBODE_"
_NESTED = "__"


class UnusableSettingsError(Exception):
    """The settings do not let a service start; the text names each variable, and no secret."""


class KafkaSettings(BaseModel):
    """How to reach the Kafka cluster, as one SASL user."""

    bootstrap: str
    user: str
    password: SecretStr
    protocol: Literal["SASL_PLAINTEXT", "SASL_SSL"] = "SASL_SSL"
    mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-256"
    ca_file: Path | None = None
    """PEM file of the authority that signed the brokers' certificates; None uses the system's."""

    session_timeout: timedelta = timedelta(seconds=10)
    """How long a silent consumer keeps its partitions before another process takes them."""


class MongoSettings(BaseModel):
    """How to reach the service's own database. The URL carries the user and password."""

    url: SecretStr
    database: str
    pool: int = 50
    """Connections; keep operations in flight within it (beyond it, some tasks starve)."""


class OidcSettings(BaseModel):
    """Whose tokens are accepted. Algorithms are pinned here, never taken from the token."""

    issuer: str
    audience: str
    jwks_url: AnyHttpUrl
    algorithms: tuple[Literal["EdDSA", "Ed25519", "ES256", "RS256"], ...] = ("EdDSA", "Ed25519")


class HttpSettings(BaseModel):
    """Where the service listens."""

    host: str = "127.0.0.1"
    port: int = 8000


class ServiceSettings(BaseSettings):
    """What the three services have in common."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_nested_delimiter=_NESTED)

    kafka: KafkaSettings
    mongo: MongoSettings
    oidc: OidcSettings
    http: HttpSettings = HttpSettings()
    pseudonym_keys: Path
    """The key ring of recipient pseudonyms: a file that only `buurtbode pseudonyms` writes."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"


_Settings = TypeVar("_Settings", bound=ServiceSettings)


def read_settings(kind: type[_Settings]) -> _Settings:
    """Read a service's settings from the environment; raises `UnusableSettingsError`.

    pydantic's own error quotes what it was given, passwords too, so it goes no further than here.
    """
    try:
        return kind()  # pyright: ignore[reportCallIssue] - from the environment
    except ValidationError as error:
        problem = _explain(kind, error)
    except SettingsError as error:  # names the field; only its cause quotes the value
        problem = str(error)
    raise UnusableSettingsError(problem)


def _explain(kind: type[BaseModel], error: ValidationError) -> str:
    missing: list[str] = []
    wrong: list[str] = []
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        path = tuple(part for part in found["loc"] if isinstance(part, str))
        if found["type"] == "missing":
            missing += [_variable(leaf) for leaf in _required(kind, path)]
        elif path:
            wrong.append(f"{_variable(path)}: {found['msg']}")
        else:
            wrong.append(found["msg"])
    sentences = [f"set {', '.join(missing)}"] if missing else []
    return "; ".join([*sentences, *wrong])


def _variable(path: tuple[str, ...]) -> str:
    return _PREFIX + _NESTED.join(path).upper()


def _required(kind: type[BaseModel], path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Give the setting at `path`; of a group of settings, everything in it that has no default."""
    group = kind
    for name in path:
        annotation = group.model_fields[name].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return [path]
        group = annotation
    required = [name for name, field in group.model_fields.items() if field.is_required()]
    return [leaf for name in required for leaf in _required(kind, (*path, name))]
