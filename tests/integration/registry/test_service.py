"""The registry as a process of its own, on Apache Kafka and MongoDB."""

import asyncio
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from services.registry.consumers import COMPARED
from shared.consume import PositionStore
from shared.contracts import Zone
from shared.envelope import decode_any
from shared.kafka import KafkaLog, Partition, Positions
from shared.mongo import Session, connect, database, transaction
from shared.settings import MongoSettings
from shared.topics import ZONES
from tests.support.cluster import KafkaCluster

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "issuer", "use": "sig"})


class Jwks(BaseHTTPRequestHandler):
    """Serves the issuer's key set."""

    def do_GET(self) -> None:
        body = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


@pytest.fixture
def issuer() -> Generator[str]:
    server = HTTPServer(("127.0.0.1", 0), Jwks)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Service:
    url: str
    process: asyncio.subprocess.Process


@pytest.fixture
async def service(
    kafka_cluster: KafkaCluster, mongo_database: MongoSettings, issuer: str, tmp_path: Path
) -> AsyncGenerator[Service]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    kafka = kafka_cluster.user("registry")
    settings = {
        "KAFKA__BOOTSTRAP": kafka.bootstrap,
        "KAFKA__USER": "registry",
        "KAFKA__PASSWORD": kafka.password.get_secret_value(),
        "KAFKA__PROTOCOL": kafka.protocol,
        "MONGO__URL": mongo_database.url.get_secret_value(),
        "MONGO__DATABASE": mongo_database.database,
        "OIDC__ISSUER": issuer,
        "OIDC__AUDIENCE": "buurtbode",
        "OIDC__JWKS_URL": f"{issuer}/jwks",
        "HTTP__PORT": str(port),
        "PSEUDONYM_KEYS": str(tmp_path / "ring.json"),
    }
    await _begin_after(kafka_cluster, mongo_database)
    with (tmp_path / "registry.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.registry.app",
            env={**os.environ, **{f"BUURTBODE_{name}": text for name, text in settings.items()}},
            stdout=output,
            stderr=output,
        )
    try:
        await _ready(url, process)
        yield Service(url, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _begin_after(cluster: KafkaCluster, mongo: MongoSettings) -> None:
    """Have the new database know what earlier tests published: it is no restored one."""
    async with (
        KafkaLog(cluster.user("registry"), "test") as log,
        connect(mongo, "test") as client,
    ):
        positions = PositionStore(database(client, mongo.database))
        for group, topic in COMPARED:
            ends = await log.end_offsets([topic])

            async def stand(session: Session, group: str = group, ends: Positions = ends) -> None:
                await positions.advance(session, group, {}, ends)

            await transaction(client, stand)


async def _ready(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient() as http:
        while True:
            assert process.returncode is None, "the service ended instead of starting"
            try:
                if (await http.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def test_a_change_over_http_reaches_kafka_and_sigterm_ends_it(
    service: Service, issuer: str, kafka_cluster: KafkaCluster
) -> None:
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": issuer, "aud": "buurtbode", "sub": "a", "roles": ["admin"], "exp": now + 600}
    token = jwt.encode({"alg": "Ed25519", "kid": "issuer"}, claims, KEY, algorithms=["Ed25519"])
    new = {
        "zone_id": f"zone-{now}",
        "name": "Politiezone Voorbeeld",
        "legal_basis": {"warm": "a", "cold": "b"},
    }
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
        answer = await http.post(f"{service.url}/v1/zones", json=new)
        assert answer.status_code == 201, answer.text
        assert "registry" in (await http.get(f"{service.url}/docs")).text

    zone = await _find_zone(kafka_cluster, f"zone-{now}")
    assert (zone.name, zone.version) == ("Politiezone Voorbeeld", 1)

    service.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        assert await service.process.wait() == 0


async def _find_zone(cluster: KafkaCluster, zone_id: str) -> Zone:
    async def from_the_start(_partitions: object) -> dict[Partition, int]:
        return {}

    async with (
        asyncio.timeout(20),
        KafkaLog(cluster.user("audit"), "test") as log,
        log.reader("audit.test", [ZONES.name], from_the_start) as reader,
    ):
        while True:
            for record in await reader.poll(100, wait=0.5):
                if record.key != zone_id.encode():
                    continue  # another test's, which may be no event at all
                event = decode_any(record).event
                if isinstance(event, Zone):
                    return event
