"""SMS by Twilio's SDK, with an HTTP client of our own under it.

The SDK's own asynchronous client ignores its time-out, posts again on a 500, and its session is
capped below our concurrency (twilio-python #925); so ours has one bounded session, real time-outs
and no retries. `Message.create` has no idempotency key: once a request may have been written, only
an answer tells whether there is a message.

A message is created by the SDK's own `Client.request_async`, and of the answer only the id is
read: the SDK's resource classes above it cost 0.11 ms a message, nine tenths of its share.
Questions about messages, which are rare, use those classes.
"""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Self, cast
from urllib.parse import quote_plus

import aiohttp
import orjson
from twilio.base.exceptions import (  # pyright: ignore[reportMissingTypeStubs]
    TwilioException,
    TwilioRestException,
)
from twilio.http.async_http_client import (  # pyright: ignore[reportMissingTypeStubs]
    AsyncHttpClient,
)
from twilio.http.response import Response  # pyright: ignore[reportMissingTypeStubs]
from twilio.rest import Client  # pyright: ignore[reportMissingTypeStubs]

from services.dispatcher.domain import reasons
from services.dispatcher.domain.message import Message, MessageKey
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.senders.base import (
    Accepted,
    Delivery,
    Known,
    NotSent,
    Outcome,
    Unknown,
)
from services.dispatcher.senders.refusals import refused, tell_unknown
from services.dispatcher.settings import TwilioSettings
from shared.clock import Clock
from shared.contracts.base import Language, SendState
from shared.failures import Retryable
from shared.trace import TRACEPARENT, traceparent

VALIDITY_MAX = timedelta(seconds=36_000)
"""Twilio's longest `ValidityPeriod`; the shortest is 1 s."""

_CONNECT = 5.0
_IDLE = 5.0
"""Idle connections are closed before a server does it: a reset on reuse could not be told from one
that came after the request."""

_TOO_MANY = 429
_SERVER_FAULT = 500
_REFUSED = 400
_NOT_FOUND = 404
_CLOCKS_APART = timedelta(seconds=10)
_LISTED = 50
_QUESTIONS = 8
"""Questions at one time. They have connections of their own: a send that holds one of the lane's
finds one free, whatever is being asked."""

_CACHED = 64
_DIGITS = 10

_STATES = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), SendState.ACCEPTED),
    **dict.fromkeys(("delivered", "read", "received"), SendState.DELIVERED),
    **dict.fromkeys(
        ("undelivered", "failed", "canceled", "partially_delivered"), SendState.UNDELIVERED
    ),
}

TextOf = Callable[[Message, Language], str]


class Throttled(Exception):  # noqa: N818 - an answer, not a fault
    """429: refused before anything was queued."""

    def __init__(self, retry_after: timedelta | None) -> None:
        """Keep the provider's own wish."""
        super().__init__("throttled")
        self.retry_after = retry_after


class ServerFault(Exception):  # noqa: N818
    """5xx: nobody can tell whether the message was queued."""


class NotConnected(Exception):  # noqa: N818
    """No connection came about, so nothing was sent."""


class HttpClient(AsyncHttpClient):
    """What the SDK sends its requests with: one bounded session, real time-outs, no retries."""

    def __init__(self, connections: int, timeout: timedelta, clock: Clock) -> None:
        """Keep the limits; `open` makes the session, since that needs a running loop."""
        silent = logging.getLogger("twilio.silent")  # the SDK logs query parameters: numbers
        silent.setLevel(logging.CRITICAL)
        super().__init__(silent, is_async=True, timeout=timeout.total_seconds())
        self._connections = connections
        self._clock = clock
        self._seconds = timeout.total_seconds()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections + _QUESTIONS, keepalive_timeout=_IDLE
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def request(  # noqa: PLR0917  # pyright: ignore[reportIncompatibleMethodOverride] - SDK
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the SDK's signature
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - the SDK's signature
    ) -> Response:
        """Make one request.

        Raises `NotConnected`, `Throttled`, `ServerFault`, `TimeoutError`, or aiohttp's
        `ClientError` where the connection broke after it had come about.
        """
        del timeout  # the SDK passes none; ours holds for each request
        if self._session is None:
            message = "the sender is not open"
            raise RuntimeError(message)
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._session.request(
                    method,
                    url,
                    params={n: str(value) for n, value in params.items()} if params else None,
                    data=_form(data) if data else None,
                    headers=_authorised(headers, auth),
                    allow_redirects=allow_redirects,
                ) as answer,
            ):
                body = (await answer.read()).decode()  # `text` would guess the charset
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotConnected from error
        if answer.status == _TOO_MANY:
            wish = answer.headers.get("Retry-After")
            raise Throttled(_retry_after(wish, self._clock.now()))
        if answer.status >= _SERVER_FAULT:
            raise ServerFault
        return Response(answer.status, body, answer.headers)


