# pyright: basic, reportMissingImports=false
"""One Celery task per notification over Redis, as GOV.UK Notify delivers: the worker's side.

It runs in an environment of its own (`.venv-bench`), so nothing of this project is imported. The
real Notify also reads and writes a row of PostgreSQL in each task; here there is none.
"""

import os

from celery import Celery
from twilio.rest import Client

app = Celery("notify", broker=os.environ["BENCH_REDIS"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=4)

_client = Client("AC" + "5" * 32, "token")
_client.api.base_url = os.environ["BENCH_TWILIO"]


@app.task(name="deliver")
def deliver(to: str, body: str) -> None:
    """Deliver one notification."""
    _client.messages.create(
        to=to,
        body=body,
        from_="BIN Demo",
        validity_period=1800,
        status_callback="http://127.0.0.1/receipts",
    )
