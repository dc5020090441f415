"""Mail by aiosmtplib: a pool of connections that are used again and again.

Until the server has answered the final dot, a broken connection leaves open whether it has the
mail; so that answer is waited for as long as RFC 5321 asks, and everything before it is safe to
try again.
"""

import asyncio
from collections import deque
from datetime import datetime, timedelta
from typing import Self

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from services.dispatcher.domain import reasons
from services.dispatcher.domain.bounces import return_path
from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.message import MessageKey
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.senders.base import (
    Accepted,
    Delivery,
    Failed,
    Known,
    NotSent,
    Outcome,
    TooLate,
    Unknown,
)
from services.dispatcher.senders.mail import (
    InvalidAddress,
    Prebuilt,
    Recipient,
    UnsafeHeader,
    ascii_address,
    personal,
    prebuild,
)
from services.dispatcher.senders.refusals import refused
from services.dispatcher.settings import SmtpSettings
from shared.clock import Clock
from shared.contracts.base import Language, MessageType

_CONNECT = 10.0
_COMMAND = 60.0
"""For everything but the final dot (RFC 5321 would allow 5 minutes; warm mail cannot wait)."""

_CACHED = 64
_GREETING_BUSY = 421


class SmtpSender:
    """Mail through one submission server, or through the sandbox."""

    def __init__(
        self,
        settings: SmtpSettings,
        name: str,
        registry_url: str,
        clock: Clock,
        bounces: str | None = None,
    ) -> None:
        """Bind to a server; `registry_url` is where unsubscribe links lead, `bounces` an address.

        With it, each attempt has its own return path, so that a bounce names its attempt.
        """
        self._settings = settings
        self._bounces = bounces
        self._name = name
        self._registry = registry_url.rstrip("/")
        self._clock = clock
        self._domain = settings.sender.rpartition("@")[2]
        self._idle: deque[SMTP] = deque()
        self._prebuilt: dict[tuple[MessageKey, Language, bool], Prebuilt] = {}

    @property
    def name(self) -> str:
        """Name the provider."""
        return self._name

    @property
    def concurrency(self) -> int:
        """Give how many connections there may be."""
        return self._settings.connections

    @property
    def rate(self) -> float:
        """Give how many mails may begin per second."""
        return self._settings.messages_per_second

    @property
    def rate_each(self) -> float | None:
        """Give no limit: all mail comes from one address."""
        return None

    @property
    def longest(self) -> timedelta:
        """Give the time that connecting, the commands and the final dot can take together."""
        return self._settings.final_dot_timeout + timedelta(seconds=_CONNECT + 4 * _COMMAND)

    async def __aenter__(self) -> Self:
        """Nothing to open: connections are made when they are needed."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Say goodbye on the idle connections."""
        while self._idle:
            await _quit(self._idle.pop())

    async def send(  # noqa: PLR0911 - one for each way in which the network can end it
        self, delivery: Delivery
    ) -> Outcome:
        """Hand one mail to the server, once."""
        try:
            mail = self._mail(delivery)
            address = ascii_address(delivery.destination)
        except InvalidAddress:
            return Failed(SendReason.INVALID_ADDRESS)
        except UnsafeHeader:
            return Failed(SendReason.REQUEST_INVALID)
        while True:
            reused = bool(self._idle)
            try:
                connection = self._idle.pop() if reused else await self._connect()
            except SMTPAuthenticationError as error:
                return self._refusal(error)
            except SMTPResponseException as error:
                busy = error.code == _GREETING_BUSY
                reason = SendReason.SERVER_BUSY if busy else SendReason.NOT_CONNECTED
                return NotSent(reason, everyone=True)
            except (SMTPException, OSError):
                return NotSent(SendReason.NOT_CONNECTED, everyone=True)
            outcome = await self._hand_over(connection, address, mail, delivery)
            if outcome is not None:
                return outcome
            if not reused:
                return NotSent(SendReason.NOT_CONNECTED, everyone=True)
            # an idle connection that the server had closed: nothing was sent, take another one

    async def _connect(self) -> SMTP:
        settings = self._settings
        connection = SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user,
            password=settings.password.get_secret_value() if settings.password else None,
            timeout=_CONNECT,
            use_tls=settings.encryption == "tls",
            start_tls=settings.encryption == "starttls",
            local_hostname=self._domain,
        )
        await connection.connect()
        return connection

    async def _hand_over(
        self, connection: SMTP, address: str, mail: bytes, delivery: Delivery
    ) -> Outcome | None:
        """Do one mail transaction; None where the connection broke before the mail went out.

        Connecting may have taken long, and the server may take its time over each command. So it
        begins only while the check of the send holds, and the mail goes only while it is worth it:
        DATA with its answer is the last exchange before it, and nothing is sent without that.
        """
        if self._clock.monotonic() > delivery.begin_by:
            self._idle.append(connection)  # the next attempt has it at once
            return TooLate()
        try:
            await connection.mail(self._return_path(delivery), timeout=_COMMAND)
            await connection.rcpt(address, timeout=_COMMAND)
        except SMTPResponseException as error:
            await self._reset(connection)
            return self._refusal(error)
        except (SMTPException, OSError):
            connection.close()
            return None
        if self._clock.now() >= delivery.row.expires_at:
            await self._reset(connection)
            return TooLate()
        return await self._data(connection, mail, delivery)

    async def _data(self, connection: SMTP, mail: bytes, delivery: Delivery) -> Outcome:
        """Send the mail itself: from here on a broken connection leaves open what became of it."""
        try:
            final_dot = self._settings.final_dot_timeout.total_seconds()
            await connection.data(mail, timeout=final_dot)
        except SMTPResponseException as error:
            await self._reset(connection)
            return self._refusal(error)
        except SMTPTimeoutError:
            connection.close()  # its reply, should it still come, belongs to no later mail
            return Unknown(SendReason.TIMED_OUT)
        except (SMTPServerDisconnected, SMTPException, OSError):
            connection.close()
            return Unknown(SendReason.CONNECTION_LOST)
        except asyncio.CancelledError:
            connection.close()
            raise
        self._idle.append(connection)
        return Accepted(self._message_id(delivery.row))

    def _return_path(self, delivery: Delivery) -> str:
        if self._bounces is None:
            return self._settings.sender
        return return_path(self._bounces, delivery.attempt_id)

    async def _reset(self, connection: SMTP) -> None:
        try:
            await connection.rset(timeout=_CONNECT)
        except (SMTPException, OSError):
            connection.close()
        else:
            self._idle.append(connection)

    def _refusal(self, error: SMTPResponseException) -> Outcome:
        found = reasons.smtp(error.code, error.message)
        busy = found[0] is SendReason.SERVER_BUSY
        return refused(self._name, error.code, found, busy=busy)

    def _mail(self, delivery: Delivery) -> bytes:
        row = delivery.row
        link = None
        if row.unsubscribe_token is not None and row.key.message_type is MessageType.BULLETIN:
            link = f"{self._registry}/v1/unsubscribe/{row.unsubscribe_token}"
        prebuilt = self._common(delivery, row.language, shows_link=link is not None)
        return personal(
            prebuilt,
            Recipient(delivery.destination, self._message_id(row), row.reply_to, link),
        )

    def _common(self, delivery: Delivery, language: Language, *, shows_link: bool) -> Prebuilt:
        key = delivery.message.key, language, shows_link
        known = self._prebuilt.get(key)
        if known is None:
            if len(self._prebuilt) >= _CACHED:
                self._prebuilt.pop(next(iter(self._prebuilt)))
            known = prebuild(
                delivery.message,
                language,
                self._settings.sender,
                self._clock.now(),
                shows_link=shows_link,
            )
            self._prebuilt[key] = known
        return known

    def _message_id(self, row: Row) -> str:
        """Give the same id at each attempt, so that a mail program shows a second copy as one."""
        return f"<{row.send_id}@{self._domain}>"

    async def find(self, delivery: Delivery, since: datetime) -> list[Known]:
        """Give nothing: a mail server cannot be asked what it took."""
        del delivery, since
        return []

    async def fetch(self, reference: str) -> Known | None:
        """Give nothing; see `find`."""
        del reference

    async def forget(self, reference: str) -> None:
        """Do nothing: a mail that was handed over cannot be taken back."""
        del reference


async def _quit(connection: SMTP) -> None:
    try:
        await connection.quit(timeout=1)
    except (SMTPException, OSError):
        connection.close()
