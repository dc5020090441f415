"""What the dispatcher is held against, as a process: `python -m benchmarks.bare sms|mail ...`.

It only sends: no topic, no ledger, no event. The result is one line of JSON on standard output.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from typing import Any, cast

import orjson
from aiosmtplib import SMTP
from twilio.http.async_http_client import (  # pyright: ignore[reportMissingTypeStubs]
    AsyncTwilioHttpClient,
)
from twilio.rest import Client  # pyright: ignore[reportMissingTypeStubs]

from deploy.local.ports import LOOPBACK

_FIRST_NUMBER = 32_450_000_000
_BODY = (
    "BIN Demo: Inbraak in de Voorbeeldstraat. Bel 101 of gebruik de app 112 BE. "
    "Kom niet zelf tussen."
)
_MAIL = (
    b"To: %s\r\nMessage-ID: <%d@bin.example>\r\nSubject: Fietsdiefstal\r\n"
    b"From: no-reply@bin.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
    + b"Zet uw fiets op slot. Laat hem graveren.\r\n"
    * 40
)


async def _sms(port: int, count: int, concurrency: int) -> None:
    http: Any = cast("Any", AsyncTwilioHttpClient)(pool_connections=True)
    client = Client("AC" + "5" * 32, "token", http_client=http, environment={"-": "-"})
    client.api.base_url = f"http://{LOOPBACK}:{port}"
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await client.messages.create_async(
                to=f"+{_FIRST_NUMBER + number}",
                body=_BODY,
                status_callback=f"http://{LOOPBACK}/v1/receipts/twilio/callback?attempt={number}",
                validity_period=1800,
                from_="BIN Demo",
            )

    async with http.session:
        await asyncio.gather(*(work() for _ in range(concurrency)))


async def _mail(port: int, count: int, concurrency: int) -> None:
    numbers = iter(range(count))

    async def work(numbers: Iterator[int]) -> None:
        async with SMTP(hostname=LOOPBACK, port=port, start_tls=False) as connection:
            for number in numbers:
                to = f"m{number}@example.org"
                mail = _MAIL % (to.encode(), number)
                await connection.sendmail("no-reply@bin.example", [to], mail)

    await asyncio.gather(*(work(numbers) for _ in range(concurrency)))


async def _timed(channel: str, port: int, count: int, concurrency: int) -> None:
    send = _sms if channel == "sms" else _mail
    began, used = time.perf_counter(), time.process_time()
    await send(port, count, concurrency)
    figures = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
    }
    sys.stdout.write(orjson.dumps(figures).decode() + "\n")


def main() -> None:
    """Send, and print the seconds and the processor seconds that it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("channel", choices=("sms", "mail"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    given = parser.parse_args()
    work = _timed(given.channel, given.port, given.count, given.concurrency)
    if sys.platform == "win32":
        asyncio.run(work)
        return
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    uvloop.run(work)


if __name__ == "__main__":
    main()
