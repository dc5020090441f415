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
from shared.kafka import KafkaLog, Outgoing
from tests.integration.audit.world import NOW, World, send, until
from tests.support.cluster import KafkaCluster

ROUNDS, BATCH = 2, 400


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
            before = await world.size(zone)
            await publish(log, zone, total)
            total += BATCH
            async with service(world, kafka_cluster, output) as process:
                await begun(world, zone, before, process, output)
    async with service(world, kafka_cluster, output):
        await signed(world, zone, total)
    await whole(world, zone, total)


@pytest.mark.timeout(300)
async def test_of_two_processes_the_one_that_stood_still_is_fenced(
    world: World, kafka_cluster: KafkaCluster, tmp_path: Path
) -> None:
    """Stopped in its work for longer than its lease, it wakes to find another writer."""
    zone = f"fence-{os.getpid()}"
    output = tmp_path / "service.log"
    async with (
        KafkaLog(kafka_cluster.user("dispatcher"), "test") as log,
        service(world, kafka_cluster, output) as first,
    ):
        await publish(log, zone, 0)
        await begun(world, zone, 0, first, output)
        first.send_signal(signal.SIGSTOP)
        stopped = await world.database["heads"].find_one({"_id": zone})
        assert stopped is not None
        async with service(world, kafka_cluster, output):
            await publish(log, zone, BATCH)
            await signed(world, zone, 2 * BATCH)
            taken = await world.database["heads"].find_one({"_id": zone})
            assert taken is not None
            assert taken["owner"] != stopped["owner"]
            assert taken["epoch"] > stopped["epoch"]
            first.send_signal(signal.SIGCONT)
            await publish(log, zone, 2 * BATCH)
            await signed(world, zone, 3 * BATCH)
            assert first.returncode is None, output.read_text()[-2000:]
    await whole(world, zone, 3 * BATCH)


@pytest.mark.timeout(300)
async def test_two_processes_share_the_zones(
    world: World, kafka_cluster: KafkaCluster, tmp_path: Path
) -> None:
    """By Kafka's partitions: each log has one writer, and both processes write."""
    output = tmp_path / "service.log"
    async with (
        KafkaLog(kafka_cluster.user("dispatcher"), "test") as log,
        service(world, kafka_cluster, output),
        service(world, kafka_cluster, output),
    ):
        rounds = 0

        async def both_write() -> bool:
            # fresh zones: those of a moment ago belong to who began them, until a lease ends
            nonlocal rounds
            zones = [f"share-{os.getpid()}-{rounds}-{number}" for number in range(16)]
            rounds += 1
            await log.publish([record(0, zone) for zone in zones])
            for zone in zones:
                await signed(world, zone, 1)
            heads = world.database["heads"].find({"_id": {"$in": zones}})
            return len({head["owner"] async for head in heads}) == 2

        await until(both_write, "two processes to share the zones", seconds=90)


@pytest.mark.timeout(300)
async def test_a_second_process_gets_the_logs_of_its_partitions_while_the_first_goes_on(
    world: World, kafka_cluster: KafkaCluster, tmp_path: Path
) -> None:
    """The first gives back what it wrote before: it renews its leases all together, for ever."""
    output = tmp_path / "service.log"
    zones = [f"hand-over-{os.getpid()}-{number}" for number in range(16)]
    published = 0

    async def owners() -> set[str]:
        """Give who writes, while more comes for each zone."""
        nonlocal published
        await log.publish([record(published, zone) for zone in zones])
        published += 1
        await asyncio.sleep(0.5)
        heads = world.database["heads"].find({"_id": {"$in": zones}})
        return {head["owner"] async for head in heads}

    async with (
        KafkaLog(kafka_cluster.user("dispatcher"), "test") as log,
        service(world, kafka_cluster, output) as first,
    ):

        async def written() -> bool:
            assert first.returncode is None, output.read_text()[-2000:]
            return len(await owners()) == 1

        await until(written, "the first process to write", seconds=60)
        async with service(world, kafka_cluster, output) as second:

            async def shared() -> bool:
                assert second.returncode is None, output.read_text()[-2000:]
                return len(await owners()) == 2

            await until(shared, "the second process to write some of them", seconds=60)
            for zone in zones:
                await signed(world, zone, published)


def record(number: int, zone: str) -> Outgoing:
    event = send(number, zone=zone)
    return encode(event, ce_id=event.event_id, source="buurtbode/test", time=NOW)


async def publish(log: KafkaLog, zone: str, start: int) -> None:
    await log.publish([record(number, zone) for number in range(start, start + BATCH)])


async def begun(
    world: World, zone: str, before: int, process: asyncio.subprocess.Process, output: Path
) -> None:
    """Wait until a process appends."""

    async def appends() -> bool:
        assert process.returncode is None, output
        return await world.size(zone) > before

    await until(appends, "some entries", seconds=40)


async def signed(world: World, zone: str, size: int) -> None:
    """Wait until a checkpoint covers so many entries."""

    async def covered() -> bool:
        row = await world.database["signed"].find_one({"_id": zone})
        return row is not None and row["size"] == size

    await until(covered, "the last checkpoint", seconds=100)


async def whole(world: World, zone: str, total: int) -> None:
    """Hold that a log has each event once, and that its checkpoint says the same."""
    store = LogStore(
        world.database, Clock(), world.settings.text_kept_for, world.settings.private_kept_for
    )
    pages = store.pages(zone, 0, total + 1, 1000)
    entries = [entry async for page in pages for entry in page]
    ids = [orjson.loads(entry.body)["event_id"] for entry in entries]
    assert len(ids) == len(set(ids)) == total
    row = await world.database["signed"].find_one({"_id": zone})
    assert row is not None
    checkpoint = Checkpoint.open(row["note"], read_key(world.public_pem, f"buurtbode/{zone}"))
    assert checkpoint.root == root_of(leaf_hash(entry.body) for entry in entries)
    assert all(entry_line(entry.body, entry.part, entry.salt) for entry in entries)
