"""The registry on a real database, with an in-memory log and an issuer of the test's own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import AnyHttpUrl, SecretStr

from services.registry.app import App, build
from services.registry.consumers import COMPARING, ERASED, OWN, build_consumers
from services.registry.settings import RegistrySettings
from shared import pseudonyms, signatures
from shared.access import Authenticator
from shared.clock import Clock
from shared.consume import Consumer
from shared.contracts import BulletinProposed, Event
from shared.contracts.police import SIGNATURE_HEADER
from shared.envelope import decode_any, encode
from shared.kafka import Outgoing, Positions
from shared.mongo import Client, Database, connect, database
from shared.outbox import OutboxPublisher
from shared.settings import KafkaSettings, MongoSettings, OidcSettings
from shared.tasks import end
from shared.topics import ERASURES, PROPOSALS, REPLAYS, SENDS, VERDICTS
from tests.support.memory_kafka import MemoryCluster, MemoryLog

Json = dict[str, Any]
E = TypeVar("E", bound=Event)

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_READS = {
    "registry.own": OWN,
    "registry.erasures": (ERASURES,),
    "registry.proposals": (PROPOSALS,),
    "registry.verdicts": (VERDICTS,),
    "registry.sends": (SENDS,),
    "registry.replays": (REPLAYS,),
}
ISSUER = "https://issuer.example"
AUDIENCE = "buurtbode"


@dataclass
class Time:
    """A clock that stands still until a test moves it; ids and tokens stay random."""

    now: datetime = START

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now)

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Registry:
    """A wired registry and what a test drives it with."""

    app: App
    client: Client
    database: Database
    cluster: MemoryCluster
    time: Time
    http: httpx.AsyncClient
    ring: Path
    settings: RegistrySettings
    signing_key: OKPKey
    clock: Clock
    zone_keys: dict[str, tuple[str, OKPKey]] = field(default_factory=dict[str, tuple[str, OKPKey]])

    def token(self, sub: str, *roles: str, **claims: str) -> str:
        now = int(self.time.now.timestamp())
        return jwt.encode(
            {"alg": "Ed25519", "kid": "issuer"},
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": sub,
                "iat": now,
                "exp": now + 10**7,
                "roles": list(roles),
                **claims,
            },
            self.signing_key,
            algorithms=["Ed25519"],
        )

    def as_(self, sub: str, *roles: str, **claims: str) -> "As":
        return As(self.http, {"Authorization": f"Bearer {self.token(sub, *roles, **claims)}"})

    @property
    def admin(self) -> "As":
        return self.as_("admin-1", "admin")

    @property
    def operator(self) -> "As":
        return self.as_("operator-1", "operator")

    def police(self, zone: str = "demo", sub: str = "police-1") -> "As":
        return self.as_(sub, "police", zone=zone)

    def coordinator(self, sub: str = "coordinator-1") -> "As":
        return self.as_(sub, "coordinator")

    async def publish(self) -> None:
        """Publish everything in the outbox."""
        publisher = OutboxPublisher(
            self.app.context.outbox, MemoryLog(self.cluster), self.database, "test"
        )
        while await publisher.publish_once():
            pass

    async def events(self, kind: type[E]) -> list[E]:
        """Give every event of a kind that reached the log, in order per partition.

        One that a stopped publisher had published and not yet forgotten stands there again, to
        the letter; here, as for every consumer, it is one event.
        """
        await self.publish()
        once = {(r.key, r.value, r.headers): r for r in self.cluster.on(kind.TOPIC.name)}
        found = [decode_any(record).event for record in once.values()]
        return [event for event in found if isinstance(event, kind)]

    async def propose(self, proposal: BulletinProposed, **change: Any) -> None:
        """Sign and publish a proposal; `change` overrides the key, the value or the headers."""
        value = change.get("value", proposal.to_json())
        kid, key = self.zone_keys[proposal.zone_id]
        token = signatures.sign(value, key, kid=kid, zone=proposal.zone_id, topic=PROPOSALS.name)
        outgoing = encode(proposal, ce_id="ce-1", source="police", time=self.time.now)
        signed = {SIGNATURE_HEADER: token.encode()} | change.get("headers", {})
        headers = tuple({**dict(outgoing.headers), **signed}.items())
        key = change.get("key", outgoing.key)
        await self.cluster.append(Outgoing(outgoing.topic, key, value, headers))

    async def catch_up(self, *groups: str) -> None:
        """Let each consumer, or these, handle in turn what its topics hold beyond its positions."""
        log = MemoryLog(self.cluster)
        gate = self.app.http.state.gate
        for consumer in build_consumers(self.app.context, log, self.client, self.database, gate):
            if groups and consumer.group not in groups:
                continue
            reads = [topic.name for topic in _READS[consumer.group]]
            ends = await log.end_offsets(reads)
            running = asyncio.create_task(consumer.run())
            try:
                while not _passed(consumer, ends):
                    if running.done():
                        await running
                    await asyncio.sleep(0.002)
            finally:
                await end([running])

    async def consume(self, until: Callable[[], Awaitable[bool]]) -> None:
        """Run the service's tasks until a condition holds."""
        running = [asyncio.create_task(_run(task)) for task in self.app.tasks]
        try:
            async with asyncio.timeout(20):
                while not await until():
                    for task in running:
                        if task.done():
                            await task
                    await asyncio.sleep(0.02)
        finally:
            await end(running)


