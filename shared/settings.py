"""Settings that every service needs; each service's own class adds to these.

Read from environment variables with the prefix `BUURTBODE_` (nested names with `__`), for
instance `BUURTBODE_KAFKA__BOOTSTRAP`. Secrets have no defaults: a service without them does not
start, and says which one is missing.
"""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import AnyHttpUrl, BaseModel, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    """Where the service listens, and how the outside world calls it."""

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: AnyHttpUrl
    """The URL that links in mails and the provider's callbacks start with; no trailing slash."""


class ServiceSettings(BaseSettings):
    """What the three services have in common."""

    model_config = SettingsConfigDict(env_prefix="BUURTBODE_", env_nested_delimiter="__")

    kafka: KafkaSettings
    mongo: MongoSettings
    oidc: OidcSettings
    http: HttpSettings
    pseudonym_keys: Path
    """The key ring of recipient pseudonyms: a file that only `buurtbode pseudonyms` writes."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
