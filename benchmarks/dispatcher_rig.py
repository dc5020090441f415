"""A real broker, a real database, a stand-in provider and dispatcher processes, to measure them."""

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import psutil
from pydantic import SecretStr
from pymongo.asynchronous.collection import AsyncCollection

from deploy.kafka_admin import add_service_users, apply_topics
from deploy.local.ports import LOOPBACK, free_port, is_free
from deploy.local.python_part import PythonPart
from services.dispatcher.store.copy import Copy
from shared.contracts import Bulletin, Event, Member
from shared.envelope import encode
from shared.kafka import KafkaLog
from shared.mongo import Client, Database, Session, connect, transaction
from shared.mongo import database as open_database
from shared.pseudonyms import rotate
from shared.settings import KafkaSettings, MongoSettings
from tests.support.police import Police, outgoing
from tests.support.servers import start_kafka, start_mongo

_PAGE = 2000
_PATIENCE_S = 600.0
"""How long a message may take before a benchmark gives up: far more than any target, since a missed
one is to be reported."""

_FIRST_NUMBER = 32_450_000_000
_DATABASE = "dispatcher"


def given(name: str, default: int) -> int:
    """Give a whole number from the environment, `BUURTBODE_BENCHMARK_...`, or the default."""
    return int(os.environ.get(f"BUURTBODE_BENCHMARK_{name}", str(default)))


def cpu(*processes: psutil.Process) -> float:
    """Give the processor seconds that these have used, user and system."""
    return sum(times.user + times.system for times in (one.cpu_times() for one in processes))


class Provider:
    """The stand-in of `benchmarks.provider` as a process."""

    def __init__(self, delay_ms: float = 0.0) -> None:
        """Keep the delay; `start` starts it."""
        self.http = free_port()
        self.smtp = _free_pair()
        self._delay = delay_ms
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client()  # kept: making one costs 20 ms of processor time

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks.provider", "--http", str(self.http)),
                *("--smtp", str(self.smtp), "--delay", str(self._delay)),
            ]
        )
        for _ in range(200):
            try:
                self.read()
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return self
        raise RuntimeError("the stand-in provider does not start")

    def __exit__(self, *exc: object) -> None:
        """End it."""
        self._client.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    @property
    def url(self) -> str:
        """Where its Twilio is."""
        return f"http://{LOOPBACK}:{self.http}"

    def _book(self, channel: str) -> str:
        return f"http://{LOOPBACK}:{self.http if channel == 'sms' else self.smtp + 1}/book"

    def read(self, channel: str = "sms") -> dict[str, float]:
        """Give what it accepted."""
        return dict(self._client.get(self._book(channel)).json())

    def reset(self, channel: str = "sms") -> None:
        """Begin a new book."""
        self._client.delete(self._book(channel)).raise_for_status()


def _free_pair() -> int:
    """Give a free port whose next one is free too."""
    while not is_free((port := free_port()) + 1):
        pass
    return port


@dataclass(frozen=True, slots=True)
class Run:
    """One message from the topic to its last event."""

    people: int
    seconds: float
    """From before the message was published to the acknowledgement of its last event."""

    accepted: float
    """From the same moment to the provider's last acceptance."""

    first: float
    """From the same moment to the provider's first acceptance."""

    cpu: dict[str, float]
    """Processor seconds by process: `dispatcher`, `mongod`, `kafka`."""

    @property
    def rate(self) -> float:
        """Give sends per second, over the whole way."""
        return self.people / self.seconds


