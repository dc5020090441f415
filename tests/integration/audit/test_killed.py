"""The real service as a process, on Apache Kafka and MongoDB, killed while it works."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from deploy.local.ports import free_port
from services.audit.domain.bundle import entry_line
from services.audit.domain.merkle import leaf_hash, root_of
from services.audit.domain.notes import Checkpoint
from services.audit.store.log import LogStore
from services.audit.verify import read_key
from shared.clock import Clock
from shared.envelope import encode
from shared.kafka import KafkaLog
from tests.integration.audit.world import NOW, World, send, until
from tests.support.cluster import KafkaCluster

ROUNDS, BATCH = 3, 400


def environment(world: World, cluster: KafkaCluster) -> dict[str, str]:
    user, mongo = cluster.user("audit"), world.settings.mongo
    settings = {
        "KAFKA__BOOTSTRAP": user.bootstrap,
        "KAFKA__USER": user.user,
        "KAFKA__PASSWORD": user.password.get_secret_value(),
        "KAFKA__PROTOCOL": user.protocol,
        "KAFKA__SESSION_TIMEOUT": "PT2S",
        "MONGO__URL": mongo.url.get_secret_value(),
        "MONGO__DATABASE": mongo.database,
        "OIDC__ISSUER": world.settings.oidc.issuer,
        "OIDC__AUDIENCE": world.settings.oidc.audience,
        "OIDC__JWKS_URL": str(world.settings.oidc.jwks_url),
        "HTTP__PORT": str(free_port()),
        "HTTP__PUBLIC_URL": "http://127.0.0.1",
        "PSEUDONYM_KEYS": str(world.settings.pseudonym_keys),
        "SIGNING_KEY": str(world.settings.signing_key),
    }
    return {**os.environ, **{f"BUURTBODE_{name}": value for name, value in settings.items()}}


@asynccontextmanager
async def service(
    world: World, cluster: KafkaCluster, output: Path
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run the service; leaving kills it."""
    with output.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.audit.app",
            env=environment(world, cluster),
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


@pytest.mark.timeout(300)  # each start waits for the broker to give up on the one before
async def test_killed_while_it_works_nothing_is_lost_or_doubled(
    world: World, kafka_cluster: KafkaCluster, tmp_path: Path
) -> None:
    zone = f"kill-{os.getpid()}"
    output = tmp_path / "service.log"
    total = 0
    async with KafkaLog(kafka_cluster.user("dispatcher"), "test") as log:
        for _ in range(ROUNDS):
            events = [send(number, zone=zone) for number in range(total, total + BATCH)]
            total += BATCH
            await log.publish(
                [encode(e, ce_id=e.event_id, source="buurtbode/test", time=NOW) for e in events]
            )
            before = await world.size(zone)
            async with service(world, kafka_cluster, output) as process:

                async def begun(at: int = before) -> bool:
                    assert process.returncode is None, output.read_text()[-2000:]
                    return await world.size(zone) > at

                await until(begun, "some entries", seconds=40)
    async with service(world, kafka_cluster, output):

        async def signed() -> bool:
            row = await world.database["signed"].find_one({"_id": zone})
            return row is not None and row["size"] == total

        await until(signed, "the last checkpoint", seconds=100)
    store = LogStore(world.database, Clock(), world.settings.text_kept_for)
    entries = await store.page(zone, 0, total + 1)
    ids = [orjson.loads(entry.body)["event_id"] for entry in entries]
    assert len(ids) == len(set(ids)) == total
    row = await world.database["signed"].find_one({"_id": zone})
    assert row is not None
    checkpoint = Checkpoint.open(row["note"], read_key(world.public_pem, f"buurtbode/{zone}"))
    assert checkpoint.root == root_of(leaf_hash(entry.body) for entry in entries)
    assert all(entry_line(entry.body, entry.part, entry.salt) for entry in entries)
