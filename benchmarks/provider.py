"""A cheap stand-in for Twilio and for a mail server: `python -m benchmarks.provider`.

The sandbox of `deploy/local` keeps journals and calls back, at a cost per message above that of
what is measured here. This one speaks just enough of both protocols, straight on asyncio, keeps
whom it got something for, and answers after a fixed delay. It makes no status callbacks.
"""

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import unquote_plus

import orjson

from deploy.local.ports import LOOPBACK

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TO = re.compile(rb"(?:^|&)To=([^&]*)")
_RCPT = re.compile(rb"RCPT TO:<([^>]*)>", re.IGNORECASE)
_SAYS_MORE = b"250-stand-in\r\n250 8BITMIME\r\n"


@dataclass
class Book:
    """What was accepted since the last `reset`."""

    people: set[str] = field(default_factory=set[str])
    count: int = 0
    first: float = 0.0
    last: float = 0.0
    """Seconds of this machine's monotonic clock, which all its processes share."""

    began: int = field(default_factory=time.monotonic_ns)
    """Makes ids after a `reset` others than those before it, as a provider's are."""

    def add(self, destination: bytes) -> int:
        """Take one message, and number it."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.people.add(unquote_plus(destination.decode()))
        self.count += 1
        return self.count

    def read(self) -> bytes:
        """Give the figures as JSON."""
        return orjson.dumps(
            {
                "count": self.count,
                "people": len(self.people),
                "first": self.first,
                "last": self.last,
            }
        )


class Sms(asyncio.Protocol):
    """`POST .../Messages.json` is answered after the delay; `GET` and `DELETE /book`."""

    def __init__(self, book: Book, delay: Callable[[], float]) -> None:
        """Share the book."""
        self._book = book
        self._delay = delay
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while (end := self._buffer.find(_END)) >= 0:
            head = self._buffer[:end]
            found = _LENGTH.search(head)
            length = int(found.group(1)) if found else 0
            total = end + len(_END) + length
            if len(self._buffer) < total:
                return
            body = self._buffer[end + len(_END) : total]
            self._buffer = self._buffer[total:]
            self._request(head, body)

    def _request(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"POST"):
            found = _TO.search(body)
            number = self._book.add(found.group(1) if found else b"")
            self._later(_answer(b"201 Created", _message(self._book.began, number)))
        elif head.startswith(b"DELETE"):
            self._book.__init__()
            self._write(_answer(b"204 No Content", b""))
        else:
            self._write(_answer(b"200 OK", self._book.read()))

    def _later(self, answer: bytes) -> None:
        delay = self._delay()
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


def _answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\n"
    return head + b"Content-Length: " + str(len(body)).encode() + _END + body


def _message(began: int, number: int) -> bytes:
    """Write the message resource as Twilio does, all of its fields."""
    return (
        b'{"sid":"SM%016x%016x","account_sid":"AC0","api_version":"2010-04-01","body":"","num_media":"0",'
        b'"num_segments":"1","direction":"outbound-api","from":"BIN","to":"","status":"queued",'
        b'"date_created":"Sun, 22 Nov 2026 12:00:00 +0000","date_updated":null,"date_sent":null,'
        b'"error_code":null,"error_message":null,"messaging_service_sid":null,"price":null,'
        b'"price_unit":"EUR","uri":"/","subresource_uris":{"media":"/"}}' % (began, number)
    )


class Mail(asyncio.Protocol):
    """Takes every mail; enough of SMTP for a client that submits one after the other."""

    def __init__(self, book: Book, delay: Callable[[], float]) -> None:
        """Share the book."""
        self._book = book
        self._delay = delay
        self._buffer = b""
        self._to = b""
        self._in_data = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._write(b"220 stand-in\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every whole command, and every whole mail."""
        self._buffer += data
        while True:
            end = self._buffer.find(b"\r\n.\r\n" if self._in_data else b"\r\n")
            if end < 0:
                return
            line = self._buffer[:end]
            self._buffer = self._buffer[end + (5 if self._in_data else 2) :]
            if self._in_data:
                self._in_data = False
                self._book.add(self._to)
                asyncio.get_running_loop().call_later(self._delay(), self._write, b"250 taken\r\n")
            else:
                self._command(line)

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            self._write(_SAYS_MORE)
        elif verb == b"DATA":
            self._in_data = True
            self._write(b"354 go on\r\n")
        elif verb == b"QUIT":
            self._write(b"221 bye\r\n")
            if self._transport is not None:
                self._transport.close()
        else:
            found = _RCPT.match(line)
            if found:
                self._to = found.group(1)
            self._write(b"250 ok\r\n")

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def _serve(http: int, smtp: int, milliseconds: float) -> None:
    loop = asyncio.get_running_loop()
    sms, mail = Book(), Book()

    def delay() -> float:
        return milliseconds / 1000

    servers = [
        await loop.create_server(lambda: Sms(sms, delay), LOOPBACK, http, backlog=1000),
        await loop.create_server(lambda: Sms(mail, delay), LOOPBACK, smtp + 1),
        await loop.create_server(lambda: Mail(mail, delay), LOOPBACK, smtp, backlog=1000),
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main() -> None:
    """Serve until killed. The mail's book is served by HTTP on the port above its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http", type=int, required=True)
    parser.add_argument("--smtp", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds before an answer")
    given = parser.parse_args()
    if sys.platform == "win32":
        asyncio.run(_serve(given.http, given.smtp, given.delay))
        return
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    uvloop.run(_serve(given.http, given.smtp, given.delay))


if __name__ == "__main__":
    main()
