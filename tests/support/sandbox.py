"""A sandbox process of a test's own, and a receiver of its callbacks."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from twilio.request_validator import (  # pyright: ignore[reportMissingTypeStubs]
    RequestValidator,
)

from deploy.local.files import private_folder
from deploy.local.keys import ensure_signing_key
from deploy.local.ports import LOOPBACK, free_port, stable_ports
from deploy.local.python_part import PythonPart

ACCOUNT = "AC" + "5" * 32
OTHER_ACCOUNT = "AC" + "6" * 32
TOKEN = "an-auth-token"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where a sandbox listens, and its process."""

    part: PythonPart
    smtp_port: int

    @property
    def url(self) -> str:
        """Where its HTTP API is."""
        return self.part.url


def make_sandbox(folder: Path, inbound_url: str | None = None, **settings: str) -> Sandbox:
    """Make a sandbox below `folder`, not started; `settings` as in `SandboxSettings`."""
    private_folder(folder)
    ports = stable_ports(folder / "ports.json", ("http", "smtp"))
    key = folder / "issuer.pem"
    ensure_signing_key(key)
    accounts = [
        {"sid": ACCOUNT, "auth_token": TOKEN, "inbound_url": inbound_url},
        {"sid": OTHER_ACCOUNT, "auth_token": "another-token"},
    ]
    values = {
        "FOLDER": str(folder / "journals"),
        "HTTP_PORT": str(ports["http"]),
        "SMTP_PORT": str(ports["smtp"]),
        "ACCOUNTS": orjson.dumps(accounts).decode(),
        "ISSUER_KEY": str(key),
        **settings,
    }
    environment = {f"BUURTBODE_SANDBOX_{name.upper()}": value for name, value in values.items()}
    url = f"http://{LOOPBACK}:{ports['http']}"
    log = folder / "sandbox.log"
    part = PythonPart("sandbox", "deploy.local.sandbox", url, environment, log)
    return Sandbox(part, ports["smtp"])


@dataclass(slots=True)
class Receiver:
    """What was posted to it, and whether every signature was right."""

    url: str
    forms: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    signed: list[bool] = field(default_factory=list[bool])

    def statuses(self, sid: str) -> list[str]:
        """Give the statuses told of one message, in order."""
        return [form["MessageStatus"] for form in self.forms if form.get("MessageSid") == sid]


@asynccontextmanager
async def callback_receiver(port: int | None = None) -> AsyncGenerator[Receiver]:
    """Listen for callbacks, checking each with Twilio's own validator."""
    port = port or free_port()
    receiver = Receiver(f"http://{LOOPBACK}:{port}/receipts/secret?attempt=1")
    validator: Any = RequestValidator(TOKEN)

    async def receive(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signature = request.headers.get("X-Twilio-Signature", "")
        receiver.forms.append(form)
        receiver.signed.append(bool(validator.validate(receiver.url, form, signature)))
        return web.Response()

    app = web.Application()
    app.router.add_post("/receipts/secret", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield receiver
    finally:
        await runner.cleanup()
