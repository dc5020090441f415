"""A hundred SIGTERM restarts while an alert goes out: is anything lost, is anything doubled?"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from benchmarks.dispatcher_rig import Rig, rig
from deploy.local.python_part import PythonPart
from shared.contracts import Send
from shared.kafka import Partition, Positions

TITLE = "Dispatcher: a hundred restarts"
RESTARTS, PEOPLE, PER_SECOND, DELAY_MS = 100, 20_000, 60, 50


def measure() -> list[str]:
    """Restart, compare provider, ledger and topic, and give a line."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[str]:
    async with rig(folder, DELAY_MS) as started:
        began = time.monotonic()
        # so slow that the alarm about it would make each process unready
        slow = {"TWILIO__MESSAGES_PER_SECOND": str(PER_SECOND), "COVERAGE_WITHIN": "PT2H"}
        await started.networks({"n1": PEOPLE})
        process = await started.start(**slow)
        going = asyncio.create_task(started.alert(["n1"], PEOPLE, within=900))
        under_load = await _restart(started, process)
        started.stop()
        await started.start()  # the rest without a limit
        await going
        await _compare(started)
        seconds = time.monotonic() - began
    return [
        (
            f"{RESTARTS} times SIGTERM and a new start while an alert to {PEOPLE:,} people went "
            f"out at {PER_SECOND} a second; {under_load:,} had left by the last restart. The "
            "provider got each person's message once, every send is `accepted` by its only "
            "attempt, and the topic has one event for each, equal where it stands twice: nothing "
            f"lost, nothing doubled. {seconds:.0f} s."
        )
    ]


async def _restart(started: Rig, process: PythonPart) -> int:
    """Restart again and again, each time after something was sent; give how much was."""
    count = 0
    for _ in range(RESTARTS):
        before, patience = count, time.monotonic() + 30
        while (count := int(started.provider.read()["count"])) < before + 20:
            if time.monotonic() > patience:
                raise RuntimeError("nothing is sent after a restart")
            await asyncio.sleep(0.05)
        process.stop()
        process.start()
    if count >= PEOPLE:
        raise RuntimeError("all was sent before the restarts were over")
    return count


async def _compare(started: Rig) -> None:
    """Compare ledger and topic, one to one; `Rig.alert` has compared the provider."""
    found = await started.sends.find({}, {"state": 1, "attempts": 1, "seq": 1}).to_list()
    shapes = Counter((row["state"], len(row["attempts"]), row["seq"]) for row in found)
    if shapes != {("accepted", 1, 1): PEOPLE}:
        message = f"the ledger has {shapes}"
        raise RuntimeError(message)
    events: dict[str, bytes] = {}

    async def from_start(_: Collection[Partition]) -> Positions:
        return {}

    async with started.log.reader("benchmark", ["bin.sends"], from_start) as reader:
        ends = await started.log.end_offsets(["bin.sends"])
        reached: Positions = {}
        while any(reached.get(partition, 0) < end for partition, end in ends.items()):
            records = await reader.poll(5000, 0.5)
            reached = await reader.reached()
            for record in records:
                if dict(record.headers)["ce_type"] == Send.TYPE.encode():
                    event = Send.from_json(record.value)
                    if events.setdefault(event.send_id, record.value) != record.value:
                        raise RuntimeError("two different events of one send")
    if set(events) != {row["_id"] for row in found}:
        message = f"{len(events)} sends have events, {len(found)} should"
        raise RuntimeError(message)
