"""Starts a whole stack and keeps it running, as a context manager."""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec

from deploy.local.files import private_folder
from deploy.local.issuer import Issuer, issuer_url
from deploy.local.jars import Progress
from deploy.local.java import JavaProgramError
from deploy.local.options import UpOptions
from deploy.local.ports import LOOPBACK, stable_ports
from deploy.local.python_part import PythonPart
from deploy.local.servers import (
    Servers,
    limit_demo_client,
    prepare_kafka,
    prepare_mongo,
    servers,
    service_passwords,
)
from deploy.local.service_settings import (
    SERVICES,
    Surroundings,
    environment,
    sandbox_environment,
)
from deploy.local.stack import ISSUER_KEY, STACK_FILE, KafkaInfo, Stack, locked, write_stack
from deploy.local.supervisor import Notice, Supervisor
from deploy.local.tokens import DEMO_ZONE, ready_made_tokens
from deploy.local.vault import Vault
from shared import pseudonyms

_KAFKA = ("kafka", "kafka-internal", "kafka-controller")
_PUBLIC_LOG_KEY = "log.pub.pem"

P = ParamSpec("P")

Load = Callable[[Stack], None]
"""Puts the demo's people into a stack that has just become ready for the first time."""


class AlreadyRunningError(Exception):
    """Another `up` runs on the same folder."""


class RunningStack:
    """A stack while it runs; `read` tells where everything is at this moment."""

    def __init__(self, data: Path, describe: Callable[[], Stack]) -> None:
        """`describe` gives the stack as it is."""
        self.data = data
        self._describe = describe

    def read(self) -> Stack:
        """Tell where everything is, with the pids of this moment."""
        return self._describe()


@asynccontextmanager
async def run_stack(
    options: UpOptions,
    *,
    load: Load | None = None,
    tell: Notice = lambda _line: None,
    progress: Progress | None = None,
) -> AsyncGenerator[RunningStack]:
    """Start everything, keep it running while the block runs, and end it.

    `tell` gets a line for people at each step, `progress` the count of fetched jars. Raises
    `AlreadyRunningError`, `ChildDiedError` (a part did not start), `NoFreePortError`,
    `JarMismatchError`, `BadOptionError`.
    """
    data = private_folder(options.data.resolve())
    with only_one(data):
        builder = _Builder(UpOptions(data, options.kafka, options.mongo, options.services), tell)
        supervisor = Supervisor(builder.announce, tell)
        builder.supervisor = supervisor
        try:
            await builder.start(progress)
            if load is not None:
                await builder.load(load)
            builder.ready = True
            builder.announce()
            async with builder.limiting():
                yield RunningStack(data, builder.describe)
        finally:
            (data / STACK_FILE).unlink(missing_ok=True)
            builder.ready = False
            await supervisor.stop()


