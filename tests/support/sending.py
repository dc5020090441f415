"""A whole dispatcher on a real database and the sandbox, with its HTTP side on a real port."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn
from pydantic import AnyHttpUrl, SecretStr

from deploy.local.issuer import AUDIENCE, ISSUER_PATH, Issuer
from deploy.local.ports import LOOPBACK, free_port
from services.dispatcher.app import App, build
from services.dispatcher.domain.events import digest
from services.dispatcher.flows.check_history import OWN_TOPICS
from services.dispatcher.settings import DispatcherSettings, SmtpSettings, TwilioSettings
from services.dispatcher.store.restored import Restored
from shared.clock import Clock
from shared.contracts import Alert, Bulletin, Member, MessageClosed, Send
from shared.http import trusted
from shared.kafka import Log
from shared.mongo import Client, Database, connect
from shared.mongo import database as open_database
from shared.pseudonyms import rotate
from shared.service import http_server
from shared.settings import HttpSettings, KafkaSettings, MongoSettings, OidcSettings
from shared.tasks import end
from tests.support.dispatcher import member, published
from tests.support.memory_kafka import MemoryCluster, MemoryLog
from tests.support.police import Police, outgoing
from tests.support.sandbox import ACCOUNT, OTHER_ACCOUNT, TOKEN, Sandbox
from tests.support.wait import until

CALLBACK = "callback-token-of-the-account"
TEST_CALLBACK = "callback-token-of-the-test-account"


def settings_for(
    sandbox: Sandbox, mongo: MongoSettings, folder: Path, port: int, **changes: Any
) -> DispatcherSettings:
    """Give a dispatcher's settings, with the durations of a test."""

    def twilio(sid: str, token: str, callback: str) -> TwilioSettings:
        return TwilioSettings(
            account_sid=sid,
            auth_token=SecretStr(token),
            api_url=AnyHttpUrl(sandbox.url),
            callback_token=SecretStr(callback),
            timeout=timedelta(seconds=2),
            messages_per_second=5000,
        )

    smtp = SmtpSettings(
        host=LOOPBACK,
        port=sandbox.smtp_port,
        encryption="none",
        sender="no-reply@bin.example",
        messages_per_second=1000,
    )
    url = f"http://{LOOPBACK}:{port}"
    issuer = f"{sandbox.url}{ISSUER_PATH}"
    values: dict[str, Any] = {
        "kafka": KafkaSettings(bootstrap="unused:1", user="u", password=SecretStr("p")),
        "mongo": mongo,
        "oidc": OidcSettings(
            issuer=issuer, audience=AUDIENCE, jwks_url=AnyHttpUrl(f"{issuer}/jwks.json")
        ),
        "http": HttpSettings(host=LOOPBACK, port=port),
        "public_url": AnyHttpUrl(url),
        "pseudonym_keys": folder / "keys.json",
        "registry_url": AnyHttpUrl("https://registry.example"),
        "twilio": twilio(ACCOUNT, TOKEN, CALLBACK),
        "test_twilio": twilio(OTHER_ACCOUNT, "another-token", TEST_CALLBACK),
        "smtp": smtp,
        "test_smtp": smtp,
        "lease": timedelta(seconds=4),
        "second_attempt_after": timedelta(seconds=3),
        "reconcile_after": timedelta(milliseconds=500),
        "close_again_after": timedelta(milliseconds=500),
        "job_interval": timedelta(milliseconds=100),
        **changes,
    }
    return DispatcherSettings.model_validate(values)