@dataclass
class Rig:
    """Broker, database and provider; starts dispatchers and gives them people and messages."""

    folder: Path
    kafka: KafkaSettings
    mongo: MongoSettings
    provider: Provider
    log: KafkaLog
    client: Client
    police: Police = field(default_factory=Police)
    parts: list[PythonPart] = field(default_factory=list[PythonPart])
    servers: dict[str, psutil.Process] = field(default_factory=dict[str, psutil.Process])

    @property
    def database(self) -> Database:
        """Give the dispatcher's database."""
        return open_database(self.client, self.mongo.database)

    @property
    def sends(self) -> AsyncCollection[dict[str, Any]]:
        """Give the ledger's collection."""
        return self.database["sends"]

    async def start(self, **changes: str) -> PythonPart:
        """Start one more dispatcher process; `changes` are settings."""
        port = free_port()
        values = {**self._settings(port), **changes}
        environment = {f"BUURTBODE_{name}": value for name, value in values.items()}
        url = f"http://{LOOPBACK}:{port}"
        log = self.folder / f"dispatcher-{len(self.parts)}.log"
        part = PythonPart("dispatcher", "services.dispatcher.app", url, environment, log)
        await asyncio.to_thread(part.start)
        self.parts.append(part)
        return part

    def stop(self) -> None:
        """Stop all dispatchers."""
        while self.parts:
            self.parts.pop().stop()

    def _settings(self, port: int) -> dict[str, str]:
        values = {
            "KAFKA__BOOTSTRAP": self.kafka.bootstrap,
            "KAFKA__USER": self.kafka.user,
            "KAFKA__PASSWORD": self.kafka.password.get_secret_value(),
            "KAFKA__PROTOCOL": self.kafka.protocol,
            "MONGO__URL": self.mongo.url.get_secret_value(),
            "MONGO__DATABASE": self.mongo.database,
            "OIDC__ISSUER": "https://issuer.example",
            "OIDC__AUDIENCE": "buurtbode",
            "OIDC__JWKS_URL": "https://issuer.example/jwks",
            "HTTP__HOST": LOOPBACK,
            "HTTP__PORT": str(port),
            "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
            "PSEUDONYM_KEYS": str(self.folder / "ring.json"),
            "REGISTRY_URL": "https://registry.example",
            "LOG_LEVEL": "warning",
        }
        for prefix in ("", "TEST_"):
            values |= {
                f"{prefix}TWILIO__ACCOUNT_SID": "AC" + "5" * 32,
                f"{prefix}TWILIO__AUTH_TOKEN": "token",
                f"{prefix}TWILIO__API_URL": self.provider.url,
                f"{prefix}TWILIO__CALLBACK_TOKEN": prefix + "callback",
                f"{prefix}TWILIO__CONCURRENCY": "100",
                f"{prefix}TWILIO__MESSAGES_PER_SECOND": "100000",
                f"{prefix}SMTP__HOST": LOOPBACK,
                f"{prefix}SMTP__PORT": str(self.provider.smtp),
                f"{prefix}SMTP__ENCRYPTION": "none",
                f"{prefix}SMTP__SENDER": "no-reply@bin.example",
                f"{prefix}SMTP__MESSAGES_PER_SECOND": "100000",
            }
        return values

    async def publish(self, *events: Event) -> None:
        """Publish events as the registry does."""
        now = datetime.now(UTC)
        source = "buurtbode/benchmark"
        await self.log.publish(
            [encode(event, ce_id="benchmark", source=source, time=now) for event in events]
        )

    async def networks(self, sizes: dict[str, int]) -> None:
        """Publish the zone and networks, and store their members.

        The members are written by the copy's own store; that they come by a topic is no part of
        what is measured.
        """
        await self.publish(self.police.zone(), *(self.police.network(name) for name in sizes))
        copy, first = Copy(self.database), 0
        for name, size in sizes.items():
            for start in range(0, size, _PAGE):
                page = range(first + start, first + min(start + _PAGE, size))

                async def work(
                    session: Session, page: Sequence[int] = page, name: str = name
                ) -> None:
                    await copy.apply_members(session, [_member(name, n) for n in page])

                await transaction(self.client, work)
            first += size

    async def alert(self, networks: Sequence[str], people: int, within: float = _PATIENCE_S) -> Run:
        """Send one alert and wait until it is through."""
        self.provider.reset()
        now = datetime.now(UTC)
        alert = self.police.alert(
            network_ids=tuple(networks), issued_at=now, expires_at=now + timedelta(hours=2)
        )
        record = outgoing(self.police.record(alert))
        before = self._used()
        began = time.monotonic()
        await self.log.publish([record])
        return await self._through(
            "sms", alert.alert_id, people, began=began, before=before, within=within
        )

    async def bulletin(self, network: str, people: int, within: float = _PATIENCE_S) -> Run:
        """Send one bulletin and wait until it is through."""
        self.provider.reset("mail")
        event = self.bulletin_event(network)
        before = self._used()
        began = time.monotonic()
        await self.publish(event)
        return await self._through(
            "mail", event.bulletin_id, people, began=began, before=before, within=within
        )

    def bulletin_event(self, network: str) -> Bulletin:
        """Make a bulletin, released to a network now."""
        now = datetime.now(UTC)
        return Bulletin.model_validate(
            {
                "zone_id": self.police.zone_id,
                "bulletin_id": self.police.alert().alert_id,
                "network_id": network,
                "kind": "prevention",
                "status": "actual",
                "subject": {"nl": "Fietsdiefstal: wat u kunt doen"},
                "body": {"nl": "Zet uw fiets op slot.\n\nLaat hem graveren."},
                "issued_by": "officer-1",
                "released_by": "0" * 64,
                "released_at": now,
                "expires_at": now + timedelta(days=14),
            }
        )

    async def _through(
        self,
        channel: str,
        message_id: str,
        people: int,
        *,
        began: float,
        before: dict[str, float],
        within: float,
    ) -> Run:
        async with asyncio.timeout(within):
            while True:
                await asyncio.sleep(0.1)
                book = await asyncio.to_thread(self.provider.read, channel)
                if book["count"] >= people:
                    break
            mine = {"message": {"$regex": f"\\|{message_id}\\|"}}
            while (  # noqa: ASYNC110 - what is waited for lives elsewhere
                await self.sends.find_one({**mine, "held": {"$exists": True}}, hint="leased")
                or await self.sends.find_one({**mine, "pending": True}, hint="unpublished")
            ):
                await asyncio.sleep(0.02)
        ended = time.monotonic()
        used = {name: after - before[name] for name, after in self._used().items()}
        if not book["count"] == book["people"] == people:
            message = f"{people} planned, provider has {book}"
            raise RuntimeError(message)
        return Run(people, ended - began, book["last"] - began, book["first"] - began, used)

    def _used(self) -> dict[str, float]:
        ours = [psutil.Process(part.pid) for part in self.parts if part.pid]
        return {"dispatcher": cpu(*ours), **{n: cpu(p) for n, p in self.servers.items()}}


