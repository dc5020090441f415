"""The whole audit service on a real database and an in-memory log, driven through its topics."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import AnyHttpUrl, SecretStr

from services.audit.app import App, build
from services.audit.flows.check_lists import CheckLists
from services.audit.flows.check_messages import CheckMessages
from services.audit.settings import AuditSettings
from services.audit.store.closings import Closings
from services.audit.store.log import LogStore
from services.audit.store.messages import Messages
from services.audit.store.sends import Sends
from services.audit.store.years import Years
from shared import pseudonyms
from shared.access import Authenticator, Role
from shared.clock import Clock
from shared.contracts import Event, Send
from shared.contracts.base import Channel, Lane, MessageType, SendState
from shared.contracts.dispatcher import Basis
from shared.envelope import encode
from shared.kafka import Log, Outgoing
from shared.mongo import Client, Database, connect, database
from shared.settings import KafkaSettings, MongoSettings, OidcSettings
from shared.tasks import beside
from tests.integration.audit.rows import bodies
from tests.support.memory_kafka import MemoryCluster, MemoryLog

NOW = datetime(2026, 3, 14, 20, 15, tzinfo=UTC)
MESSAGE = "6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90"
OTHER = "9f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90"
"""Another message."""

_ISSUER = "https://issuer.example"
_NUMBERS = itertools.count(1)


@dataclass
class World:
    """One audit service, or several on one database."""

    settings: AuditSettings
    client: Client
    cluster: MemoryCluster
    token_key: OKPKey
    public_pem: str
    clock: Clock = field(default_factory=Clock)

    @property
    def database(self) -> Database:
        """The service's own database."""
        return database(self.client, self.settings.mongo.database)

    def log(self) -> Log:
        """A view of the cluster."""
        return MemoryLog(self.cluster)

    async def build(self) -> App:
        """Wire a process of the service."""
        app = await build(self.settings, self.log(), self.client, self.clock)
        keys = httpx.MockTransport(
            lambda _: httpx.Response(200, json={"keys": [self.token_key.as_dict(private=False)]})
        )
        app.http.state.authenticator = Authenticator(
            self.settings.oidc, Clock(), httpx.AsyncClient(transport=keys)
        )
        return app

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[App]:
        """Run a process of the service; leaving ends it as a kill does, between two steps."""
        app = await self.build()
        async with beside(app.tasks):
            yield app

    async def publish(self, *events: Event) -> None:
        """Publish as the owning service does."""
        for event in events:
            await self.cluster.append(
                encode(event, ce_id=f"ce-{next(_NUMBERS)}", source="buurtbode/test", time=NOW)
            )

    async def publish_raw(self, outgoing: Outgoing) -> None:
        """Publish exact bytes."""
        await self.cluster.append(outgoing)

    def token(
        self,
        *roles: Role,
        zone: str | None = "demo",
        sub: str = "auditor-1",
        life: timedelta = timedelta(minutes=10),
    ) -> str:
        """Give a bearer token that ends so long from now."""
        claims = {
            "iss": _ISSUER,
            "aud": "buurtbode",
            "sub": sub,
            "roles": [str(role) for role in roles],
            "zone": zone,
            "exp": int((datetime.now(UTC) + life).timestamp()),
        }
        header = {"alg": "Ed25519", "kid": "test"}
        return jwt.encode(header, claims, self.token_key, algorithms=["Ed25519"])

    @asynccontextmanager
    async def http(
        self, app: App, *roles: Role, zone: str | None = "demo", sub: str = "auditor-1"
    ) -> AsyncGenerator[httpx.AsyncClient]:
        """Give an HTTP client of the service, as somebody."""
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app.http),
            base_url="http://audit",
            headers={"Authorization": f"Bearer {self.token(*roles, zone=zone, sub=sub)}"},
        ) as client:
            yield client

    async def signed(self, size: int, log: str = "demo") -> None:
        """Wait until a checkpoint covers at least so many entries."""

        async def there() -> bool:
            row = await self.database["signed"].find_one({"_id": log})
            return row is not None and row["size"] >= size

        await until(there, f"a checkpoint of {size}")

    async def size(self, log: str = "demo") -> int:
        """Count the entries of a log."""
        return len(await bodies(self.database, log))


def check_lists(world: World) -> CheckLists:
    """Give the daily check of what follows from a log."""
    kept_for = (world.settings.text_kept_for, world.settings.private_kept_for)
    log = LogStore(world.database, world.clock, *kept_for)
    messages, closings = Messages(world.database), Closings(world.database)
    check_messages = CheckMessages(world.client, log, messages, closings)
    sends, years = Sends(world.database), Years(world.database)
    return CheckLists(world.client, log, sends, years, check_messages)


async def until(there: Callable[[], Awaitable[bool]], what: str, seconds: float = 15) -> None:
    """Wait for a condition, with a bound."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not await there():
                await asyncio.sleep(0.02)
            return
    message = f"waited {seconds} s in vain for {what}"
    raise AssertionError(message)


@asynccontextmanager
async def new_world(mongo: MongoSettings, folder: Path) -> AsyncGenerator[World]:
    """Make a world with fresh keys."""
    signing = Ed25519PrivateKey.generate()
    pem = folder / "signing.pem"
    pem.write_bytes(signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    ring = folder / "ring.json"
    pseudonyms.rotate(ring, ["demo", "other"], datetime.now(UTC).year)
    settings = AuditSettings(
        kafka=KafkaSettings(bootstrap="memory", user="audit", password=SecretStr("none")),
        mongo=mongo,
        oidc=OidcSettings(
            issuer=_ISSUER,
            audience="buurtbode",
            jwks_url=AnyHttpUrl(f"{_ISSUER}/jwks"),
        ),
        pseudonym_keys=ring,
        signing_key=pem,
    )
    public = signing.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    async with connect(mongo, "test") as client:
        yield World(
            settings=settings,
            client=client,
            cluster=MemoryCluster(),
            token_key=OKPKey.generate_key("Ed25519", parameters={"kid": "test", "use": "sig"}),
            public_pem=public.decode(),
        )


def send(
    number: int,
    seq: int = 1,
    state: SendState = SendState.ACCEPTED,
    *,
    zone: str = "demo",
    message: str = MESSAGE,
    members: Sequence[str] | None = None,
    recipient: str | None = None,
    networks: Sequence[str] = ("bin-linde",),
    channel: Channel = Channel.SMS,
    message_type: MessageType = MessageType.ALERT,
) -> Send:
    """Give one change of one send."""
    return Send(
        event_id=f"event-{zone}-{number}-{seq}",
        zone_id=zone,
        send_id=f"send-{number}",
        seq=seq,
        message_id=message,
        message_type=message_type,
        network_ids=tuple(networks),
        member_ids=tuple(members or (f"member-{number}",)),
        recipient=recipient or f"{number:064x}",
        recipient_year=2026,
        lane=Lane.WARM if channel is Channel.SMS else Lane.COLD,
        channel=channel,
        state=state,
        attempt=1,
        language="nl",
        template="alert",
        segments=1,
        provider_reference=f"SM{number:032d}",
        basis=Basis(legal="police-act-1992-art-44", house_rules={"bin-linde": 2}),
        time=NOW + timedelta(seconds=seq),
    )