@dataclass
class Dispatcher:
    """A dispatcher in this process; `kill` ends it as a crash would, `stop` as SIGTERM does."""

    settings: DispatcherSettings
    log: Log
    clock: Clock = field(default_factory=Clock)
    app: App = field(init=False)
    _server: uvicorn.Server = field(init=False)
    _serving: asyncio.Task[None] = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        """Start everything."""
        client = await self._stack.enter_async_context(connect(self.settings.mongo, "test"))
        self.app = await build(self.settings, self.log, client, self.clock)
        self._tasks = [_start(task) for task in self.app.tasks]
        port, ending = self.settings.http.port, timedelta(seconds=1)
        server = http_server(self.app.http, LOOPBACK, port, ending)
        self._server = server
        self._serving = _start(server._serve)  # pyright: ignore[reportPrivateUsage] - `serve` takes the signals
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop as on SIGTERM; a fault of any part is raised here."""
        self._server.should_exit = True
        await self._serving
        await end(self._tasks)
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()
        for result in results:
            if isinstance(result, Exception):
                raise result


def _start(task: Callable[[], Any]) -> asyncio.Task[None]:
    async def go() -> None:
        await task()

    return asyncio.create_task(go())


@dataclass
class World:
    """A zone with two networks and its people, a sandbox, and what came out of all of it."""

    sandbox: Sandbox
    mongo: MongoSettings
    folder: Path
    cluster: MemoryCluster = field(default_factory=MemoryCluster)
    police: Police = field(default_factory=Police)
    http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(timeout=10, verify=trusted())
    )

    def __post_init__(self) -> None:
        """Make the keys of the pseudonyms."""
        rotate(self.folder / "keys.json", ["demo", "other"], datetime.now(UTC).year)

    @property
    def log(self) -> MemoryLog:
        """Give a connection to the log."""
        return MemoryLog(self.cluster)

    def dispatcher(self, **changes: Any) -> Dispatcher:
        """Make a dispatcher, not started."""
        port = free_port()
        return Dispatcher(
            settings_for(self.sandbox, self.mongo, self.folder, port, **changes), self.log
        )

    async def people(self, *members: Member, **network: Any) -> None:
        """Publish the zone, networks n1 and n2, and these people."""
        await self.log.publish(
            [
                published(event)
                for event in (
                    self.police.zone(),
                    self.police.network("n1", **network),
                    self.police.network("n2"),
                    *members,
                )
            ]
        )

    async def alert(self, **changes: Any) -> str:
        """Publish a signed alert and give its id."""
        changes.setdefault("issued_at", datetime.now(UTC))
        alert: Alert = self.police.alert(**changes)
        await self.log.publish([outgoing(self.police.record(alert))])
        return alert.alert_id

    async def bulletin(self, bulletin_id: str, network_id: str, **changes: Any) -> None:
        """Publish a bulletin's release to one network."""
        now = datetime.now(UTC)
        fields: dict[str, Any] = {
            "zone_id": "demo",
            "bulletin_id": bulletin_id,
            "network_id": network_id,
            "kind": "prevention",
            "status": "actual",
            "subject": {"nl": "Fietsdiefstal: wat u kunt doen", "fr": "Vol de vélos"},
            "body": {"nl": "Zet uw fiets op slot.\n\nGraveer <hem>.", "fr": "Attachez-le."},
            "issued_by": "officer-1",
            "released_by": "0" * 64,
            "released_at": now,
            "expires_at": now + timedelta(days=14),
            **changes,
        }
        await self.log.publish([published(Bulletin.model_validate(fields))])

    async def sms(self) -> list[dict[str, Any]]:
        """Give what the sandbox accepted as SMS."""
        return list((await self.http.get(f"{self.sandbox.url}/sms")).json())

    async def mail(self) -> list[dict[str, Any]]:
        """Give what the sandbox accepted as mail."""
        return list((await self.http.get(f"{self.sandbox.url}/mail")).json())

    async def fault(self, channel: str, fault: str, **more: Any) -> None:
        """Have the sandbox misbehave."""
        body = {"channel": channel, "fault": fault, **more}
        (await self.http.post(f"{self.sandbox.url}/faults", json=body)).raise_for_status()

    async def behave(self) -> None:
        """Have the sandbox behave from now on."""
        (await self.http.delete(f"{self.sandbox.url}/faults")).raise_for_status()

    def token(self, role: str, *, sub: str = "sub-1", zone: str = "demo") -> dict[str, str]:
        """Give the authorisation header of somebody."""
        url = f"{self.sandbox.url}{ISSUER_PATH}"
        issuer = Issuer(url, Path(self.sandbox.part.environment()["BUURTBODE_SANDBOX_ISSUER_KEY"]))
        return {"Authorization": f"Bearer {issuer.mint(role, sub=sub, zone=zone)}"}

    def events(self, message_id: str) -> list[Send]:
        """Give the send events of a message on the topic, each once, in order."""
        seen: dict[str, Send] = {}
        for record in self.cluster.on("bin.sends"):
            if dict(record.headers)["ce_type"] == Send.TYPE.encode():
                event = Send.from_json(record.value)
                if event.message_id == message_id:
                    seen.setdefault(event.event_id, event)
        return list(seen.values())

    def closings(self, message_id: str) -> list[MessageClosed]:
        """Give the closing statements of a message on the topic."""
        found = [
            MessageClosed.from_json(record.value)
            for record in self.cluster.on("bin.sends")
            if dict(record.headers)["ce_type"] == MessageClosed.TYPE.encode()
        ]
        return [one for one in found if one.message_id == message_id]

    async def closed(
        self, message_id: str, revision: int = 1, seconds: float = 40
    ) -> MessageClosed:
        """Wait for a closing statement and give it."""

        async def there() -> bool:
            return any(one.revision >= revision for one in self.closings(message_id))

        await until(there, seconds)
        return self.closings(message_id)[-1]

    async def rows(self, message_id: str) -> list[dict[str, Any]]:
        """Give the ledger's rows of a message, as they are stored."""
        async with connect(self.mongo, "look") as client:
            found = _database(client, self.mongo)["sends"].find({"message_id": message_id})
            return await found.sort("destination", 1).to_list()

    async def agree(self, message_id: str) -> None:
        """Check that ledger, topic and closing statement say the same, one to one."""
        rows = await self.rows(message_id)
        events = self.events(message_id)
        by_send: dict[str, list[Send]] = {}
        for event in events:
            by_send.setdefault(event.send_id, []).append(event)
        assert set(by_send) == {row["_id"] for row in rows}
        for row in rows:
            mine = by_send[row["_id"]]
            assert [event.seq for event in mine] == list(range(1, row["seq"] + 1))
            assert str(mine[-1].state) == row["state"]
        closing = self.closings(message_id)[-1]
        assert closing.sends == len(rows)
        assert closing.events == len(events)
        assert closing.digest == digest(event.event_id for event in events)


async def begin_after(log: Log, mongo: MongoSettings) -> None:
    """Have a new database know what earlier tests published, or it is taken for a restored one."""
    async with connect(mongo, "test") as client:
        await Restored(_database(client, mongo)).mark(await log.end_offsets(OWN_TOPICS))


def _database(client: Client, mongo: MongoSettings) -> Database:
    return open_database(client, mongo.database)


def crowd(count: int, network: str = "n1", **changes: Any) -> list[Member]:
    """Give invented members of a network, all with different numbers that arrive."""
    first = 700_000 if network == "n1" else 800_000
    return [
        member(
            f"{network}-m{index}",
            network,
            phone=f"+32450{first + index:07d}",
            email=f"{network}-m{index}@example.org",
            **changes,
        )
        for index in range(count)
    ]
