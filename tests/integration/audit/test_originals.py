"""Whatever an outsider writes, the account of everything else goes on."""

import hashlib
from typing import Any

import orjson
import pytest

from shared.contracts.dispatcher import VerdictKind
from shared.kafka import Outgoing
from tests.integration.audit import rows
from tests.integration.audit.test_whole_path import verdict_on
from tests.integration.audit.world import World, send

LARGE = b'{"text": "' + b"a" * 20_000_000 + b'"}'
CONTROL = b"\x01" * 1_000_000
"""Each of these bytes would be six in JSON."""

RECORDS: dict[str, tuple[Outgoing, bool]] = {
    "more than the database takes": (Outgoing("bin.alerts", "demo", LARGE, ()), False),
    "control characters": (Outgoing("bin.alerts", "demo", CONTROL, ()), False),
    "no text": (Outgoing("bin.alerts", "demo", b"\xff\xfe", ()), False),
    "a text": (Outgoing("bin.alerts", "demo", b'{"text":\t"a"}\n', ()), True),
    "a large header": (
        Outgoing("bin.alerts", "demo", b"{}", (("bin-signature", b"a" * 900_000),)),
        True,
    ),
    "a large key": (Outgoing("bin.alerts", "k" * 900_000, b"{}", ()), True),
    "many headers": (
        Outgoing("bin.alerts", "demo", b"{}", (("x", b"a" * 1000),) * 900),
        True,
    ),
}


@pytest.mark.parametrize("what", RECORDS)
async def test_whatever_an_original_holds_its_hash_is_on_record(world: World, what: str) -> None:
    outgoing, is_kept = RECORDS[what]
    async with world.running():
        await world.publish_raw(outgoing)
        record = world.cluster.on("bin.alerts")[-1]
        refused = verdict_on(record.partition, record.offset, VerdictKind.REFUSED)
        await world.publish(refused, send(1))
        await world.signed(3)
    stored = {entry["type"]: entry for entry in await rows.entries(world.database)}
    parts = await rows.parts(world.database)
    part: dict[str, Any] = orjson.loads(parts[stored["original"]["index"]]["part"])
    assert part["sha256"] == hashlib.sha256(outgoing.value).hexdigest()
    assert part["value"] == (outgoing.value.decode() if is_kept else None)
    size = await world.database.command({"collStats": "originals"})
    assert size["size"] < 2_000_000
