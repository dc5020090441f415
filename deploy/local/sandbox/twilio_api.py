"""Twilio's Messages resource, as the SDK calls it: send, read, list, redact and delete.

Source: Twilio's API reference, "Messages resource", version 2010-04-01, and its error dictionary.
"""

import asyncio
import base64
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlencode

import orjson
from aiohttp import web

from deploy.local.sandbox.callbacks import Callbacks
from deploy.local.sandbox.faults import Channel, Fault, Faults, Hit
from deploy.local.sandbox.outcomes import (
    MAGIC_FROM,
    OPTED_OUT,
    REFUSED_AT_ONCE,
    UNDELIVERED_LATER,
    Trouble,
    trouble_with,
)
from deploy.local.sandbox.phones import Phones, Sms, new_sid, utc_now
from deploy.local.sandbox.segments import count_segments
from deploy.local.sandbox.settings import SandboxSettings

VERSION = "2010-04-01"

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_LONGEST_BODY = 1600
_LONGEST_VALIDITY = 36_000
_DEFAULT_PAGE, _LARGEST_PAGE = 50, 1000
_UNREACHABLE_HANDSET = 30003


class ApiError(Exception):
    """An answer that says no, in Twilio's form."""

    def __init__(self, status: int, code: int, text: str) -> None:
        """`status` is HTTP's, `code` is Twilio's."""
        super().__init__(text)
        self.status = status
        self.code = code

    def body(self) -> bytes:
        """Write the error as Twilio does."""
        return orjson.dumps(
            {
                "code": self.code,
                "message": str(self),
                "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
                "status": self.status,
            }
        )


@dataclass(frozen=True, slots=True)
class _Order:
    """A valid request to send."""

    to: str
    sender: str | None
    service: str | None
    body: str
    callback: str | None
    trace: str | None
    """The request's `traceparent`."""