@contextmanager
def only_one(data: Path) -> Generator[None]:
    """Hold the folder for one `up`; the system lets go of it when the process ends, however."""
    with (data / ".up.lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            handle.seek(0)
            message = f"a stack already runs in {data} (process {handle.read().strip()})"
            raise AlreadyRunningError(message) from problem
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


async def _to_its_end(work: Callable[P, None], *args: P.args, **more: P.kwargs) -> None:
    """Run blocking work in a thread, and when cancelled wait for its end all the same.

    It talks to Kafka or MongoDB: were they ended under it, it would wait for them in vain.
    """
    running = asyncio.create_task(asyncio.to_thread(work, *args, **more))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


class _Builder:
    """The steps of a start, and the description of what was started."""

    supervisor: Supervisor

    def __init__(self, options: UpOptions, tell: Notice) -> None:
        self._options = options
        self._data = options.data
        self._tell = tell
        self._vault = Vault(options.data / "secrets")
        self._ports = stable_ports(options.data / "ports.json", self._port_names())
        self._tokens: dict[str, str] = {}
        self._servers: Servers
        self.ready = False
        (self._data / STACK_FILE).unlink(missing_ok=True)  # a killed supervisor's

    async def start(self, progress: Progress | None) -> None:
        """Start the servers and the sandbox together, then the services together."""
        self._servers = await asyncio.to_thread(
            servers, self._options, self._vault, self._ports, progress
        )
        self._make_keys()
        self._tell("starting Kafka, MongoDB and the sandbox")
        await self.supervisor.start(*self._servers.parts, self._sandbox())
        self._tell("making topics and users")
        await _to_its_end(prepare_kafka, self._servers, self._vault)
        await _to_its_end(prepare_mongo, self._options, self._servers, self._mongo_words())
        names = self._options.services
        if names:
            self._tell(f"starting {', '.join(names)}")
            await self.supervisor.start(*(self._service(name) for name in names))

    async def load(self, load: Load) -> None:
        """Load the demo's people, once in the life of the folder."""
        marker = self._data / "demo-data.loaded"
        if marker.exists():
            return
        self._tell("loading the people of the demo")
        await asyncio.to_thread(load, self.describe())
        marker.touch()

    @asynccontextmanager
    async def limiting(self) -> AsyncGenerator[None]:
        """Set the demo client's quota beside the block: nobody should wait for a Java program."""
        limiting = asyncio.create_task(self._limit())
        try:
            yield
        finally:
            await limiting

    def describe(self) -> Stack:
        """Give the stack as it is at this moment."""
        around = self._surroundings()
        urls = {name: around.service_url(name) for name in SERVICES}
        operator = self._servers.operator
        return Stack(
            **urls,
            sandbox=around.sandbox_url,
            issuer=around.issuer.url,
            mongo=self._servers.mongo,
            kafka=KafkaInfo(
                bootstrap=operator.bootstrap,
                protocol=operator.protocol,
                mechanism=operator.mechanism,
                users=self._vault.kafka_users(),
            ),
            tokens=self._tokens,
            pids=self.supervisor.pids(),
        )

    def announce(self) -> None:
        """Write `stack.json`, once everything is ready and whenever a pid changed."""
        if self.ready:
            with locked(self._data):
                write_stack(self._data, self.describe())

    def _port_names(self) -> list[str]:
        own_mongo = () if self._options.mongo else ("mongod",)
        own_kafka = () if self._options.kafka else _KAFKA
        return [*own_mongo, *own_kafka, "sandbox", "smtp", "bounces", *SERVICES]

    async def _limit(self) -> None:
        """Set the quota once in the life of the folder."""
        marker = self._data / "quota.set"
        if marker.exists():
            return
        try:
            await _to_its_end(limit_demo_client, self._servers)
        except JavaProgramError as problem:
            self._tell(f"the police client has no quota yet; the next start tries again: {problem}")
        else:
            marker.touch()

    def _make_keys(self) -> None:
        self._vault.publish("log", self._data / _PUBLIC_LOG_KEY)
        self._tokens = ready_made_tokens(self._issuer())
        pseudonyms.rotate(self._vault.pseudonym_keys, [DEMO_ZONE], datetime.now(UTC).year)

    def _mongo_words(self) -> dict[str, str]:
        return service_passwords(self._vault, "mongo")

    def _issuer(self) -> Issuer:
        url = issuer_url(LOOPBACK, self._ports["sandbox"])
        return Issuer(url, self._vault.signing_key(ISSUER_KEY))

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            kafka_bootstrap=self._servers.operator.bootstrap,
            kafka_passwords=service_passwords(self._vault, "kafka"),
            mongo_urls=self._servers.mongo_urls(self._mongo_words()),
            issuer=self._issuer(),
            sandbox_url=f"http://{LOOPBACK}:{self._ports['sandbox']}",
            smtp_port=self._ports["smtp"],
            ports=self._ports,
            vault=self._vault,
        )

    def _sandbox(self) -> PythonPart:
        around = self._surroundings()
        return PythonPart(
            "sandbox",
            "deploy.local.sandbox",
            around.sandbox_url,
            sandbox_environment(around, self._data / "sandbox"),
            self._log("sandbox"),
        )

    def _service(self, name: str) -> PythonPart:
        around = self._surroundings()
        return PythonPart(
            name,
            f"services.{name}.app",
            around.service_url(name),
            environment(name, around),
            self._log(name),
        )

    def _log(self, name: str) -> Path:
        return self._data / "logs" / f"{name}.log"
