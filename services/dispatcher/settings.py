"""The dispatcher's settings: the providers it sends through, and its limits."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, BaseModel, EmailStr, Field, SecretStr, model_validator

from shared.settings import ServiceSettings

_LEASE_MARGIN = timedelta(seconds=2)


class TwilioSettings(BaseModel):
    """One Twilio account, or the sandbox that speaks the same API."""

    account_sid: str
    auth_token: SecretStr
    api_url: AnyHttpUrl = AnyHttpUrl("https://api.twilio.com")
    messaging_service_sid: str | None = None
    """Where set, Twilio picks the sender; otherwise the network's sender name is used."""

    callback_token: SecretStr
    """The unguessable last part of the receipts and inbound URLs."""

    concurrency: int = 100
    messages_per_second: float = 100.0
    """The token bucket of the account."""

    sender_messages_per_second: float | None = None
    """The token bucket of each number or name that sends, where the provider limits each (a long
    code sends 1 a second); ignored with a messaging service, which spreads by itself."""

    timeout: timedelta = timedelta(seconds=15)
    """From the first byte written to the whole answer; well below the lease."""


class SmtpSettings(BaseModel):
    """The mail submission server."""

    host: str
    port: int = 587
    encryption: Literal["none", "starttls", "tls"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    sender: EmailStr
    """The address in From and the envelope, for instance `no-reply@bin.example`."""

    connections: int = 10
    messages_per_second: float = 200.0
    final_dot_timeout: timedelta = timedelta(minutes=10)
    """RFC 5321, 4.5.3.2.6: at least 10 minutes, or an accepted mail is taken for lost."""


class BounceSettings(BaseModel):
    """Where bounces come back to. The mail server hands what is for the address over by LMTP."""

    address: EmailStr
    """Such as `bounces@bin.example`; return paths are then `bounces+ATTEMPT@bin.example`."""

    host: str = "127.0.0.1"
    port: int = 2424


class DispatcherSettings(ServiceSettings):
    """Everything the dispatcher needs to start."""

    twilio: TwilioSettings
    smtp: SmtpSettings
    test_twilio: TwilioSettings
    """Where messages with status `test` go: never the real provider."""

    test_smtp: SmtpSettings
    bounces: BounceSettings | None = None
    """Where unset, mails bounce to their sender's address, and nobody here hears of it."""

    lease: timedelta = timedelta(seconds=60)
    """How long a claimed send belongs to one process, on the database's clock."""

    public_url: AnyHttpUrl
    """How the outside world calls this service: the provider's callbacks lead there."""

    registry_url: AnyHttpUrl
    """The registry's public URL: links in notices and unsubscribe links lead there."""

    desk_url: AnyHttpUrl | None = None
    """Where coordinators and officers work in a browser: links in notices to them lead there, by
    the registry's own paths (`/networks/...`). Where unset, to the registry's interface."""

    segment_price: Decimal | None = None
    """What an SMS segment costs, in euro; previews show a cost where it is set."""

    max_segments: int = 3
    """An SMS that needs more segments than this is refused at judging."""

    second_attempt_after: timedelta = timedelta(seconds=60)
    """How long a warm send stays `unknown` before its one flagged second attempt."""

    reconcile_after: timedelta = timedelta(seconds=5)
    """How long after a send became `unknown` the provider is asked for the first time."""

    receipt_wait: timedelta = timedelta(minutes=10)
    """How long after its expiry an accepted SMS waits for its receipt before it is asked for."""

    close_after: timedelta = timedelta(hours=24)
    """How long after expiry (of a bulletin: after its release) a message is closed as it stands."""

    close_again_after: timedelta = timedelta(seconds=30)
    """How long late changes are gathered before they become another closing revision."""

    destinations_kept_for: timedelta = timedelta(days=90)
    """How long after a message's closing statement its destinations and its text are kept here."""

    coverage_threshold: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Which share of a warm message's sends must be accepted in time; below it is an alarm."""

    coverage_within: timedelta = timedelta(seconds=60)
    """What "in time" is, from the verdict on."""

    job_interval: timedelta = timedelta(seconds=1)
    """How often the jobs look for work of which nobody told them."""

    @model_validator(mode="after")
    def _leases_outlast_attempts(self) -> Self:
        """Refuse a lease within which an attempt may still run: it would be taken for dead."""
        for account in (self.twilio, self.test_twilio):
            if account.timeout + _LEASE_MARGIN > self.lease:
                message = "lease: must be at least 2 s longer than the Twilio time-out"
                raise ValueError(message)
        return self
