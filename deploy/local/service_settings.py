"""The settings of the three services on one machine, as environment variables."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from deploy.local.issuer import AUDIENCE, Issuer
from deploy.local.ports import LOOPBACK
from deploy.local.sandbox.settings import Account
from deploy.local.vault import Vault

SERVICES = ("registry", "dispatcher", "audit")

LIVE_ACCOUNT = "AC" + "1" * 32
"""The sandbox account that stands for the real provider."""

TEST_ACCOUNT = "AC" + "2" * 32
"""The sandbox account that messages with status `test` go to, everywhere."""

_SENDER = "no-reply@bin.example"
_BOUNCES = "bounces@bin.example"

_SEGMENT_PRICE = "0.08"
"""In euro; previews and yearly figures must not differ."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the services are told about the rest of the stack."""

    kafka_bootstrap: str
    kafka_passwords: dict[str, str]
    mongo_urls: dict[str, str]
    issuer: Issuer
    sandbox_url: str
    smtp_port: int
    ports: dict[str, int]
    vault: Vault

    def service_url(self, service: str) -> str:
        """Give the URL that a service listens on."""
        return f"http://{LOOPBACK}:{self.ports[service]}"


def environment(service: str, around: Surroundings) -> dict[str, str]:
    """Give all environment variables of one service."""
    settings = {
        **_common(service, around),
        **(_registry() if service == "registry" else {}),
        **(_dispatcher(around) if service == "dispatcher" else {}),
        **(_audit(around) if service == "audit" else {}),
    }
    return {f"BUURTBODE_{name}": value for name, value in settings.items()}


def sandbox_environment(around: Surroundings, folder: Path) -> dict[str, str]:
    """Give all environment variables of the sandbox; `folder` is where its journals are kept."""
    played = [
        {
            "sid": account.sid,
            "auth_token": account.auth_token.get_secret_value(),
            "inbound_url": str(account.inbound_url),
        }
        for account in accounts(around)
    ]
    settings = {
        "FOLDER": str(folder),
        "HTTP_PORT": around.sandbox_url.rpartition(":")[2],
        "SMTP_PORT": str(around.smtp_port),
        "BOUNCES_PORT": str(around.ports["bounces"]),
        "ACCOUNTS": orjson.dumps(played).decode(),
        "ISSUER_KEY": str(around.issuer.key_file),
    }
    return {f"BUURTBODE_SANDBOX_{name}": value for name, value in settings.items()}


def accounts(around: Surroundings) -> list[Account]:
    """Give the accounts that the sandbox plays for the dispatcher."""
    dispatcher = around.service_url("dispatcher")
    return [
        Account.model_validate(
            {
                "sid": sid,
                "auth_token": around.vault.password(f"{name}-auth"),
                "inbound_url": f"{dispatcher}/v1/inbound/twilio/{_callback(around, name)}",
            }
        )
        for name, sid in (("twilio", LIVE_ACCOUNT), ("test-twilio", TEST_ACCOUNT))
    ]


def _callback(around: Surroundings, name: str) -> str:
    return around.vault.password(f"{name}-callback")


def _common(service: str, around: Surroundings) -> dict[str, str]:
    return {
        "KAFKA__BOOTSTRAP": around.kafka_bootstrap,
        "KAFKA__USER": service,
        "KAFKA__PASSWORD": around.kafka_passwords[service],
        "KAFKA__PROTOCOL": "SASL_PLAINTEXT",
        # a killed service is back in a second or two; its partitions should not be idle for ten
        "KAFKA__SESSION_TIMEOUT": "PT3S",
        "MONGO__URL": around.mongo_urls[service],
        "MONGO__DATABASE": service,
        "OIDC__ISSUER": around.issuer.url,
        "OIDC__AUDIENCE": AUDIENCE,
        "OIDC__JWKS_URL": around.issuer.jwks_url,
        "HTTP__HOST": LOOPBACK,
        "HTTP__PORT": str(around.ports[service]),
        "PSEUDONYM_KEYS": str(around.vault.pseudonym_keys),
    }


def _registry() -> dict[str, str]:
    prices = [{"since": "2026-01-01", "per_segment": _SEGMENT_PRICE}]
    return {"SEGMENT_PRICES": orjson.dumps(prices).decode()}


def _dispatcher(around: Surroundings) -> dict[str, str]:
    twilio = {
        f"{prefix}__{name}": value
        for prefix, label, sid in (
            ("TWILIO", "twilio", LIVE_ACCOUNT),
            ("TEST_TWILIO", "test-twilio", TEST_ACCOUNT),
        )
        for name, value in {
            "ACCOUNT_SID": sid,
            "AUTH_TOKEN": around.vault.password(f"{label}-auth"),
            "API_URL": around.sandbox_url,
            "CALLBACK_TOKEN": _callback(around, label),
            "TIMEOUT": "PT5S",
        }.items()
    }
    smtp = {
        f"{prefix}__{name}": value
        for prefix in ("SMTP", "TEST_SMTP")
        for name, value in {
            "HOST": LOOPBACK,
            "PORT": str(around.smtp_port),
            "ENCRYPTION": "none",
            "SENDER": _SENDER,
        }.items()
    }
    return {
        **twilio,
        **smtp,
        "BOUNCES__ADDRESS": _BOUNCES,
        "BOUNCES__HOST": LOOPBACK,
        "BOUNCES__PORT": str(around.ports["bounces"]),
        "PUBLIC_URL": around.service_url("dispatcher"),
        "REGISTRY_URL": around.service_url("registry"),
        "SEGMENT_PRICE": _SEGMENT_PRICE,
        # the sandbox answers at once: what a killed dispatcher left open is soon settled
        "LEASE": "PT10S",
    }


def _audit(around: Surroundings) -> dict[str, str]:
    return {"SIGNING_KEY": str(around.vault.signing_key("log"))}
