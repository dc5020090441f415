"""A relay in front of a server that holds up some of its answers, as a slow network does."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from deploy.local.ports import LOOPBACK


@asynccontextmanager
async def slow_relay(port: int, delays: Mapping[int, float]) -> AsyncGenerator[int]:
    """Relay to a server of this machine and give the relay's port.

    `delays`: by the number of an answer on its connection, from 0, the seconds that it is held up.
    """
    relaying: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection(LOOPBACK, port)
        ways = (_copy(answers, writer, delays), _copy(reader, questions, {}))
        for way in ways:
            task = asyncio.create_task(way)
            relaying.add(task)
            task.add_done_callback(relaying.discard)

    server = await asyncio.start_server(relay, LOOPBACK, 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in list(relaying):
            task.cancel()
        await asyncio.gather(*relaying, return_exceptions=True)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delays: Mapping[int, float]
) -> None:
    try:
        number = 0
        while some := await reader.read(65536):
            await asyncio.sleep(delays.get(number, 0.0))
            writer.write(some)
            await writer.drain()
            number += 1
    except ConnectionError:
        return
    finally:
        writer.close()