class TwilioSender:
    """SMS through one Twilio account, or through the sandbox that speaks the same API."""

    def __init__(
        self, settings: TwilioSettings, name: str, public_url: str, text: TextOf, clock: Clock
    ) -> None:
        """Bind to an account; `text` gives the finished text of a message in a language."""
        self._settings = settings
        self._name = name
        self._text = text
        self._clock = clock
        self._bodies: dict[tuple[MessageKey, Language], str] = {}
        self._callback = (
            f"{public_url.rstrip('/')}/v1/receipts/twilio/"
            f"{settings.callback_token.get_secret_value()}?attempt="
        )
        self._http = HttpClient(settings.concurrency, settings.timeout, clock)
        self._client = Client(
            settings.account_sid,
            settings.auth_token.get_secret_value(),
            http_client=self._http,
            environment={"-": "-"},  # never the machine's own TWILIO_ variables
        )
        self._client.api.base_url = str(settings.api_url).rstrip("/")
        self._messages = self._client.api.absolute_url(
            f"/2010-04-01/Accounts/{settings.account_sid}/Messages.json"
        )
        self._asking = asyncio.Semaphore(_QUESTIONS)

    @property
    def name(self) -> str:
        """Name the provider."""
        return self._name

    @property
    def concurrency(self) -> int:
        """Give how many requests may run at once."""
        return self._settings.concurrency

    @property
    def rate(self) -> float:
        """Give how many messages may begin per second."""
        return self._settings.messages_per_second

    @property
    def rate_each(self) -> float | None:
        """Give what one number or name may send; a messaging service spreads by itself."""
        if self._settings.messaging_service_sid is not None:
            return None
        return self._settings.sender_messages_per_second

    @property
    def longest(self) -> timedelta:
        """Give the request's time-out."""
        return self._settings.timeout

    async def __aenter__(self) -> Self:
        """Open the session."""
        await self._http.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close the session."""
        await self._http.close()

    async def send(  # noqa: PLR0911 - one for each way in which the network can end it
        self, delivery: Delivery
    ) -> Outcome:
        """Ask Twilio once to send an SMS."""
        left = min(delivery.row.expires_at - self._clock.now(), VALIDITY_MAX)
        if left <= timedelta(0):
            return NotSent(SendReason.TOO_LATE)
        try:
            answer = await self._client.request_async(
                "POST",
                self._messages,
                data=self._form(delivery, left),
                headers={
                    TRACEPARENT: traceparent(delivery.row.key.message_id, delivery.attempt_id)
                },
            )
        except NotConnected:
            return NotSent(SendReason.NOT_CONNECTED, everyone=True)
        except Throttled as throttled:
            return NotSent(SendReason.RATE_LIMITED, throttled.retry_after, everyone=True)
        except ServerFault:
            return Unknown(SendReason.PROVIDER_FAULT)
        except TimeoutError:
            return Unknown(SendReason.TIMED_OUT)
        except (aiohttp.ClientError, UnicodeDecodeError):
            return Unknown(SendReason.CONNECTION_LOST)
        found = _read(answer.text)
        if answer.status_code >= _REFUSED:
            status, told = answer.status_code, found.get("code")
            code = told if isinstance(told, int) else None
            return refused(self._name, code, reasons.twilio(code, status), status=status)
        sid = found.get("sid")
        # a 2xx that does not read as a message may still be one
        return Accepted(sid) if sid and isinstance(sid, str) else Unknown(SendReason.BAD_ANSWER)

    def _form(self, delivery: Delivery, left: timedelta) -> dict[str, object]:
        """Give the fields of a message as Twilio names them; `left` is its time left."""
        form: dict[str, object] = {
            "To": delivery.destination,
            "Body": self._body(delivery.message, delivery.row.language),
            "StatusCallback": self._callback + delivery.attempt_id,
            "ValidityPeriod": max(1, int(left.total_seconds())),
        }
        if self._settings.messaging_service_sid is not None:
            form["MessagingServiceSid"] = self._settings.messaging_service_sid
        else:
            form["From"] = delivery.row.sender_name
        return form

    def _body(self, message: Message, language: Language) -> str:
        """Give the finished text; made once per message and language, since it goes to many."""
        key = message.key, language
        body = self._bodies.get(key)
        if body is None:
            if len(self._bodies) >= _CACHED:
                self._bodies.pop(next(iter(self._bodies)))
            body = self._bodies[key] = self._text(message, language)
        return body

    async def find(self, delivery: Delivery, since: datetime) -> list[Known]:
        """List the account's messages to this number with this text, created since the attempt."""
        text = self._body(delivery.message, delivery.row.language)
        listed = await self._ask(
            self._client.messages.list_async(to=delivery.destination, limit=_LISTED)
        )
        return [
            known
            for item in cast("list[Any]", listed or [])
            if item.body == text
            and (known := _known(item)) is not None
            and (known.created_at is None or known.created_at >= since - _CLOCKS_APART)
        ]

    async def fetch(self, reference: str) -> Known | None:
        """Ask what became of a message."""
        found = await self._ask(self._client.messages(reference).fetch_async())
        return None if found is None else _known(found)

    async def forget(self, reference: str) -> None:
        """Have Twilio delete its record of a message; one that is gone already is fine."""
        await self._ask(self._client.messages(reference).delete_async())

    async def _ask(self, question: Any) -> Any:
        try:
            async with self._asking:
                return await question
        except TwilioRestException as error:
            if error.status == _NOT_FOUND:
                return None
            message = f"{self._name} refuses a question: {error.status}"
            raise Retryable(message) from None
        except (
            NotConnected,
            Throttled,
            ServerFault,
            TimeoutError,
            aiohttp.ClientError,
            TwilioException,
            ValueError,
        ) as error:
            message = f"{self._name} does not answer: {type(error).__name__}"
            raise Retryable(message) from None


