"""The sandbox's settings, read from `BUURTBODE_SANDBOX_...` variables."""

from datetime import timedelta
from pathlib import Path

from pydantic import AnyHttpUrl, BaseModel, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.ports import LOOPBACK


class Account(BaseModel):
    """One Twilio account that the sandbox plays."""

    sid: str
    auth_token: SecretStr
    inbound_url: AnyHttpUrl | None = None
    """Where a reply from a phone is posted, when someone plays one."""


class SandboxSettings(BaseSettings):
    """Everything the sandbox needs to start."""

    model_config = SettingsConfigDict(env_prefix="BUURTBODE_SANDBOX_", env_nested_delimiter="__")

    folder: Path
    """Where the journals of accepted messages are kept."""

    http_port: int
    smtp_port: int
    accounts: list[Account]
    issuer_key: Path
    """PEM file (PKCS 8, Ed25519) that signs the tokens; only its public half is given out."""

    host: str = LOOPBACK
    sent_after: timedelta = timedelta(milliseconds=50)
    """From acceptance to the status `sent`."""

    delivered_after: timedelta = timedelta(milliseconds=250)
    """From `sent` to `delivered` or `undelivered`; and from a mail's acceptance to its report."""

    callback_again_after: timedelta = timedelta(seconds=1)
    """From a callback that met nobody to the one other try."""

    bounces_port: int | None = None
    """Where reports of mails that did not arrive are handed over by LMTP."""

    concurrent_requests: int = 200
    """Requests per account at one time; Twilio answers 429 to more."""

    messages_per_second: int | None = None
    """Messages per account and second; 429 to more. Twilio itself queues, so none by default."""
