"""The chaos check: whatever the audit service needs is taken away while 20,000 sends flow.

It is killed and frozen, its connections to the broker are cut, its database and broker killed.
"""

import random
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path

from cli.demo_people import audience
from deploy.local.stack import NoStackError
from tests.e2e.local_stack import LocalStack, start_up
from tests.support.chaos import Blow, weather
from tests.support.stacks import wait_ready

TITLE = "Audit: the account after a storm"
SENDS, SEED = 20_000, 20_261_122
BLOWS: list[Blow] = [
    *("kill audit", "freeze audit", "kill mongod", "cut audit", "kill audit", "kill kafka"),
    *("freeze audit", "cut audit", "kill audit", "kill mongod", "kill audit", "kill kafka"),
]


def measure() -> list[str]:
    """Run it once; fails where log and sandbox differ."""
    chance = random.Random(SEED)  # noqa: S311 - the same order in every run
    blows = chance.sample(BLOWS, len(BLOWS))
    numbers = [str(person.phone) for person in audience()]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        child = start_up(data, "--with-demo-data")
        try:
            _wait(data)
            stack = LocalStack(data)
            stack.wait_ready()
            account = weather(
                stack,
                uuid.uuid4().hex[:10],
                numbers,
                alerts=-(-SENDS // len(numbers)),
                blows=blows,
                chance=chance,
                patience=600,
            )
            stack.close()
        finally:
            child.terminate()
            child.communicate(timeout=60)
    return [
        f"Seed {SEED}; in this order: {', '.join(blows)}.",
        "",
        "| alerts | SMS sent | entries | sent twice (flagged) | all sent | all on record |",
        "|---|---|---|---|---|---|",
        (
            f"| {account.alerts} | {account.sms:,} | {account.entries:,} | {account.twice} "
            f"| {account.sent_s:.0f} s | {account.on_record_s:.0f} s |"
        ),
        "",
        (
            "Afterwards the log verified, continued the checkpoint kept before the storm, and "
            "named the same provider references and recipients as the sandbox, one to one."
        ),
    ]


def _wait(data: Path) -> None:
    for _ in range(60):
        try:
            wait_ready(data, timedelta(seconds=1))
        except NoStackError:
            time.sleep(1)
            continue
        return
    message = "the stack did not start"
    raise RuntimeError(message)
