"""Cold mail through the whole pipeline, against pooled connections that only send."""

import asyncio
import tempfile
from pathlib import Path

from benchmarks.dispatcher_rig import Run, rig
from benchmarks.dispatcher_sms import row, run_bare

TITLE = "Dispatcher: the whole pipeline, mail"
ROUNDS, SENDS, CONNECTIONS = 5, 2_500, 100


def measure() -> list[str]:
    """Run both in turns and give a table."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[str]:
    ours: list[Run] = []
    bare: list[dict[str, float]] = []
    async with rig(folder) as started:
        await started.start(SMTP__CONNECTIONS=str(CONNECTIONS))
        await started.networks({"n1": SENDS})
        for number in range(ROUNDS + 1):
            one = await started.bulletin("n1", SENDS)
            await asyncio.sleep(1)
            two = await asyncio.to_thread(
                run_bare, "mail", started.provider.smtp, SENDS, CONNECTIONS
            )
            if number:  # the first warms
                ours.append(one)
                bare.append(two)
    our_rates = [one.rate for one in ours]
    bare_rates = [SENDS / one["seconds"] for one in bare]
    ratios = [mine / other for mine, other in zip(our_rates, bare_rates, strict=True)]
    return [
        (
            f"One process, {SENDS:,} mails a round, {ROUNDS} rounds in turns, {CONNECTIONS} "
            "connections; a stand-in server that takes everything at once. Ours runs from before "
            "the bulletin is published to the acknowledgement of the last event; the other sends "
            "a prebuilt mail with each recipient's own headers over connections that stay open."
        ),
        "",
        "| mails per second | median | lowest | highest |",
        "|---|---|---|---|",
        row("topic, ledger, mail, event", our_rates),
        row("pooled connections, prebuilt mail", bare_rates),
        row("ours in proportion (target 0.7)", ratios, "{:.2f}"),
    ]
