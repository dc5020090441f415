"""What a test or a demo asks the sandbox: what was accepted, and to misbehave."""

import secrets
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.local.sandbox.callbacks import Callbacks
from deploy.local.sandbox.faults import FaultRequest, Faults
from deploy.local.sandbox.mailbox import Mailbox
from deploy.local.sandbox.phones import Phones
from deploy.local.sandbox.settings import SandboxSettings

_STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
"""Twilio's default opt-out words."""


class Reply(BaseModel):
    """An SMS that a phone sends back; the account is the first one unless named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: str
    body: str
    to: str
    account: str | None = None


class Inspection:
    """The routes that no real provider has."""

    def __init__(
        self,
        settings: SandboxSettings,
        phones: Phones,
        mailbox: Mailbox,
        faults: Faults,
        callbacks: Callbacks,
    ) -> None:
        """Show and change what the providers hold."""
        self._settings = settings
        self._phones = phones
        self._mailbox = mailbox
        self._faults = faults
        self._callbacks = callbacks

    def routes(self) -> list[web.RouteDef]:
        """Give the routes to add to the application."""
        return [
            web.get("/sms", self._sms),
            web.delete("/sms", self._clear_sms),
            web.get("/mail", self._mail),
            web.delete("/mail", self._clear_mail),
            web.post("/faults", self._misbehave),
            web.delete("/faults", self._behave),
            web.post("/replies", self._reply),
            web.get("/readyz", self._ready),
            web.get("/livez", self._ready),
        ]

    async def _sms(self, _request: web.Request) -> web.Response:
        return _json(self._phones.shown())

    async def _clear_sms(self, _request: web.Request) -> web.Response:
        self._phones.clear()
        return web.Response(status=204)

    async def _mail(self, _request: web.Request) -> web.Response:
        return _json(self._mailbox.shown())

    async def _clear_mail(self, _request: web.Request) -> web.Response:
        self._mailbox.clear()
        return web.Response(status=204)

    async def _misbehave(self, request: web.Request) -> web.Response:
        try:
            self._faults.add(FaultRequest.model_validate_json(await request.read()))
        except ValidationError as problem:
            return _invalid(problem)
        return web.Response(status=204)

    async def _behave(self, _request: web.Request) -> web.Response:
        self._faults.clear()
        return web.Response(status=204)

    async def _reply(self, request: web.Request) -> web.Response:
        """Play a phone that answers; STOP is remembered as Twilio does (21610 from then on)."""
        try:
            reply = Reply.model_validate_json(await request.read())
        except ValidationError as problem:
            return _invalid(problem)
        if reply.body.strip().upper() in _STOP_WORDS:
            self._phones.opt_out(reply.number)
        accounts = {account.sid: account for account in self._settings.accounts}
        account = accounts.get(reply.account or self._settings.accounts[0].sid)
        if account is None or account.inbound_url is None:
            return web.Response(status=204)
        sid = f"SM{secrets.token_hex(16)}"
        form = {
            "AccountSid": account.sid,
            "ApiVersion": "2010-04-01",
            "Body": reply.body,
            "From": reply.number,
            "MessageSid": sid,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "To": reply.to,
        }
        async with aiohttp.ClientSession() as session:
            status = await self._callbacks.reply(session, form)
        return _json({"status": status})

    async def _ready(self, _request: web.Request) -> web.Response:
        return _json({"status": "ready"})


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


def _invalid(problem: ValidationError) -> web.Response:
    errors = problem.errors(include_url=False, include_context=False)
    return web.Response(
        status=422, body=orjson.dumps({"errors": errors}), content_type="application/json"
    )
