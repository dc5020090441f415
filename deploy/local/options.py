"""What `buurtbode up` was asked for."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr

from deploy.kafka_admin import OPERATOR
from deploy.local.service_settings import SERVICES
from shared.settings import KafkaSettings

PASSWORD_VARIABLE = "BUURTBODE_KAFKA_PASSWORD"


class BadOptionError(ValueError):
    """An option that cannot be used; the message says what it should be."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """`data` is the stack's folder; `kafka` and `mongo` name servers that are already there."""

    data: Path
    kafka: str | None = None
    """`[user:password@]host:port` of a cluster with SCRAM and ACLs, as its superuser."""

    mongo: str | None = None
    """The URL of a replica set, with a user who may make users, or of one without users."""

    services: tuple[str, ...] = SERVICES
    """Which services to start; a test may want fewer."""


def external_operator(kafka: str) -> KafkaSettings:
    """Read `--kafka`; the password may come from the variable `BUURTBODE_KAFKA_PASSWORD` instead.

    Raises `BadOptionError`.
    """
    login, _, address = kafka.rpartition("@")
    user, _, password = login.partition(":")
    password = password or os.environ.get(PASSWORD_VARIABLE, "")
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdigit()):
        message = "--kafka wants host:port, or user:password@host:port"
        raise BadOptionError(message)
    if not password:
        message = (
            "--kafka needs the password of the cluster's superuser:"
            f" user:password@host:port, or {PASSWORD_VARIABLE} for user `{OPERATOR}`"
        )
        raise BadOptionError(message)
    return KafkaSettings(
        bootstrap=address,
        user=user or OPERATOR,
        password=SecretStr(password),
        protocol="SASL_PLAINTEXT",
    )


def as_user(url: str, user: str, password: str) -> str:
    """Give a MongoDB URL for another user; one without users stays as it is."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    if not (login and at):
        return url
    query = [item for item in parts.query.split("&") if item and not item.startswith("authSource=")]
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{hosts}"
    return urlunsplit(
        (parts.scheme, netloc, parts.path or "/", "&".join([*query, "authSource=admin"]), "")
    )
