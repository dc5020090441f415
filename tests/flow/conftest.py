"""All three services in one process: an in-memory log between them, a real database, a sandbox."""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

import services.audit.app
import services.dispatcher.app
import services.registry.app
from cli import demo_data, keyfile
from cli.connection import StackFile
from cli.police import signed
from deploy.local.issuer import Issuer, issuer_url
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.service_settings import SERVICES, Surroundings, environment, sandbox_environment
from deploy.local.tokens import ready_made_tokens
from deploy.local.vault import Vault
from services.audit.settings import AuditSettings
from services.dispatcher.settings import DispatcherSettings
from services.registry.settings import RegistrySettings
from shared.clock import Clock
from shared.contracts import Alert, Verdict
from shared.contracts.police import PoliceEvent
from shared.envelope import decode
from shared.kafka import Log
from shared.mongo import Client, connect
from shared.pseudonyms import rotate
from shared.service import serve
from shared.settings import ServiceSettings
from shared.tasks import Task
from shared.topics import VERDICTS
from tests.support.memory_kafka import MemoryCluster, MemoryLog
from tests.support.wait import until

Json = dict[str, Any]
S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True, slots=True)
class World:
    """The running services, and what a test drives and watches them with."""

    cluster: MemoryCluster
    around: Surroundings
    keys: Path
    tokens: dict[str, str]

    def http(self, service: str, token: str) -> httpx.AsyncClient:
        """Call a service as somebody."""
        return httpx.AsyncClient(
            base_url=self.around.service_url(service),
            headers={"Authorization": f"Bearer {self.tokens[token]}"},
            timeout=20,
        )

    async def accepted(self, channel: str) -> list[Json]:
        """Give what the sandbox accepted on a channel, in order."""
        async with httpx.AsyncClient(base_url=self.around.sandbox_url) as sandbox:
            return (await sandbox.get(f"/{channel}")).raise_for_status().json()

    async def phones(self, alert: Alert) -> list[str]:
        """Give who got an SMS that names the alert's mark, in order."""
        mark = alert.alert_id[:8]
        return [sms["to"] for sms in await self.accepted("sms") if mark in sms["body"]]

    async def is_ready(self) -> bool:
        """Tell whether every service, and the issuer, answers."""
        urls = [f"{self.around.service_url(name)}/readyz" for name in SERVICES]
        async with httpx.AsyncClient() as client:
            try:
                answers = [await client.get(url) for url in [*urls, self.around.issuer.jwks_url]]
            except httpx.TransportError:
                return False
        return all(answer.is_success for answer in answers)

    async def publish(self, event: PoliceEvent, officer: str = "officer-1") -> Verdict:
        """Publish as the zone's police, and give the verdict on it."""
        key = keyfile.read(demo_data.key_path(self.keys, officer))
        record = await self.cluster.append(signed(event, key, Clock()))

        def verdicts() -> list[Verdict]:
            found = [decode(r, Verdict).event for r in self.cluster.on(VERDICTS.name)]
            place = (record.topic, record.partition, record.offset)
            return [v for v in found if _place(v) == place]

        async def judged() -> bool:
            return bool(verdicts())

        await until(judged)
        return verdicts()[0]


def _place(verdict: Verdict) -> tuple[str, int, int]:
    return verdict.original.topic, verdict.original.partition, verdict.original.offset


def surroundings(folder: Path, mongo_url: str, issuer_port: int, smtp_port: int) -> Surroundings:
    """Choose ports and secrets, as the local stack does."""
    vault = Vault(folder / "secrets")
    ports: dict[str, int] = {}
    for name in (*SERVICES, "bounces"):
        ports[name] = free_port([issuer_port, smtp_port, *ports.values()])
    return Surroundings(
        kafka_bootstrap="in memory",
        kafka_passwords=dict.fromkeys(SERVICES, "unused"),
        mongo_urls=dict.fromkeys(SERVICES, mongo_url),
        issuer=Issuer(issuer_url(LOOPBACK, issuer_port), vault.signing_key("issuer")),
        sandbox_url=f"http://{LOOPBACK}:{issuer_port}",
        smtp_port=smtp_port,
        ports=ports,
        vault=vault,
    )


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory, mongo_admin_url: str) -> Surroundings:
    http_port = free_port()
    folder = tmp_path_factory.mktemp("stack")
    return surroundings(folder, mongo_admin_url, http_port, free_port([http_port]))


@pytest.fixture(scope="module")
def sandbox(around: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Run the sandbox of phones and mailboxes, as its own process."""
    folder = tmp_path_factory.mktemp("sandbox")
    child = subprocess.Popen(
        [sys.executable, "-m", "deploy.local.sandbox"], env=sandbox_environment(around, folder)
    )
    yield
    child.terminate()
    child.wait(10)


def settings_of(model: type[S], service: str, around: Surroundings) -> S:
    """Read a service's settings from the variables that the local stack would set."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment(service, around).items():
            patched.setenv(name, value)
        settings = model()  # pyright: ignore[reportCallIssue] - read from the environment
    name = f"test_{uuid.uuid4().hex[:12]}"
    return settings.model_copy(
        update={"mongo": settings.mongo.model_copy(update={"database": name})}
    )


class Wired(Protocol):
    """A service after wiring."""

    @property
    def http(self) -> FastAPI:
        """Its HTTP application."""
        ...

    @property
    def tasks(self) -> list[Task]:
        """Everything that runs beside it."""
        ...


Build = Callable[[S, Log, Client, Clock], Awaitable[Wired]]


@asynccontextmanager
async def running(
    build: Build[S], settings: S, cluster: MemoryCluster, service: str
) -> AsyncGenerator[None]:
    """Run one service, HTTP included, and drop its database afterwards."""
    async with connect(settings.mongo, service) as client:
        app = await build(settings, MemoryLog(cluster), client, Clock())
        task = asyncio.create_task(serve(app.http, settings.http, app.tasks))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await client.drop_database(settings.mongo.database)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    around: Surroundings, sandbox: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[World]:
    """Give the running services with the demo's people in them; the tests of a module share it."""
    del sandbox
    cluster, keys = MemoryCluster(), tmp_path_factory.mktemp("keys")
    rotate(around.vault.pseudonym_keys, ["demo"], datetime.now(UTC).year)
    around.vault.signing_key("log")
    tokens = ready_made_tokens(around.issuer)
    registry = settings_of(RegistrySettings, "registry", around)
    dispatcher = settings_of(DispatcherSettings, "dispatcher", around).model_copy(
        update={"close_again_after": timedelta(seconds=1)}  # a repair is seen in the test's time
    )
    audit = settings_of(AuditSettings, "audit", around)
    async with (
        running(services.registry.app.build, registry, cluster, "registry"),
        running(services.dispatcher.app.build, dispatcher, cluster, "dispatcher"),
        running(services.audit.app.build, audit, cluster, "audit"),
    ):
        world = World(cluster, around, keys, tokens)
        await until(world.is_ready, seconds=30)
        url = around.service_url("registry")
        await asyncio.to_thread(demo_data.load, StackFile(registry=url, tokens=tokens), keys)
        yield world