class TwilioApi:
    """The routes below `/2010-04-01/Accounts/{account}`."""

    def __init__(
        self, settings: SandboxSettings, phones: Phones, faults: Faults, callbacks: Callbacks
    ) -> None:
        """Play the accounts of the settings."""
        self._settings = settings
        self._phones = phones
        self._faults = faults
        self._callbacks = callbacks
        self._logins = {
            _basic(account.sid, account.auth_token.get_secret_value()): account.sid
            for account in settings.accounts
        }
        self._busy: Counter[str] = Counter()
        self._recent: dict[str, deque[float]] = {a.sid: deque() for a in settings.accounts}

    def routes(self) -> list[web.RouteDef]:
        """Give the routes to add to the application."""
        messages = f"/{VERSION}/Accounts/{{account}}/Messages"
        return [
            web.post(f"{messages}.json", self._answering(self._send)),
            web.get(f"{messages}.json", self._answering(self._list)),
            web.get(messages + "/{sid}.json", self._answering(self._read)),
            web.post(messages + "/{sid}.json", self._answering(self._redact)),
            web.delete(messages + "/{sid}.json", self._answering(self._delete)),
        ]

    def _answering(self, handle: "_Handler") -> Callable[[web.Request], Any]:
        """Check the login and the limits, and write the answer or the error."""

        async def answer(request: web.Request) -> web.StreamResponse:
            account = request.match_info["account"]
            busy = 0
            try:
                self._check_login(request, account)
                with self._counted(account) as busy:
                    status, body = await handle(request, account)
            except ApiError as error:
                status, body = error.status, error.body()
            headers = {"Twilio-Concurrent-Requests": str(busy)}
            if status == _TOO_MANY:
                headers["Retry-After"] = "1"  # as Twilio does
            return web.Response(
                body=body, status=status, headers=headers, content_type="application/json"
            )

        return answer

    def _check_login(self, request: web.Request, account: str) -> None:
        if self._logins.get(request.headers.get("Authorization", "")) != account:
            raise ApiError(401, 20003, "Authenticate")

    @contextmanager
    def _counted(self, account: str) -> Generator[int]:
        """Count the requests that run at this moment; Twilio limits those, per account."""
        if self._busy[account] >= self._settings.concurrent_requests:
            _too_many()
        self._busy[account] += 1
        try:
            yield self._busy[account]
        finally:
            self._busy[account] -= 1

    async def _send(self, request: web.Request, account: str) -> "_Answer":
        form = dict(parse_qsl(await request.text(), keep_blank_values=True))
        order = _read_order(form, request.headers.get("traceparent"))
        self._check_rate(account)
        hit = self._faults.next(Channel.SMS)
        _refuse_if_faulty(hit)
        trouble = self._trouble(order.to)
        if trouble and trouble.refused:
            raise ApiError(400, trouble.code, trouble.text)
        sms = self._accept(account, order, trouble, hit)
        if hit and hit.fault is Fault.SLOW:
            await asyncio.sleep(hit.delay)
        if hit and hit.fault is Fault.ACCEPT_THEN_DROP and request.transport:
            request.transport.abort()
        return 201, orjson.dumps(_resource(sms))

    def _accept(self, account: str, order: _Order, trouble: Trouble | None, hit: Hit | None) -> Sms:
        now = utc_now()
        undelivered = hit is not None and hit.fault is Fault.UNDELIVERED
        sms = Sms(
            sid=new_sid(),
            account=account,
            to=order.to,
            sender=order.sender,
            service=order.service,
            body=order.body,
            callback=order.callback,
            trace=order.trace,
            segments=count_segments(order.body),
            at=now,
            status="accepted" if order.service else "queued",
            changed=now,
            undeliverable=_UNREACHABLE_HANDSET if undelivered else trouble and trouble.code,
        )
        self._phones.accept(sms)
        self._callbacks.expect(sms)
        return sms

    def _trouble(self, to: str) -> Trouble | None:
        if self._phones.opted_out(to):
            return Trouble(OPTED_OUT, REFUSED_AT_ONCE[OPTED_OUT])
        return trouble_with(to)

    def _check_rate(self, account: str) -> None:
        limit = self._settings.messages_per_second
        if limit is None:
            return
        now, recent = time.monotonic(), self._recent[account]
        while recent and now - recent[0] > 1:
            recent.popleft()
        if len(recent) >= limit:
            _too_many()
        recent.append(now)

    async def _read(self, request: web.Request, account: str) -> "_Answer":
        return 200, orjson.dumps(_resource(self._found(request, account)))

    async def _redact(self, request: web.Request, account: str) -> "_Answer":
        sms = self._found(request, account)
        form = dict(parse_qsl(await request.text(), keep_blank_values=True))
        if form.get("Body") != "":
            raise ApiError(400, 20001, "Only an empty Body is allowed")
        return 200, orjson.dumps(_resource(self._phones.redact(sms.sid) or sms))

    async def _delete(self, request: web.Request, account: str) -> "_Answer":
        self._phones.drop(self._found(request, account).sid)
        return 204, b""

    def _found(self, request: web.Request, account: str) -> Sms:
        sms = self._phones.find(account, request.match_info["sid"])
        if sms is None:
            path = request.path
            raise ApiError(404, 20404, f"The requested resource {path} was not found")
        return sms

    async def _list(self, request: web.Request, account: str) -> "_Answer":
        query = dict(request.query)
        page = max(int(query.get("Page", "0")), 0)
        size = min(max(int(query.get("PageSize", str(_DEFAULT_PAGE))), 1), _LARGEST_PAGE)
        wanted = _filter(query)
        found = [sms for sms in self._phones.search(account, query.get("To")) if wanted(sms)]
        shown = found[page * size : (page + 1) * size]

        def uri(number: int) -> str:
            return f"{request.path}?{urlencode({**query, 'PageSize': size, 'Page': number})}"

        return 200, orjson.dumps(
            {
                "messages": [_resource(sms) for sms in shown],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(shown) - 1, 0),
                "uri": uri(page),
                "first_page_uri": uri(0),
                "previous_page_uri": uri(page - 1) if page else None,
                "next_page_uri": uri(page + 1) if (page + 1) * size < len(found) else None,
            }
        )


_TOO_MANY = 429
_Answer = tuple[int, bytes]
_Handler = Callable[[web.Request, str], Any]


