"""A real broker, a real database and the audit service, for its measurements."""

import itertools
import os
import secrets
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import AnyHttpUrl, SecretStr

from deploy.kafka_admin import add_service_users, apply_topics
from deploy.local.ports import free_port
from services.audit.settings import AuditSettings
from shared import pseudonyms
from shared.contracts import Send
from shared.contracts.base import Channel, Lane, MessageType, SendState
from shared.contracts.dispatcher import Basis
from shared.envelope import encode
from shared.kafka import KafkaLog
from shared.settings import HttpSettings, KafkaSettings, MongoSettings, OidcSettings
from tests.support.servers import start_kafka, start_mongo

START = datetime(2026, 3, 14, 20, 15, tzinfo=UTC)
MESSAGE = "6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90"
_PUBLISH = 2000
_ISSUER = "https://issuer.example"
_SESSION = timedelta(seconds=60)
"""Long enough for a service that is stopped while its work is laid out to keep its partitions."""


@dataclass(frozen=True, slots=True)
class Servers:
    """A broker with its topics, a database server, and the keys of the audit service."""

    kafka: KafkaSettings
    """The operator's connection, who may do everything."""

    mongo_url: str
    signing_key: Path
    ring: Path

    def settings(self, database: str) -> AuditSettings:
        """Give the settings of an audit service on a database of its own."""
        return AuditSettings(
            kafka=self.kafka,
            mongo=MongoSettings(url=SecretStr(self.mongo_url), database=database),
            oidc=OidcSettings(
                issuer=_ISSUER, audience="buurtbode", jwks_url=AnyHttpUrl(f"{_ISSUER}/jwks")
            ),
            http=HttpSettings(port=free_port()),
            pseudonym_keys=self.ring,
            signing_key=self.signing_key,
        )


@contextmanager
def servers(folder: Path, zones: list[str]) -> Generator[Servers]:
    """Start them below a folder; leaving ends them."""
    kafka = start_kafka(folder / "kafka")
    try:
        mongo = start_mongo(folder / "mongo")
        try:
            add_service_users(kafka.operator, {"audit": secrets.token_hex(12)})
            apply_topics(kafka.operator)
            key, ring = folder / "signing.pem", folder / "ring.json"
            key.write_bytes(
                Ed25519PrivateKey.generate().private_bytes(
                    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
                )
            )
            pseudonyms.rotate(ring, zones, datetime.now(UTC).year)
            yield Servers(kafka.operator, mongo.admin_url, key, ring)
        finally:
            mongo.stop()
    finally:
        kafka.stop()


async def publish_sends(servers: Servers, events: Iterable[Send]) -> None:
    """Put changes of sends on their topic, as the dispatcher does."""
    async with KafkaLog(servers.kafka, "benchmark") as log:
        for batch in _batches(events):
            await log.publish(
                [
                    encode(e, ce_id=e.event_id, source="buurtbode/benchmark", time=START)
                    for e in batch
                ]
            )


def _batches(events: Iterable[Send]) -> Generator[list[Send]]:
    rest = iter(events)
    while batch := list(itertools.islice(rest, _PUBLISH)):
        yield batch


@contextmanager
def service_process(settings: AuditSettings, output: Path) -> Generator[psutil.Process]:
    """Run the service as it is deployed, a process of its own; leaving ends it."""
    with output.open("ab") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "services.audit.app"],
            env={**os.environ, **_environment(settings)},
            stdout=file,
            stderr=file,
        )
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(30)


def _environment(settings: AuditSettings) -> dict[str, str]:
    kafka, mongo, oidc = settings.kafka, settings.mongo, settings.oidc
    seconds = int(_SESSION.total_seconds())
    values = {
        "KAFKA__BOOTSTRAP": kafka.bootstrap,
        "KAFKA__USER": kafka.user,
        "KAFKA__PASSWORD": kafka.password.get_secret_value(),
        "KAFKA__PROTOCOL": kafka.protocol,
        "KAFKA__SESSION_TIMEOUT": f"PT{seconds}S",
        "MONGO__URL": mongo.url.get_secret_value(),
        "MONGO__DATABASE": mongo.database,
        "OIDC__ISSUER": oidc.issuer,
        "OIDC__AUDIENCE": oidc.audience,
        "OIDC__JWKS_URL": str(oidc.jwks_url),
        "HTTP__PORT": str(settings.http.port),
        "PSEUDONYM_KEYS": str(settings.pseudonym_keys),
        "SIGNING_KEY": str(settings.signing_key),
        "LOOKUPS_PER_HOUR": str(settings.lookups_per_hour),
    }
    return {f"BUURTBODE_{name}": value for name, value in values.items()}


def child(name: str) -> psutil.Process:
    """Give the server of a name that this process started."""
    children = psutil.Process().children(recursive=True)
    return next(process for process in children if process.name() == name)


def used(process: psutil.Process) -> float:
    """Give the processor time that a process has used so far, in seconds."""
    times = process.cpu_times()
    return times.user + times.system


def send(zone: str, number: int, seq: int = 1) -> Send:
    """Give one change of one invented send; every hundredth belongs to another message."""
    return Send(
        event_id=f"{zone}-{number:032x}.{seq}",
        zone_id=zone,
        send_id=f"{number:032x}",
        seq=seq,
        message_id=f"{number // 1000:08x}{MESSAGE[8:]}",
        message_type=MessageType.ALERT,
        network_ids=(f"bin-{number % 40}",),
        member_ids=(f"{number:032x}-m",),
        recipient=f"{number * 2654435761 % 2**256:064x}",
        recipient_year=2026,
        lane=Lane.WARM,
        channel=Channel.SMS,
        state=(SendState.ACCEPTED, SendState.DELIVERED, SendState.FAILED)[number % 17 % 3],
        attempt=1,
        language="nl",
        template="alert",
        segments=1,
        provider_reference=f"SM{number:032x}",
        basis=Basis(legal="police-act-1992-art-44", house_rules={f"bin-{number % 40}": 2}),
        time=START + timedelta(seconds=number // 100 + seq),
    )