def _passed(consumer: Consumer, ends: Positions) -> bool:
    stands = consumer.health.positions
    return all(stands.get(partition, 0) >= end for partition, end in ends.items())


async def _run(task: Callable[[], Awaitable[None]]) -> None:
    await task()


@dataclass
class As:
    """Calls as somebody."""

    http: httpx.AsyncClient
    headers: dict[str, str]

    async def call(self, method: str, path: str, status: int | None = None, **rest: Any) -> Any:
        """Call, check the status where one is given, and give the JSON."""
        answer = await self.raw(method, path, **rest)
        if status is not None:
            assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer.json()

    async def raw(self, method: str, path: str, **rest: Any) -> httpx.Response:
        headers = {**self.headers, **rest.pop("headers", {})}
        return await self.http.request(method, f"/v1{path}", headers=headers, **rest)

    async def get(self, path: str, status: int = 200, **rest: Any) -> Any:
        return await self.call("GET", path, status, **rest)

    async def post(self, path: str, status: int = 200, **rest: Any) -> Any:
        return await self.call("POST", path, status, **rest)


def registry_settings(mongo: MongoSettings, ring: Path) -> RegistrySettings:
    """Give settings whose Kafka is never reached: the log is injected."""
    return RegistrySettings(
        kafka=KafkaSettings(bootstrap="unused", user="registry", password=SecretStr("unused")),
        mongo=mongo,
        oidc=OidcSettings(issuer=ISSUER, audience=AUDIENCE, jwks_url=AnyHttpUrl(f"{ISSUER}/jwks")),
        pseudonym_keys=ring,
    )


async def make_registry(mongo: MongoSettings, folder: Path) -> Registry:
    """Wire a registry; the caller closes it with `close_registry`."""
    at = Time()
    signing_key = OKPKey.generate_key("Ed25519", parameters={"kid": "issuer", "use": "sig"})
    settings = registry_settings(mongo, folder / "ring.json")
    return await _wire(
        settings,
        cluster=MemoryCluster(),
        at=at,
        clock=at.clock(),
        signing_key=signing_key,
        zone_keys={},
    )


async def restart_registry(
    old: Registry, left_open: Sequence[Json] = (), *, read: bool = True
) -> Registry:
    """Wire it again as a new process would: the database, the log and the time go on.

    A transaction in a session that the old one left open ends here, and not after the server's
    time for it. With `read`, it has read its own topics, as it does first of all.
    """
    if left_open:
        await old.client.admin.command({"killSessions": list(left_open)})
    await close_registry(old)
    made = await _wire(
        old.settings,
        cluster=old.cluster,
        at=old.time,
        clock=old.clock,
        signing_key=old.signing_key,
        zone_keys=old.zone_keys,
    )
    for part in fields(made):  # whoever holds the old one, and closes it, holds the new one
        setattr(old, part.name, getattr(made, part.name))
    if read:
        await old.catch_up(COMPARING, ERASED)
    return old


async def _wire(
    settings: RegistrySettings,
    *,
    cluster: MemoryCluster,
    at: Time,
    clock: Clock,
    signing_key: OKPKey,
    zone_keys: dict[str, tuple[str, OKPKey]],
) -> Registry:
    client = connect(settings.mongo, "registry-test")
    app = await build(settings, MemoryLog(cluster), client, clock)
    keys = {"keys": [signing_key.as_dict(private=False)]}
    jwks = httpx.MockTransport(lambda _request: httpx.Response(200, json=keys))
    app.http.state.authenticator = Authenticator(
        settings.oidc, clock, httpx.AsyncClient(transport=jwks)
    )
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app.http), base_url="http://registry.example"
    )
    return Registry(
        app=app,
        client=client,
        database=database(client, settings.mongo.database),
        cluster=cluster,
        time=at,
        http=http,
        ring=settings.pseudonym_keys,
        settings=settings,
        signing_key=signing_key,
        clock=clock,
        zone_keys=zone_keys,
    )


async def close_registry(registry: Registry) -> None:
    """Disconnect."""
    await registry.http.aclose()
    await registry.client.close()


