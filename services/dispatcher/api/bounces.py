"""Where the mail server hands bounces over: LMTP (RFC 2033), from this host's own network only.

The mail server routes the bounce address to it, and tries again on a 451. It speaks no TLS and asks
for no password: bind it where nobody else reaches it.
"""

import asyncio

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from pymongo.errors import PyMongoError

from services.dispatcher.domain import bounces
from services.dispatcher.flows.take_bounce import TakeBounce
from services.dispatcher.settings import BounceSettings
from shared.failures import Retryable
from shared.tasks import Task

_LARGEST = 5_000_000
"""A report repeats the whole mail, and ours are far below a megabyte."""


class BounceHandler:
    """What happens at each step of a conversation; the names are aiosmtpd's."""

    def __init__(self, address: str, take: TakeBounce) -> None:
        """Take what is for an attempt's own address below `address`."""
        self._address = address
        self._take = take

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's signature
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        """Take one recipient at a time: LMTP answers for each, and a bounce has one."""
        del server, session, rcpt_options
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        if bounces.attempt_of(self._address, address) is None:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Store what a report says; have the server try again while that is not possible."""
        del server, session
        attempt = bounces.attempt_of(self._address, envelope.rcpt_tos[0]) or ""
        try:
            known = await self._take.take(attempt, envelope.original_content or b"")
        except (Retryable, PyMongoError):
            return "451 4.3.0 try again later"
        return "250 2.0.0 OK" if known else "550 5.1.1 no such mailbox"


def bounce_listener(settings: BounceSettings, take: TakeBounce) -> Task:
    """Give the task that listens."""
    handler = BounceHandler(settings.address, take)

    def protocol() -> LMTP:
        return LMTP(
            handler,
            data_size_limit=_LARGEST,
            hostname=settings.address.rpartition("@")[2],
            ident="Buurtbode",
        )

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(protocol, settings.host, settings.port)
        async with server:
            await server.serve_forever()

    return listen
