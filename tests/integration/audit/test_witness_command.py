"""The commands of an auditor against a running service: watch, keep, hold a bundle against it."""

import asyncio
import os
from datetime import timedelta
from functools import partial
from pathlib import Path

from bson import Binary

from services.audit.domain.merkle import Frontier, leaf_hash
from services.audit.signer import Signer
from shared.access import Role
from shared.contracts import Checkpoint
from shared.envelope import encode
from shared.kafka import KafkaLog, Outgoing
from tests.integration.audit import rows
from tests.integration.audit.commands import command, served
from tests.integration.audit.test_log_key import new_key
from tests.integration.audit.world import NOW, World, send, until
from tests.support.cluster import KafkaCluster

COUNT = 20


async def rewrite(world: World) -> None:
    """Rewrite an entry and everything that follows from it, and sign it with the log's own key."""
    frontier, bodies = Frontier(), await rows.bodies(world.database)
    bodies[5] = bodies[5].replace(b'"accepted"', b'"canceled"')
    await rows.set_bodies(world.database, bodies)
    frontier.extend(leaf_hash(body) for body in bodies)
    note = Signer.load(world.settings.signing_key).sign("demo", frontier.size, frontier.root())
    signed = {
        "size": frontier.size,
        "frontier": [Binary(value) for value in frontier.hashes],
        "root": Binary(frontier.root()),
        "note": note,
    }
    await world.database["signed"].update_one({"_id": "demo"}, {"$set": signed})


async def test_a_log_rewritten_with_its_own_key_is_caught_by_whoever_watched(
    world: World, tmp_path: Path
) -> None:
    key, folder, own = tmp_path / "log.pem", tmp_path / "kept", tmp_path / "witness.pem"
    key.write_text(world.public_pem)
    watch = ("witness", "demo", "--key", str(key), "--keep", str(folder), "--once")
    watch = (*watch, "--witness-key", str(own), "--name", "witness.example.be")
    bundle = tmp_path / "bundle.ndjson"
    async with world.running() as app, served(app) as url:
        code, said = await command(world, url, *watch)
        assert code != 0  # nothing was signed yet
        for start in (0, COUNT):
            await world.publish(*[send(number) for number in range(start, start + COUNT)])
            await world.signed(start + COUNT)
            code, said = await command(world, url, *watch)
            assert code == 0, said
            assert "Cosigned: demo" in said
        vkey = said.splitlines()[0].removeprefix("Witness key: ")
        async with world.http(app, Role.AUDITOR) as http:
            bundle.write_bytes((await http.get("/v1/zones/demo/bundle")).content)
        notes = sorted((folder / "demo").glob("*.note"))
        assert len(notes) == 2
        kept = [option for path in notes for option in ("--kept", str(path))]
        check = ("verify", str(bundle), "--key", str(key), *kept, "--witness", vkey)
        code, said = await command(world, url, *check)
        assert code == 0, said
        assert "Cosigned by every witness" in said

        async def quiet() -> bool:
            head = await world.database["heads"].find_one({"_id": "demo"})
            last = await world.database["signed"].find_one({"_id": "demo"})
            return head is not None and last is not None and head["size"] == last["size"]

        await until(quiet, "everything to be signed")
        await rewrite(world)
        code, said = await command(world, url, *watch)
        assert code == 1, said
        assert "was rewritten" in said
        evidence = list((folder / "demo").glob("parted-*"))
        assert len(evidence) == 1


async def test_a_witness_sees_every_checkpoint_that_was_published_on_kafka(
    world: World, kafka_cluster: KafkaCluster, tmp_path: Path
) -> None:
    zone, key, folder = f"watched-{os.getpid()}", tmp_path / "log.pem", tmp_path / "kept"
    key.write_text(world.public_pem)
    watch = ("witness", zone, "--key", str(key), "--keep", str(folder), "--once", "--kafka")
    watch = (*watch, "--witness-key", str(tmp_path / "own.pem"), "--name", "witness.example.be")
    user = kafka_cluster.user("witness")
    async with (
        world.running() as app,
        served(app) as url,
        KafkaLog(kafka_cluster.user("audit"), "test") as kafka,
    ):
        for start in range(0, 3 * COUNT, COUNT):
            sends = [send(number, zone=zone) for number in range(start, start + COUNT)]
            await world.publish(*sends)
            await world.signed(start + COUNT, zone)
        await until(partial(is_published, world, 3 * COUNT), "the checkpoints to be published")
        published = world.cluster.on("bin.checkpoints")
        await kafka.publish([Outgoing(r.topic, zone, r.value, r.headers) for r in published])
        code, said = await command(world, url, *watch, zone=zone, kafka=user)
        assert code == 0, said
        kept = sorted((folder / zone).glob("*.note"))
        assert len(kept) == len(published) == said.count("Cosigned: ")
        code, said = await command(world, url, *watch, zone=zone, kafka=user)
        assert (code, said.count(zone)) == (0, 0), said  # it goes on where it ended
        root = bytes(32)
        forked = Checkpoint(
            zone_id=zone,
            size=COUNT,
            root=root.hex(),
            note=Signer.load(world.settings.signing_key).sign(zone, COUNT, root),
            signed_at=NOW,
        )
        await kafka.publish([encode(forked, ce_id="forked", source="buurtbode/audit", time=NOW)])
        for _ in range(2):  # and says so again, until somebody looks into it
            code, said = await command(world, url, *watch, zone=zone, kafka=user)
            assert code == 1, said
            assert "was rewritten" in said
    assert len(list((folder / zone).glob("parted-*"))) == 1