def _member(network: str, number: int) -> Member:
    return Member.model_validate(
        {
            "member_id": f"m{number:08d}-{number * 2654435761 % 2**32:08x}",
            "version": 1,
            "zone_id": "demo",
            "network_id": network,
            "state": "active",
            "language": "nl",
            "phone": f"+{_FIRST_NUMBER + number}",
            "email": f"m{number}@example.org",
            "unsubscribe_token": f"{number:064x}",
        }
    )


@asynccontextmanager
async def rig(folder: Path, delay_ms: float = 0.0) -> AsyncGenerator[Rig]:
    """Start everything but the dispatchers below a folder; leaving ends all of it."""
    async with AsyncExitStack() as stack:
        me = psutil.Process()
        kafka = start_kafka(folder / "kafka")
        stack.callback(kafka.stop)
        mongo = start_mongo(folder / "mongo")
        stack.callback(mongo.stop)
        children = me.children(recursive=True)
        servers = {
            "mongod": next(child for child in children if child.name() == "mongod"),
            "kafka": next(child for child in children if child.name() == "java"),
        }
        add_service_users(kafka.operator, {"dispatcher": secrets.token_hex(12)})
        apply_topics(kafka.operator)
        rotate(folder / "ring.json", ["demo"], datetime.now(UTC).year)
        provider = stack.enter_context(Provider(delay_ms))
        settings = MongoSettings(url=SecretStr(mongo.admin_url), database=_DATABASE)
        log = await stack.enter_async_context(KafkaLog(kafka.operator, "benchmark"))
        client = await stack.enter_async_context(connect(settings, "benchmark"))
        made = Rig(folder, kafka.operator, settings, provider, log, client, servers=servers)
        await Copy(made.database).prepare()
        stack.callback(made.stop)
        yield made
