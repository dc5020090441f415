"""Wires the sandbox and runs it: one HTTP server, one SMTP server, one worker of callbacks."""

import asyncio
import logging
import signal

import orjson
from aiohttp import web

from deploy.local.issuer import ISSUER_PATH, Issuer, issuer_url
from deploy.local.sandbox.bounces import Bounces
from deploy.local.sandbox.callbacks import Callbacks
from deploy.local.sandbox.faults import Faults
from deploy.local.sandbox.inspection import Inspection
from deploy.local.sandbox.journal import Journal
from deploy.local.sandbox.mailbox import Mailbox, MailHandler, smtp_protocol
from deploy.local.sandbox.phones import Phones
from deploy.local.sandbox.settings import SandboxSettings
from deploy.local.sandbox.twilio_api import TwilioApi
from shared.tasks import end


async def serve(settings: SandboxSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    faults = Faults()
    phones = Phones(Journal(settings.folder / "sms.ndjson"))
    mailbox = Mailbox(Journal(settings.folder / "mail.ndjson"))
    callbacks = Callbacks(settings, phones)
    bounces = Bounces(settings.bounces_port, settings.delivered_after)
    working = [asyncio.create_task(part.run()) for part in (callbacks, bounces)]

    app = web.Application()
    app.add_routes(TwilioApi(settings, phones, faults, callbacks).routes())
    app.add_routes(Inspection(settings, phones, mailbox, faults, callbacks).routes())
    app.add_routes(_issuer_routes(settings))
    runner = web.AppRunner(app, access_log=None)  # paths and queries hold numbers
    await runner.setup()

    handler = MailHandler(mailbox, faults, bounces)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: smtp_protocol(handler), settings.host, settings.smtp_port
    )
    await web.TCPSite(runner, settings.host, settings.http_port, backlog=1024).start()

    await stop.wait()
    smtp.close()
    await runner.cleanup()
    await end(working)


def _issuer_routes(settings: SandboxSettings) -> list[web.RouteDef]:
    issuer = Issuer(issuer_url(settings.host, settings.http_port), settings.issuer_key)
    discovery, keys = orjson.dumps(issuer.discovery()), orjson.dumps(issuer.key_set())

    async def show_discovery(_request: web.Request) -> web.Response:
        return web.Response(body=discovery, content_type="application/json")

    async def show_keys(_request: web.Request) -> web.Response:
        return web.Response(body=keys, content_type="application/json")

    return [
        web.get(f"{ISSUER_PATH}/.well-known/openid-configuration", show_discovery),
        web.get(f"{ISSUER_PATH}/jwks.json", show_keys),
    ]


def quiet_logs() -> None:
    """Keep numbers and addresses out of the log: libraries write them at INFO."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("mail.log").setLevel(logging.ERROR)