def _too_many() -> NoReturn:
    raise ApiError(_TOO_MANY, 20429, "Too Many Requests")


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _refuse_if_faulty(hit: Hit | None) -> None:
    match hit.fault if hit else None:
        case Fault.REFUSE:
            raise ApiError(400, 21211, "The 'To' number is not a valid phone number.")
        case Fault.STATUS_500:
            raise ApiError(500, 20500, "Internal Server Error")
        case Fault.STATUS_429:
            _too_many()
        case _:
            pass


def _read_order(form: Mapping[str, str], trace: str | None) -> _Order:
    """Check a request to send as Twilio does, in the order in which it does."""
    to, sender, body = form.get("To"), form.get("From"), form.get("Body")
    service, callback = form.get("MessagingServiceSid"), form.get("StatusCallback")
    if not to:
        raise ApiError(400, 21604, "A 'To' phone number is required.")
    if not sender and not service:
        raise ApiError(400, 21603, "A 'From' phone number is required.")
    if not body:
        raise ApiError(400, 21602, "Message body is required.")
    if not _E164.fullmatch(to):
        raise ApiError(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if sender in MAGIC_FROM:
        code, text = MAGIC_FROM[sender]
        raise ApiError(400, code, text.format(sender=sender))
    if len(body) > _LONGEST_BODY:
        raise ApiError(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    if callback and not callback.startswith(("http://", "https://")):
        raise ApiError(400, 21609, f"The StatusCallback URL {callback} is not a valid URL.")
    _check_validity(form.get("ValidityPeriod"))
    return _Order(to, sender, service, body, callback, trace)


def _check_validity(seconds: str | None) -> None:
    if seconds is None:
        return
    if not seconds.isdigit() or not 1 <= int(seconds) <= _LONGEST_VALIDITY:
        text = f"ValidityPeriod {seconds} is invalid: 1 to {_LONGEST_VALIDITY} seconds"
        raise ApiError(400, 20422, text)


def _filter(query: Mapping[str, str]) -> Callable[[Sms], bool]:
    """Read the filters of a list: `From`, and `DateSent`, also with `<` and `>` in its name.

    The client writes `DateSent>=2026-01-01`, so that the name on the wire ends in `<` or `>`.
    """
    sender = query.get("From")
    on, before, after = (query.get(f"DateSent{sign}") for sign in ("", "<", ">"))

    def wanted(sms: Sms) -> bool:
        if sender is not None and sms.sender != sender:
            return False
        if not (on or before or after):
            return True
        sent = _time(sms.sent)
        return (
            sent is not None
            and (not on or sent.date() == _moment(on).date())
            and (not before or sent <= _moment(before))
            and (not after or sent >= _moment(after))
        )

    return wanted


def _moment(text: str) -> datetime:
    """Read a date, or a date and time, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, 20001, "DateSent is not a date") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _time(text: str | None) -> datetime | None:
    """Read our own time, cut to the second that Twilio keeps."""
    return datetime.fromisoformat(text).replace(microsecond=0) if text else None


def _written(text: str | None) -> str | None:
    """Write a time as Twilio does (RFC 2822)."""
    moment = _time(text)
    return format_datetime(moment) if moment else None


def _resource(sms: Sms) -> dict[str, Any]:
    uri = f"/{VERSION}/Accounts/{sms.account}/Messages/{sms.sid}"
    return {
        "account_sid": sms.account,
        "api_version": VERSION,
        "body": sms.body if sms.redacted is None else sms.redacted,
        "date_created": _written(sms.at),
        "date_sent": _written(sms.sent),
        "date_updated": _written(sms.changed),
        "direction": "outbound-api",
        "error_code": sms.error,
        "error_message": UNDELIVERED_LATER.get(sms.error) if sms.error else None,
        "from": sms.sender,
        "messaging_service_sid": sms.service,
        "num_media": "0",
        "num_segments": str(sms.segments),
        "price": None,
        "price_unit": "USD",
        "sid": sms.sid,
        "status": sms.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": sms.to,
        "uri": f"{uri}.json",
    }
