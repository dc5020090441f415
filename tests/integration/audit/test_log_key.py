"""Changing the log's signing key: both keys sign for a while, and what was kept still counts."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from services.audit.app import App
from services.audit.domain.alarms import Doubt
from services.audit.domain.notes import Checkpoint
from services.audit.verify import BROKEN, VERIFIED, read_key, verify_bundle
from shared.access import Role
from tests.integration.audit import rows
from tests.integration.audit.test_doubts import refused
from tests.integration.audit.world import World, send

COUNT = 10
ORIGIN = "buurtbode/demo"


def new_key(folder: Path) -> tuple[Path, str]:
    """Make a key, and give its file and its public half."""
    key, path = Ed25519PrivateKey.generate(), folder / "new.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return path, public.decode()


async def taken(world: World, app: App) -> tuple[str, list[bytes]]:
    """Give the checkpoint and the bundle of now."""
    async with world.http(app, Role.AUDITOR) as http:
        content = (await http.get("/v1/zones/demo/bundle")).content
        note = (await http.get("/v1/zones/demo/checkpoint")).text
    return note, content.splitlines(keepends=True)


async def test_a_new_key_is_vouched_for_by_the_former_one(world: World, tmp_path: Path) -> None:
    old_path, old = world.settings.signing_key, world.public_pem
    new_path, new = new_key(tmp_path)
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
        kept, _ = await taken(world, app)
    both = {"signing_key": new_path, "former_signing_key": old_path}
    world.settings = world.settings.model_copy(update=both)
    async with world.running() as app:
        await world.signed(COUNT + 1)  # the entry that says so
        note, lines = await taken(world, app)
        for pem in (old, new):
            assert Checkpoint.open(note, read_key(pem, ORIGIN)).size >= COUNT + 1
            assert verify_bundle(lines, pem).exit_code == VERIFIED
        assert verify_bundle(lines, new, [kept], former=[old]).exit_code == VERIFIED
        assert verify_bundle(lines, new, [kept]).exit_code == BROKEN
        assert verify_bundle(lines, old, [kept, note]).exit_code == VERIFIED
    alone = {"signing_key": new_path, "former_signing_key": None}
    world.settings = world.settings.model_copy(update=alone)
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(COUNT, 2 * COUNT)])
        await world.signed(2 * COUNT + 1)
        later, lines = await taken(world, app)
        assert later.count("\n— ") == 1
        assert verify_bundle(lines, new, [kept, note], former=[old]).exit_code == VERIFIED
        assert verify_bundle(lines, old).exit_code == BROKEN
        assert await app.ready() == {}
    states = [e for e in await rows.entries(world.database) if e["type"] == "key"]
    assert [entry["event_id"].partition(".")[0] for entry in states] == ["log_key"]


async def test_a_key_changed_without_the_former_one_signs_nothing(
    world: World, tmp_path: Path
) -> None:
    async with world.running():
        await world.publish(*[send(number) for number in range(COUNT)])
        await world.signed(COUNT)
    world.settings = world.settings.model_copy(update={"signing_key": new_key(tmp_path)[0]})
    async with world.running() as app:
        await refused(app, {Doubt.NOT_ITS_NOTE})