async def test_whoever_goes_on_watching_hears_of_a_log_that_shrank_or_went_away(
    world: World, tmp_path: Path
) -> None:
    key, folder = tmp_path / "log.pem", tmp_path / "kept"
    key.write_text(world.public_pem)
    watch = ("witness", "demo", "--key", str(key), "--keep", str(folder), "--every", "1")
    watch = (*watch, "--witness-key", str(tmp_path / "own.pem"), "--name", "witness.example.be")
    rows = world.database["signed"]
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        before = await rows.find_one({"_id": "demo"})
        await world.publish(*[send(number) for number in range(COUNT, 2 * COUNT)])
        await world.signed(2 * COUNT)
    async with served(await world.build()) as url:
        code, said = await command(world, url, *watch, "--once")
        assert code == 0, said
        assert before is not None
        await rows.replace_one({"_id": "demo"}, before)
        code, said = await asyncio.wait_for(command(world, url, *watch), 20)
        assert (code, "has shrunk" in said, "buurtbode recover" in said) == (1, True, True), said
        await rows.delete_one({"_id": "demo"})
        code, said = await asyncio.wait_for(command(world, url, *watch), 20)
        assert (code, "no checkpoint to show" in said) == (1, True), said
    assert len(list((folder / "demo").glob("parted-*"))) == 1


async def is_published(world: World, size: int) -> bool:
    """Tell whether a log's own checkpoint of this size left the outbox."""
    published = world.cluster.on("bin.checkpoints")
    return any(Checkpoint.from_json(record.value).size == size for record in published)


async def test_a_service_that_does_not_prove_what_was_published_is_called_out(
    world: World, kafka_cluster: KafkaCluster, tmp_path: Path
) -> None:
    zone, key, folder = f"ahead-{os.getpid()}", tmp_path / "log.pem", tmp_path / "kept"
    key.write_text(world.public_pem)
    watch = ("witness", zone, "--key", str(key), "--keep", str(folder), "--kafka")
    watch = (*watch, "--witness-key", str(tmp_path / "own.pem"), "--name", "witness.example.be")
    signer = Signer.load(world.settings.signing_key)
    async with world.running() as app, served(app) as url:
        await world.publish(*[send(number, zone=zone) for number in range(COUNT)])
        await world.signed(COUNT, zone)
        await until(partial(is_published, world, COUNT), "the checkpoint to be published")
        ahead = Checkpoint(
            zone_id=zone,
            size=10 * COUNT,
            root=bytes(32).hex(),
            note=signer.sign(zone, 10 * COUNT, bytes(32)),
            signed_at=NOW,
        )
        published = [
            Outgoing(r.topic, zone, r.value, r.headers) for r in world.cluster.on("bin.checkpoints")
        ]
        async with KafkaLog(kafka_cluster.user("audit"), "test") as kafka:
            await kafka.publish(
                [*published, encode(ahead, ce_id="ahead", source="buurtbode/audit", time=NOW)]
            )
        user = kafka_cluster.user("witness")
        for _ in range(2):
            code, said = await asyncio.wait_for(
                command(world, url, *watch, zone=zone, kafka=user), 20
            )
            assert (code, "is not proved to have only grown" in said) == (1, True), said
    assert len(list((folder / zone).glob("unproven-*"))) == 1


async def relay(world: World, kafka: KafkaLog, zone: str, since: int = 0) -> None:
    """Put on the real broker what the service published, from a number of checkpoints on."""
    published = world.cluster.on("bin.checkpoints")[since:]
    await kafka.publish([Outgoing(r.topic, zone, r.value, r.headers) for r in published])