def _read(text: str) -> dict[str, Any]:
    """Read an answer's JSON object; an empty one where it is none."""
    try:
        found: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def receipt_state(status: str) -> SendState | None:
    """Say what a Twilio message status means for an attempt; None for one we do not know."""
    return _STATES.get(status)


def receipt_reason(code: int | None, status: str) -> str | None:
    """Say why a message was not delivered: a reason of the table."""
    if status == "canceled":
        return SendReason.CANCELLED_AT_PROVIDER
    if receipt_state(status) is not SendState.UNDELIVERED:
        return None
    reason, _ = reasons.twilio(code)
    if reason is SendReason.UNKNOWN_CODE:
        tell_unknown("twilio", code)
    return reason


def _known(item: Any) -> Known | None:
    state = receipt_state(str(item.status))
    if state is None or not item.sid:
        return None
    created: datetime | None = item.date_created
    if created is not None and created.tzinfo is None:
        created = created.replace(tzinfo=UTC)
    code = int(item.error_code) if item.error_code else None
    return Known(str(item.sid), state, receipt_reason(code, str(item.status)), created)


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date; None where it is neither.

    No longer than a warm message can live; what waits past its own message's end expires there.
    """
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        # more digits than any wish has could not be counted with
        asked = timedelta(seconds=int(value)) if len(value) < _DIGITS else VALIDITY_MAX
    else:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        asked = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return min(max(asked, timedelta(0)), VALIDITY_MAX)


def _authorised(
    headers: Mapping[str, str] | None, auth: tuple[str, str] | None
) -> Mapping[str, str]:
    if auth is None:
        return headers or {}
    return {**(headers or {}), "Authorization": _basic(*auth)}


@lru_cache(maxsize=8)
def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _form(data: Mapping[str, object]) -> bytes:
    """Encode a form; a text that goes to many is encoded once, which is what costs."""
    pairs = (
        f"{name}={_quoted(str(value)) if name == 'Body' else quote_plus(str(value))}"
        for name, value in data.items()
    )
    return "&".join(pairs).encode()


@lru_cache(maxsize=32)
def _quoted(text: str) -> str:
    return quote_plus(text)
