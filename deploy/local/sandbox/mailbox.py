"""The mails that the sandbox accepted, one per recipient, and the SMTP server that accepts them."""

import asyncio
from email import message_from_bytes, policy
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.sandbox.bounces import Bounce, Bounces
from deploy.local.sandbox.faults import Channel, Fault, Faults
from deploy.local.sandbox.journal import Entry, Journal
from deploy.local.sandbox.outcomes import mail_refusal
from deploy.local.sandbox.phones import utc_now

_LARGEST_MAIL = 10_000_000


class Mailbox:
    """All accepted mails, in order, kept in a journal."""

    def __init__(self, journal: Journal) -> None:
        """Read back what an earlier run accepted."""
        self._journal = journal
        self._mails = list(journal.entries())

    def accept(self, sender: str, recipient: str, raw: str, status: str) -> None:
        """Take a mail; it is on disk when this returns."""
        mail: Entry = {
            "to": recipient,
            "from": sender,
            "subject": subject(raw),
            "raw": raw,
            "at": utc_now(),
            "status": status,
        }
        self._journal.add(mail)
        self._mails.append(mail)

    def shown(self) -> list[Entry]:
        """Give what was accepted, in order, as `GET /mail` shows it."""
        return self._mails

    def clear(self) -> None:
        """Forget everything."""
        self._journal.clear()
        self._mails.clear()


def subject(raw: str) -> str:
    """Read the subject of a mail, decoded."""
    mail = message_from_bytes(raw.encode("utf-8", "surrogateescape"), policy=policy.default)
    return str(mail["Subject"] or "")


class MailHandler:
    """What happens at each step of an SMTP conversation; the names are aiosmtpd's."""

    def __init__(self, mailbox: Mailbox, faults: Faults, bounces: Bounces) -> None:
        """Accept into `mailbox`, misbehaving as `faults` says; `bounces` reports what is lost."""
        self._mailbox = mailbox
        self._faults = faults
        self._bounces = bounces

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        """Take a recipient, or refuse it as the table of outcomes says."""
        del server, session
        refusal = mail_refusal(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a mail for all its recipients, or misbehave."""
        del session
        hit = self._faults.next(Channel.MAIL)
        fault = hit.fault if hit else None
        refusal = _REFUSALS.get(fault) if fault else None
        if refusal:
            return refusal
        self._accept(envelope, "undelivered" if fault is Fault.UNDELIVERED else "delivered")
        if hit and fault is Fault.SLOW:
            await asyncio.sleep(hit.delay)
        if fault is Fault.ACCEPT_THEN_DROP:
            cast("asyncio.WriteTransport", server.transport).abort()
        return "250 2.0.0 accepted"

    def _accept(self, envelope: Envelope, status: str) -> None:
        content = envelope.original_content or b""
        raw = content.decode("utf-8", "surrogateescape")
        for recipient in envelope.rcpt_tos:
            self._mailbox.accept(envelope.mail_from or "", recipient, raw, status)
            if status == "undelivered" and envelope.mail_from:
                self._bounces.add(Bounce(envelope.mail_from, recipient))


_REFUSALS = {
    Fault.REFUSE: "550 5.1.1 no such mailbox",
    Fault.STATUS_500: "554 5.3.0 internal error",
    Fault.STATUS_429: "451 4.7.1 too many messages, try again later",
}


def smtp_protocol(handler: MailHandler) -> Any:
    """Make the server's end of one SMTP connection."""
    return SMTP(
        handler,
        data_size_limit=_LARGEST_MAIL,
        enable_SMTPUTF8=True,
        hostname="sandbox.buurtbode.invalid",
        ident="Buurtbode sandbox",
    )
