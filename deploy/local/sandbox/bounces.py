"""Reports of mails that did not arrive (RFC 3464), handed over by LMTP as a mail server does."""

import asyncio
import logging
import smtplib
from datetime import timedelta
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from typing import NamedTuple

from deploy.local.ports import LOOPBACK

_HOST = "sandbox.buurtbode.invalid"
_TRIES = 30
_RETRY_AFTER = 1.0
"""Seconds between tries; a mail server goes on for days, a test does not wait for that."""

_FOR_GOOD = 500
"""Replies from here on are not tried again (RFC 5321, 4.2.1)."""

_LOG = logging.getLogger(__name__)


class Bounce(NamedTuple):
    """A mail that was accepted and did not arrive."""

    return_path: str
    recipient: str


class Bounces:
    """Waits a moment, as the mail's own way takes, and hands the report over until it is taken."""

    def __init__(self, port: int | None, after: timedelta) -> None:
        """`port` is where the return paths' mail server listens; None where nobody does."""
        self._port = port
        self._after = after.total_seconds()
        self._waiting: asyncio.Queue[Bounce] = asyncio.Queue()

    def add(self, bounce: Bounce) -> None:
        """Have a mail reported."""
        if self._port is not None:
            self._waiting.put_nowait(bounce)

    async def run(self) -> None:
        """Report until cancelled."""
        if self._port is None:
            return
        while True:
            bounce = await self._waiting.get()
            await asyncio.sleep(self._after)
            for _ in range(_TRIES):
                if await asyncio.to_thread(_hand_over, self._port, bounce):
                    break
                await asyncio.sleep(_RETRY_AFTER)
            else:
                _LOG.warning("nobody takes a report")


def _hand_over(port: int, bounce: Bounce) -> bool:
    """Tell whether that was the end of it: a report that is refused for good is dropped."""
    try:
        with smtplib.LMTP(LOOPBACK, port) as client:
            client.sendmail("<>", [bounce.return_path], report(bounce).as_bytes(policy=SMTP))
    except smtplib.SMTPRecipientsRefused as refused:
        code, _ = refused.recipients[bounce.return_path]
        return code >= _FOR_GOOD
    except smtplib.SMTPResponseException as refused:
        return refused.smtp_code >= _FOR_GOOD
    except (smtplib.SMTPException, OSError):
        return False
    return True


def report(bounce: Bounce) -> MIMEMultipart:
    """Write the report: a text for people, and what happened for programs."""
    mail = MIMEMultipart("report")
    mail.set_param("report-type", "delivery-status")
    mail["From"] = f"MAILER-DAEMON@{_HOST}"
    mail["To"] = bounce.return_path
    mail["Subject"] = "Undelivered mail returned to sender"
    mail["Auto-Submitted"] = "auto-replied"
    mail.attach(MIMEText("Your mail could not be delivered."))
    about_us, about_them = Message(), Message()
    about_us["Reporting-MTA"] = f"dns; {_HOST}"
    about_them["Final-Recipient"] = f"rfc822; {bounce.recipient}"
    about_them["Action"] = "failed"
    about_them["Status"] = "5.1.1"
    about_them["Diagnostic-Code"] = "smtp; 550 5.1.1 no such mailbox"
    status = Message()
    status["Content-Type"] = "message/delivery-status"
    status.set_payload([about_us, about_them])
    mail.attach(status)
    return mail
