"""A mail as bytes: built once per message and language, with a few header lines per recipient.

Building an `EmailMessage` costs 0.8 ms and putting header lines before a prebuilt one almost
nothing, so the parts that differ between recipients are written here, by hand and checked.
"""

from dataclasses import dataclass
from datetime import datetime
from email.charset import QP, Charset
from email.errors import HeaderParseError
from email.header import Header, decode_header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.dispatcher.domain import texts
from services.dispatcher.domain.message import Message
from services.dispatcher.senders.phrases import PHRASES, WARNINGS
from shared.contracts.base import Language

_PLACE = "@@U@@"
"""Where the recipient's own link goes. Short and at a line's beginning, so that quoted-printable
does not break it; that it stands in the built mail is checked."""

_FIRST_PRINTABLE = 0x20
_DELETE = 0x7F
_CHUNK = 60
_LINE = 76


class UnsafeHeader(ValueError):  # noqa: N818
    """A header value that could become more than one header."""


class InvalidAddress(ValueError):  # noqa: N818
    """An address that cannot stand in a header or an SMTP command."""


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """What all recipients of one message in one language have in common."""

    headers: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Recipient:
    """What differs between the recipients."""

    address: str
    message_id: str
    reply_to: str | None
    unsubscribe: str | None
    """The link of the List-Unsubscribe header and of the mail's last lines."""


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("services.dispatcher.senders", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.jinja",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def safe(value: str) -> str:
    """Give a header value back, or raise `UnsafeHeader`.

    Python's `email` decodes encoded-words while it sets a header, so `=?UTF-8?Q?=0A?=Bcc: x` would
    become a second header: control characters are refused in both forms.
    """
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        raise UnsafeHeader("encoded-word that does not decode") from None
    decoded = "".join(
        part if isinstance(part, str) else part.decode("latin-1") for part, _ in parts
    )
    for char in value + decoded:
        if ord(char) < _FIRST_PRINTABLE or ord(char) == _DELETE:
            raise UnsafeHeader("control character in a header")
    return value


def header(name: str, value: str) -> bytes:
    """Write one header of free text, as RFC 2047 asks: folded, and encoded where it must be."""
    checked = safe(value)
    # what looks like an encoded-word is encoded itself, so that it is shown and not decoded
    charset: Charset | str = "us-ascii"
    if not checked.isascii() or "=?" in checked:
        charset = Charset("utf-8")
        charset.header_encoding = QP
    folded = Header(checked, charset, maxlinelen=_LINE, header_name=name).encode(linesep="\r\n")
    return f"{name}: {folded}\r\n".encode("ascii")


def ascii_address(address: str) -> str:
    """Give an address with its domain as ASCII. Raises `InvalidAddress`."""
    local, at, domain = address.rpartition("@")
    try:
        plain = f"{local}@{domain.encode('idna').decode('ascii')}"
        plain.encode("ascii")
    except UnicodeError:
        raise InvalidAddress("address beyond ASCII") from None
    forbidden = set(' <>,;:"()[]\\')
    if not at or not local or not domain or forbidden & set(plain) or not plain.isprintable():
        raise InvalidAddress("not an address")
    return plain


def prebuild(
    message: Message, language: Language, sender: str, date: datetime, *, shows_link: bool
) -> Prebuilt:
    """Build what all recipients share. Raises `UnsafeHeader`.

    `shows_link`: whether each has an own link to refuse cold mail or leave.
    """
    mail = texts.mail(message, language)
    values = {
        "language": language,
        "subject": mail.subject,
        "body": mail.body,
        "paragraphs": [part.split("\n") for part in mail.body.split("\n\n")],
        "phrases": PHRASES[language],
        "warning": WARNINGS[message.status].get(language),
        "unsubscribe": _PLACE if shows_link else None,
    }
    environment = _environment()
    built = EmailMessage(policy=SMTP)
    built.set_content(
        environment.get_template("mail.txt.jinja").render(values), cte="quoted-printable"
    )
    built.add_alternative(
        environment.get_template("mail.html.jinja").render(values),
        subtype="html",
        cte="quoted-printable",
    )
    if message.content.attachment is not None:
        _attach(built, message.content.attachment)
    own, _, body = built.as_bytes().partition(b"\r\n\r\n")
    if body.count(_PLACE.encode()) != (2 if shows_link else 0):
        raise RuntimeError("a mail template has lost the place of the link")
    headers = (
        header("Subject", mail.subject)
        + f"From: {ascii_address(sender)}\r\n".encode()
        + f"Date: {format_datetime(date)}\r\n".encode()
        + b"Auto-Submitted: auto-generated\r\n"
        + f"Content-Language: {language}\r\n".encode()
        + own
        + b"\r\n"
    )
    return Prebuilt(headers, body)


def _attach(built: EmailMessage, calendar: str) -> None:
    built.make_mixed()
    part = EmailMessage(policy=SMTP)
    part.set_content(calendar, subtype="calendar", cte="base64", filename="meeting.ics")
    del part["MIME-Version"]
    # the same as in the object itself, or calendars refuse it (RFC 6047, section 2.4)
    part.set_param("method", "CANCEL" if "\r\nMETHOD:CANCEL\r\n" in calendar else "PUBLISH")
    built.attach(part)


def personal(prebuilt: Prebuilt, recipient: Recipient) -> bytes:
    """Give one recipient's mail. Raises `InvalidAddress` and `UnsafeHeader`."""
    lines = [
        f"To: {ascii_address(recipient.address)}",
        f"Message-ID: {safe(recipient.message_id)}",
    ]
    if recipient.reply_to is not None:
        lines.append(f"Reply-To: {ascii_address(recipient.reply_to)}")
    body = prebuilt.body
    if recipient.unsubscribe is not None:
        # RFC 8058: one click in the mail program refuses cold mail, and only that
        lines.append(f"List-Unsubscribe: <{safe(recipient.unsubscribe)}>")
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        body = body.replace(_PLACE.encode(), _quoted(recipient.unsubscribe))
    return "\r\n".join(lines).encode("ascii") + b"\r\n" + prebuilt.headers + b"\r\n" + body


def _quoted(link: str) -> bytes:
    """Write a link as quoted-printable; soft breaks around and in it keep every line short."""
    chunks = [link[at : at + _CHUNK].replace("=", "=3D") for at in range(0, len(link), _CHUNK)]
    return ("=\r\n" + "=\r\n".join(chunks) + "=\r\n").encode("ascii")