LEGAL = {"warm": "WPA art. 44/5", "cold": "Omzendbrief BIN 2019"}
PRIVACY = {
    "address": "Voorbeeldstraat 1, 9000 Gent",
    "officer": "privacy@zone.example",
    "impact_assessment": "GEB BIN 2026/1",
}
TEXT = {"nl": "Tekst van het document.", "fr": "Texte du document."}


async def add_zone(registry: Registry, zone: str = "demo") -> None:
    """Make a zone with an officer, pseudonym keys, and a confirmed publisher key."""
    pseudonyms.rotate(registry.ring, [zone], registry.time.now.year)
    new = {"zone_id": zone, "name": f"Politiezone {zone}", "legal_basis": LEGAL, "privacy": PRIVACY}
    await registry.admin.post("/zones", 201, json=new)
    officer = {
        "officer_id": "officer-1",
        "subject": f"police-1-{zone}",
        "name": "Inspecteur Voorbeeld",
        "email": f"officer@{zone}.example",
        "language": "nl",
    }
    await registry.admin.post(f"/zones/{zone}/officers", 201, json=officer)
    await add_key(registry, zone)


async def add_key(
    registry: Registry, zone: str = "demo", kid: str = "key-1", officer: str | None = "officer-1"
) -> None:
    """Enrol a key and have another police user confirm it."""
    key = signatures.new_key(kid)
    body = {
        "jwk": {k: v for k, v in key.as_dict(private=False).items() if isinstance(v, str)},
        "officer_id": officer,
        "nbf": registry.time.now.isoformat(),
        "exp": (registry.time.now + timedelta(days=365)).isoformat(),
    }
    await registry.admin.call("PUT", f"/zones/{zone}/keys/{kid}", 201, json=body)
    other = registry.police(zone, f"police-2-{zone}")
    await other.post(f"/zones/{zone}/keys/{kid}/confirm")
    registry.zone_keys[zone] = (kid, key)


async def add_network(
    registry: Registry,
    network: str = "bin-linde",
    zone: str = "demo",
    coordinator: str = "coordinator-1",
) -> None:
    """Make a network with everything it needs, and activate it."""
    police = registry.police(zone)
    new = {
        "zone_id": zone,
        "network_id": network,
        "name": "BIN Linde",
        "municipality": "44021",
        "kind": "residents",
        "languages": ["nl", "fr"],
        "sender_name": "BIN Linde",
        "area": {"type": "streets", "streets": ["Lindelaan"]},
        "officer_id": "officer-1",
    }
    await registry.admin.post("/networks", 201, json=new)
    person = coordinator_input(coordinator)
    added = await police.post(f"/networks/{network}/coordinators", 201, json=person)
    screen = f"/networks/{network}/coordinators/{added['coordinator_id']}/screen"
    await police.post(screen, json={"outcome": "passed"})
    for kind in ("charter", "house_rules", "communication_plan"):
        document: Json = {"text": TEXT}
        if kind == "communication_plan":
            document["plan"] = {"exercises": True}
        if kind == "house_rules":
            document["in_force_from"] = "2026-10-01"
        await police.post(f"/networks/{network}/documents/{kind}", 201, json=document)
    await police.post(f"/networks/{network}/activate")


def coordinator_input(subject: str) -> Json:
    """Give somebody who could coordinate."""
    return {
        "subject": subject,
        "name": "Coördinator Voorbeeld",
        "email": f"{subject}@bin.example",
        "language": "nl",
        "adult": True,
        "agrees_to_screening": True,
    }


def member_input(number: int = 1, **more: Any) -> Json:
    """Give a newcomer with a number that nobody has (no operator has the range 0450)."""
    return {
        "name": f"Lid Nummer {number:04}",
        "language": "nl",
        "phone": f"0450 {number // 10000:02} {number // 100 % 100:02} {number % 100:02}",
        "email": f"Lid{number}@Voorbeeld.example",
        "adult": True,
        **more,
    }


def paper(registry: Registry) -> Json:
    """Give house rules accepted on paper."""
    return {"signed_on": registry.time.now.date().isoformat(), "witness": "Getuige Voorbeeld"}


def proposal(registry: Registry, *networks: str, **more: Any) -> BulletinProposed:
    """Give a proposal by the zone's officer."""
    fields: Json = {
        "bulletin_id": registry.app.context.clock.new_id(),
        "zone_id": "demo",
        "network_ids": networks or ("bin-linde",),
        "kind": "prevention",
        "status": "actual",
        "subject": {"nl": "Sluit ramen en deuren", "fr": "Fermez portes et fenêtres"},
        "body": {"nl": "Inbraken in de buurt.", "fr": "Cambriolages dans le quartier."},
        "issued_by": "officer-1",
        "issued_at": registry.time.now,
    }
    return BulletinProposed.model_validate({**fields, **more})