async def test_a_token_that_is_refused_is_said_to_be_and_is_no_finding_about_the_log(
    world: World, kafka_cluster: KafkaCluster, tmp_path: Path
) -> None:
    zone, key = f"expired-{os.getpid()}", tmp_path / "log.pem"
    key.write_text(world.public_pem)
    watch = ("witness", zone, "--key", str(key), "--witness-key", str(tmp_path / "own.pem"))
    watch = (*watch, "--name", "witness.example.be", "--every", "1")
    polled, followed = tmp_path / "polled", tmp_path / "followed"
    ways: list[tuple[Path, tuple[str, ...]]] = [(polled, ()), (followed, ("--kafka",))]
    user = kafka_cluster.user("witness")
    run = partial(command, world, zone=zone, kafka=user)
    expired = world.token(Role.AUDITOR, zone=zone, life=timedelta(hours=-1))
    async with (
        world.running() as app,
        served(app) as url,
        KafkaLog(kafka_cluster.user("audit"), "test") as kafka,
    ):
        await world.publish(*[send(number, zone=zone) for number in range(COUNT)])
        await world.signed(COUNT, zone)
        await until(partial(is_published, world, COUNT), "the checkpoint to be published")
        await relay(world, kafka, zone)
        for folder, way in ways:
            code, said = await run(url, *watch, *way, "--keep", str(folder), "--once")
            assert (code, "Cosigned" in said) == (0, True), said
        first = len(world.cluster.on("bin.checkpoints"))
        await world.publish(*[send(number, zone=zone) for number in range(COUNT, 2 * COUNT)])
        await world.signed(2 * COUNT, zone)
        await until(partial(is_published, world, 2 * COUNT), "the next to be published")
        await relay(world, kafka, zone, first)
        for folder, way in ways:
            there = (*watch, *way, "--keep", str(folder))
            for once in ((), ("--once",)):  # also for whoever goes on looking
                looking = run(url, *there, *once, token=expired)
                code, said = await asyncio.wait_for(looking, 20)
                assert (code, "your token is not accepted" in said) == (4, True), said
                assert "operators" not in said
                assert list((folder / zone).glob("parted-*")) == []
            code, said = await run(url, *there, "--once")
            assert (code, "Cosigned" in said) == (0, True), said


async def test_a_witness_that_was_away_while_the_logs_key_changed_goes_on(
    world: World, kafka_cluster: KafkaCluster, tmp_path: Path
) -> None:
    """It comes back after both keys signed for a while, when the new one signs alone."""
    zone = f"changed-{os.getpid()}"
    former, log = tmp_path / "former.pem", tmp_path / "log.pem"
    former.write_text(world.public_pem)
    old_path = world.settings.signing_key
    new_path, new_pem = new_key(tmp_path)
    log.write_text(new_pem)
    watch = ("witness", zone, "--witness-key", str(tmp_path / "own.pem"), "--once")
    watch = (*watch, "--name", "witness.example.be")
    polled, followed = tmp_path / "polled", tmp_path / "followed"
    ways: list[tuple[Path, tuple[str, ...]]] = [(polled, ()), (followed, ("--kafka",))]
    run = partial(command, world, zone=zone, kafka=kafka_cluster.user("witness"))
    seen = 0
    async with KafkaLog(kafka_cluster.user("audit"), "test") as kafka:
        for round_, keys in enumerate([(old_path, None), (new_path, old_path), (new_path, None)]):
            settings = {"signing_key": keys[0], "former_signing_key": keys[1]}
            world.settings = world.settings.model_copy(update=settings)
            async with world.running() as app, served(app) as url:
                start = round_ * COUNT
                sends = [send(number, zone=zone) for number in range(start, start + COUNT)]
                await world.publish(*sends)
                size = start + COUNT + (round_ > 0)  # an entry says that the key was changed
                await world.signed(size, zone)
                await until(partial(is_published, world, size), "it to be published")
                await relay(world, kafka, zone, seen)
                seen = len(world.cluster.on("bin.checkpoints"))
                for folder, way in ways:
                    there = (*watch, "--keep", str(folder), *way)
                    if round_ == 0:
                        code, said = await run(url, *there, "--key", str(former))
                        assert code == 0, said
                    elif round_ == 2:
                        code, said = await run(url, *there, "--key", str(log))
                        assert (code, "--former-key" in said) == (1, True), said
                        both = ("--key", str(log), "--former-key", str(former))
                        code, said = await run(url, *there, *both)
                        assert (code, "Cosigned" in said) == (0, True), said
                        code, said = await run(url, *there, "--key", str(log))
                        assert code == 0, said  # it has one of the new key by now
    for folder, _ in ways:
        assert [p.name for p in (folder / zone).iterdir() if p.name.startswith("parted")] == []
    # by way of Kafka it saw also what was signed while it was away
    published = {Checkpoint.from_json(r.value).size for r in world.cluster.on("bin.checkpoints")}
    assert {int(path.stem) for path in (followed / zone).glob("*.note")} == published
