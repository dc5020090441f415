"""Status callbacks: what becomes of a message, told and signed as Twilio does."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from twilio.request_validator import (  # pyright: ignore[reportMissingTypeStubs]
    RequestValidator,
)

from deploy.local.sandbox.phones import Phones, Sms
from deploy.local.sandbox.settings import SandboxSettings

_WORKERS = 32
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Telling:
    """A callback to post: the message as it was at that step, and whether this is the retry.

    Twilio tries once more when it cannot connect, and not when the answer is an error.
    """

    sms: Sms
    url: str
    again: bool = False


class Callbacks:
    """Moves each message to its final status and posts each step to the message's callback URL."""

    def __init__(self, settings: SandboxSettings, phones: Phones) -> None:
        """`phones` is where the statuses are kept."""
        self._settings = settings
        self._phones = phones
        self._signers: dict[str, Any] = {
            account.sid: RequestValidator(account.auth_token.get_secret_value())
            for account in settings.accounts
        }
        self._due: asyncio.Queue[_Telling] = asyncio.Queue()

    def expect(self, sms: Sms) -> None:
        """Plan the next step of a message."""
        if sms.status == "sent":
            final = "undelivered" if sms.undeliverable else "delivered"
            self._later(self._settings.delivered_after.total_seconds(), sms, final)
        else:
            self._later(self._settings.sent_after.total_seconds(), sms, "sent")

    async def run(self) -> None:
        """Work until cancelled; what an earlier run left unfinished is taken up first."""
        for sms in self._phones.unfinished():
            self.expect(sms)
        timeout = aiohttp.ClientTimeout(total=15)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            for _ in range(_WORKERS):
                group.create_task(self._work(session))

    async def reply(self, session: aiohttp.ClientSession, form: Mapping[str, str]) -> int:
        """Post a phone's reply to its account's inbound URL; gives the answer's status."""
        accounts = {account.sid: account for account in self._settings.accounts}
        account = accounts[form["AccountSid"]]
        return await self._post(session, account.sid, str(account.inbound_url), form)

    def _later(self, seconds: float, sms: Sms, status: str) -> None:
        asyncio.get_running_loop().call_later(seconds, self._step, sms.sid, status)

    def _step(self, sid: str, status: str) -> None:
        """Move a message on, whether or not anyone listens to its callbacks."""
        before = self._phones.get(sid)
        if before is None:
            return  # cleared away meanwhile
        error = before.undeliverable if status == "undelivered" else None
        sms = self._phones.change(sid, status, error)
        if sms is None:
            return
        if sms.callback:
            self._due.put_nowait(_Telling(sms, sms.callback))
        if status == "sent":
            self.expect(sms)

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while True:
            await self._tell(session, await self._due.get())

    async def _tell(self, session: aiohttp.ClientSession, telling: _Telling) -> None:
        sms = telling.sms
        try:
            await self._post(session, sms.account, telling.url, _form(sms))
        except aiohttp.ClientConnectorError:
            if telling.again:
                _LOG.warning("callback for %s not delivered: nobody listens", sms.sid)
                return
            later, pause = (
                asyncio.get_running_loop().call_later,
                self._settings.callback_again_after,
            )
            later(pause.total_seconds(), self._due.put_nowait, replace(telling, again=True))
        except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
            _LOG.warning("callback for %s failed: %s", sms.sid, type(problem).__name__)

    async def _post(
        self, session: aiohttp.ClientSession, account: str, url: str, form: Mapping[str, str]
    ) -> int:
        signature = self._signers[account].compute_signature(url, dict(form))
        headers = {"X-Twilio-Signature": str(signature)}
        async with session.post(url, data=form, headers=headers) as answer:
            await answer.read()
            return answer.status


def _form(sms: Sms) -> dict[str, str]:
    """Give the fields of a status callback, as Twilio names them."""
    fields = {
        "AccountSid": sms.account,
        "ApiVersion": "2010-04-01",
        "From": sms.sender,
        "MessageSid": sms.sid,
        "MessageStatus": sms.status,
        "MessagingServiceSid": sms.service,
        "SmsSid": sms.sid,
        "SmsStatus": sms.status,
        "To": sms.to,
        "ErrorCode": str(sms.error) if sms.error else None,
    }
    return {name: value for name, value in fields.items() if value is not None}
