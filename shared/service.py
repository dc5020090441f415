"""How a service runs: its HTTP server, its consumers and its jobs, as one group that ends together.

One of them failing ends the process with a non-zero code, for its supervisor to restart: a service
that answers HTTP while its consumer is dead would only look alive.
"""

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import structlog
import uvicorn
from fastapi import FastAPI
from pymongo.errors import PyMongoError

from shared.failures import Fenced, Retryable, doubled
from shared.logging import fault
from shared.settings import HttpSettings, UnusableSettingsError
from shared.tasks import Task, beside

_ENDING = timedelta(seconds=5)
_KEEP_ALIVE_S = 75
"""How long a connection may stand unused. Longer than those who ask hold on to one (httpx 5 s, our
own command line with it; aiohttp 15 s; load balancers 60 s): who is the first to close it cannot
send a request on a connection that the other is just closing, to which nobody would answer."""


async def serve(app: FastAPI, http: HttpSettings, tasks: Sequence[Task]) -> None:
    """Run until SIGTERM or SIGINT; then stop taking requests, and end the tasks."""
    with _ending_quietly():
        async with beside(tasks):
            await _serve(http_server(app, http.host, http.port))


def http_server(app: FastAPI, host: str, port: int, ending: timedelta = _ENDING) -> uvicorn.Server:
    """Make a service's HTTP server, not started.

    `port` 0 is any that is free; `ending` is how long requests under way may take at its end.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(ending.total_seconds()),
            lifespan="off",
        )
    )


async def _serve(server: uvicorn.Server) -> None:
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True  # also when a task failed, or we were cancelled
        await serving


@contextmanager
def _ending_quietly() -> Generator[None]:
    """Give the signals that uvicorn handles a handler of ours to fall back to.

    It raises them once more when it is done, and the default would end the process there and then,
    before the tasks have given back their leases and Kafka its connections.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _stay) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stay(_number: int, _frame: object) -> None:
    """Do nothing: the server has taken the signal already."""


def run(main: Task) -> None:
    """Run a service's main coroutine.

    Unusable settings, or a cluster that does not answer, end the process with a sentence and a
    code above 0, for its supervisor to try again. Any other fault does so too, without its text,
    which may quote a number, an address or the input.
    """
    try:
        _run(main)
    except (UnusableSettingsError, Retryable) as error:
        sys.exit(f"cannot start: {error}")
    except Exception as error:  # noqa: BLE001 - the last to see it
        sys.exit(fault(error))


def _run(main: Task) -> None:
    """Run it on uvloop where there is one."""
    if sys.platform == "win32":
        asyncio.run(main())
        return
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    uvloop.run(main())


def instance_name(http: HttpSettings) -> str:
    """Name this instance: the same after a restart, so that its own leases do not keep it out.

    No two instances of a service have the same host and port.
    """
    return f"{socket.gethostname()}:{http.port}"


_BACK_OFF_S = 30.0


class Job:
    """Work that is done again and again: at once when woken, else every `interval`.

    `once` gives True where there is more to do right away. What may pass (`Retryable`, `Fenced`,
    a database away) is logged and tried again, each time a little later: at most 30 s, or its
    interval where that is longer.
    """

    def __init__(
        self,
        name: str,
        once: Callable[[], Awaitable[bool]],
        interval: timedelta,
        leave: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Name the job for the logs; `leave` gives back what it holds, once it has ended."""
        self.woken = asyncio.Event()
        self._once = once
        self._leave = leave
        self._interval = interval.total_seconds()
        self._logger = structlog.get_logger(job=name)

    def wake(self) -> None:
        """Have it look now instead of at its next turn."""
        self.woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            await self._work()
        finally:
            if self._leave is not None:
                with suppress(PyMongoError):  # it ends by itself, only later
                    await asyncio.shield(self._leave())

    async def _work(self) -> None:
        failures = 0
        while True:
            self.woken.clear()
            try:
                more = await self._once()
                failures = 0
            except (Retryable, Fenced, PyMongoError) as error:
                failures += 1
                more = False
                self._logger.warning("tries again", error=type(error).__name__, failures=failures)
            if not more:
                await self._rest(_pause(self._interval, failures))

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        except TimeoutError:
            return


def _pause(interval: float, failures: int) -> float:
    """Give the seconds until the next turn, after so many failures in a row."""
    return max(interval, doubled(interval, failures, _BACK_OFF_S))
