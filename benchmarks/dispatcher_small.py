"""How long an ordinary alert takes: on an idle system, and while 100,000 cold mails go out."""

import asyncio
import statistics
import tempfile
from pathlib import Path

from benchmarks.dispatcher_rig import Rig, given, rig

TITLE = "Dispatcher: an alert to 350 people"
ROUNDS, ALERTS = given("ROUNDS", 5), given("ALERTS", 6)
PEOPLE, MAILS, DELAY_MS = 350, given("MAILS", 100_000), 50
_SETTLES_S = 3


def measure() -> list[str]:
    """Measure both in turns and give a table."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[str]:
    async with rig(folder, DELAY_MS) as started:
        await started.start()
        await started.networks({"n1": PEOPLE, "cold": MAILS})
        await _alerts(started, 3)  # warms caches and connections
        idle = await _alerts(started, ALERTS)
        started.provider.reset("mail")
        await _plan_mail(started)
        busy: list[float] = []
        for number in range(ROUNDS):
            if number:
                await _hold_mail(started)
                idle += await _alerts(started, ALERTS)
                await _let_mail_go(started)
            busy += await _alerts(started, ALERTS)
        went_out = started.provider.read("mail")["count"]
        if went_out >= MAILS:
            raise RuntimeError("the mails were through before the alerts")
    return [
        (
            f"{ROUNDS} rounds in turns of {ALERTS} alerts each to {PEOPLE} people, one after the "
            f"other: while no mail goes out, and while it does ({MAILS:,} cold mails, held back "
            f"in the ledger in between). A provider that answers after {DELAY_MS} ms, 100 requests "
            f"at a time. {went_out:,.0f} mails had gone when the last alert was through."
        ),
        "",
        "| seconds from topic to last acceptance | median | 95 % | highest |",
        "|---|---|---|---|",
        _row("idle (target: 95 % below 1)", idle),
        _row("while cold mails go out (target: 95 % below 2)", busy),
    ]


_COLD = {"lane": "cold", "state": "planned"}


async def _plan_mail(started: Rig) -> None:
    """Publish the bulletin, and wait until every mail is planned and free, and some are gone."""
    await started.publish(started.bulletin_event("cold"))
    while (  # noqa: ASYNC110 - what is waited for lives elsewhere
        await started.sends.count_documents({"lane": "cold"}) < MAILS
        or await started.sends.find_one({**_COLD, "sendable": False})
        or started.provider.read("mail")["count"] == 0
    ):
        await asyncio.sleep(0.5)
    await asyncio.sleep(_SETTLES_S)


async def _hold_mail(started: Rig) -> None:
    """Hold back the mail that is still planned, and wait until nothing is under way."""
    await started.sends.update_many({**_COLD, "sendable": True}, {"$set": {"sendable": False}})
    while await started.sends.find_one(  # noqa: ASYNC110 - what is waited for lives elsewhere
        {"lane": "cold", "held": {"$exists": True}}, hint="leased"
    ):
        await asyncio.sleep(0.1)
    await asyncio.sleep(_SETTLES_S)


async def _let_mail_go(started: Rig) -> None:
    """Let the mail go out, and wait until it does."""
    before = started.provider.read("mail")["count"]
    await started.sends.update_many({**_COLD, "sendable": False}, {"$set": {"sendable": True}})
    while started.provider.read("mail")["count"] == before:  # noqa: ASYNC110 - elsewhere
        await asyncio.sleep(0.1)
    await asyncio.sleep(_SETTLES_S)


async def _alerts(started: Rig, count: int) -> list[float]:
    return [(await started.alert(["n1"], PEOPLE)).accepted for _ in range(count)]


def _row(name: str, seconds: list[float]) -> str:
    high = statistics.quantiles(seconds, n=20)[-1]
    return f"| {name} | {statistics.median(seconds):.2f} | {high:.2f} | {max(seconds):.2f} |"
