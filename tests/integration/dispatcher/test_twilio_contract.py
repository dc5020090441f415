"""Our requests to Twilio, and the sandbox's answers, are what Twilio publishes of its API."""

import asyncio
import inspect
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from aiohttp import web
from pydantic import AnyHttpUrl, SecretStr
from twilio.rest.api.v2010.account.message import (  # pyright: ignore[reportMissingTypeStubs]
    MessageInstance,
    MessageList,
)

from deploy.local.ports import LOOPBACK, free_port
from services.dispatcher.domain.ledger import Row
from services.dispatcher.domain.message import Content, Message, MessageKey
from services.dispatcher.senders.base import Accepted, Delivery, Failed, NotSent, attempt_id
from services.dispatcher.senders.twilio import TwilioSender, receipt_state
from services.dispatcher.settings import TwilioSettings
from shared.clock import Clock
from shared.contracts.base import Channel, Lane, MessageType, SendState, Status
from tests.support import twilio_contract as contract
from tests.support.sandbox import ACCOUNT, TOKEN, Sandbox
from tests.support.wait import until

SERVICE = "MG" + "7" * 32
PUBLIC = "https://dispatcher.example/base"


@dataclass
class Wire:
    """What went over the wire between the SDK and the sandbox."""

    url: str
    requests: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(
        default_factory=list[tuple[str, str, dict[str, str], dict[str, str]]]
    )
    """Method, path, query and form."""

    answers: list[tuple[int, Any]] = field(default_factory=list[tuple[int, Any]])


@asynccontextmanager
async def wiretap(target: str) -> AsyncGenerator[Wire]:
    """Pass requests on to the sandbox, and remember them."""
    port = free_port()
    wire = Wire(f"http://{LOOPBACK}:{port}")

    async def forward(request: web.Request) -> web.Response:
        body = await request.read()
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body)))
        wire.requests.append((request.method, request.path, dict(request.query), form))
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in {"Authorization", "Content-Type"}
        }
        async with httpx.AsyncClient() as client:
            answer = await client.request(
                request.method, f"{target}{request.path_qs}", content=body, headers=headers
            )
        wire.answers.append((answer.status_code, json.loads(answer.content or b"null")))
        return web.Response(
            status=answer.status_code, body=answer.content, content_type="application/json"
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield wire
    finally:
        await runner.cleanup()


def sender(wire: Wire, service: str | None) -> TwilioSender:
    settings = TwilioSettings(
        account_sid=ACCOUNT,
        auth_token=SecretStr(TOKEN),
        api_url=AnyHttpUrl(wire.url),
        callback_token=SecretStr("secret"),
        messaging_service_sid=service,
    )
    return TwilioSender(settings, "test", PUBLIC, lambda m, one: m.content.body[one], Clock())


def delivery(to: str, left: timedelta) -> Delivery:
    now = datetime.now(UTC)
    key = MessageKey("demo", MessageType.ALERT, "6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90")
    message = Message(
        key=key,
        lane=Lane.WARM,
        status=Status.ACTUAL,
        kind="alert",
        references=None,
        network_ids=("n1",),
        content=Content({"nl": "Inbraak & vlucht = 100% écht €\n+32"}),
        template="alert",
        issued_at=now,
        accepted_at=now,
        expires_at=now + left,
        legal_basis="law",
        house_rules={},
        communication_plan={},
    )
    row = Row(
        send_id="7a1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e91",
        key=key,
        lane=Lane.WARM,
        channel=Channel.SMS,
        destination=to,
        member_ids=("m1",),
        network_ids=("n1",),
        language="nl",
        recipient=None,
        recipient_year=2026,
        sender_name="BIN Demo",
        reply_to=None,
        unsubscribe_token=None,
        segments=1,
        template="alert",
        expires_at=message.expires_at,
        state=SendState.ATTEMPTING,
    )
    return Delivery(attempt_id(row.send_id, 1), row, message, to)


@pytest.mark.parametrize(
    ("left", "validity"),
    [
        (timedelta(minutes=30), (1790, 1800)),
        (timedelta(hours=11), (36_000, 36_000)),  # no longer than Twilio takes
        (timedelta(seconds=0.4), (1, 1)),  # no shorter either
    ],
)
@pytest.mark.parametrize("service", [None, SERVICE])
async def test_a_request_and_its_answer_are_as_published(
    dispatcher_sandbox: Sandbox,
    left: timedelta,
    validity: tuple[int, int],
    service: str | None,
) -> None:
    """Sent, found in the list, asked for and dropped again; each as the description says."""
    order = delivery("+32450000101", left)
    async with wiretap(dispatcher_sandbox.url) as wire, sender(wire, service) as twilio:
        sent = await twilio.send(order)
        assert isinstance(sent, Accepted)
        assert sent.reference is not None
        found = await twilio.find(order, order.message.issued_at)
        assert sent.reference in {known.reference for known in found}
        known = await twilio.fetch(sent.reference)
        assert known is not None
        await twilio.forget(sent.reference)
    (_, path, _, form), listed, *_ = wire.requests
    assert path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert contract.faults_of(form, contract.REQUEST) == []
    origin = {"MessagingServiceSid"} if service else {"From"}
    assert set(form) == {"To", "Body", "StatusCallback", "ValidityPeriod", *origin}
    assert form["Body"] == order.message.content.body["nl"]
    assert form["StatusCallback"] == (
        f"{PUBLIC}/v1/receipts/twilio/secret?attempt={order.row.send_id}.1"
    )
    assert validity[0] <= int(form["ValidityPeriod"]) <= validity[1]
    assert set(listed[2]) <= contract.LIST_QUERY
    for (method, path, _, _), (status, answer) in zip(wire.requests, wire.answers, strict=True):
        kind = "list" if path.endswith("/Messages.json") else "one"
        assert status == contract.ANSWERS[method, kind]
        if method == "GET" and kind == "list":
            assert set(answer) == contract.LIST
        messages = answer["messages"] if answer and "messages" in answer else [answer]
        for message in messages:
            if message is not None:
                assert set(message) == set(contract.MESSAGE)
                assert contract.faults_of(message, contract.MESSAGE) == []


async def test_a_refusal_has_the_shape_of_twilios_errors(dispatcher_sandbox: Sandbox) -> None:
    order = delivery("+32450021211", timedelta(minutes=5))
    async with wiretap(dispatcher_sandbox.url) as wire, sender(wire, None) as twilio:
        assert await twilio.send(order) == Failed("invalid_number")
    status, answer = wire.answers[0]
    assert status == 400
    assert set(answer) == {"code", "message", "more_info", "status"}
    assert (answer["code"], answer["status"]) == (21211, 400)


_IN_AN_HOUR = "the date in an hour"


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [
        ("7", (7, 7)),
        ("3600", (3600, 3600)),
        ("9" * 30, (36_000, 36_000)),  # no longer than a warm message lives
        (_IN_AN_HOUR, (3500, 3600)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", (0, 0)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", (0, 0)),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        (None, None),
    ],
)
async def test_a_provider_that_throttles_is_left_alone_as_long_as_it_asks(
    wish: str | None, seconds: tuple[int, int] | None
) -> None:
    """Through the real SDK: seconds or a date, as RFC 9110 has it; anything else is no wish."""

    async def throttle(_request: web.Request) -> web.Response:
        hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
        headers = {} if wish is None else {"Retry-After": hour if wish == _IN_AN_HOUR else wish}
        return web.json_response({"code": 20429}, status=429, headers=headers)

    app = web.Application()
    app.router.add_post("/{path:.*}", throttle)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        async with sender(Wire(f"http://{LOOPBACK}:{port}"), None) as twilio:
            outcome = await twilio.send(delivery("+32450000101", timedelta(minutes=5)))
    finally:
        await runner.cleanup()
    assert isinstance(outcome, NotSent)
    assert outcome.everyone
    if seconds is None:
        assert outcome.retry_after is None
    else:
        assert outcome.retry_after is not None
        assert seconds[0] <= outcome.retry_after.total_seconds() <= seconds[1]


async def test_questions_take_no_connection_from_what_is_sent() -> None:
    """However many are asked of a provider that is slow to answer."""
    asking, answering = 0, asyncio.Event()

    async def take(_request: web.Request) -> web.Response:
        return web.json_response({"sid": "SM" + "1" * 32}, status=201)

    async def muse(_request: web.Request) -> web.Response:
        nonlocal asking
        asking += 1
        await answering.wait()
        return web.json_response({"messages": []})

    async def busy() -> bool:
        return asking >= 8  # as many as may be asked at one time

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    app.router.add_get("/{path:.*}", muse)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    order = delivery("+32450000101", timedelta(minutes=5))
    try:
        async with sender(Wire(f"http://{LOOPBACK}:{port}"), None) as twilio:
            count = 3 * twilio.concurrency
            asked = [
                asyncio.create_task(twilio.find(order, order.message.issued_at))
                for _ in range(count)
            ]
            await until(busy)
            async with asyncio.timeout(20):
                assert isinstance(await twilio.send(order), Accepted)
            answering.set()
            assert await asyncio.gather(*asked) == [[]] * count
    finally:
        answering.set()
        await runner.cleanup()


async def test_the_sandbox_asks_for_a_pause_when_it_throttles(dispatcher_sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(base_url=dispatcher_sandbox.url) as client:
        fault = {"channel": "sms", "fault": "status_429", "count": 1}
        (await client.post("/faults", json=fault)).raise_for_status()
    async with sender(Wire(dispatcher_sandbox.url), None) as twilio:
        outcome = await twilio.send(delivery("+32450000101", timedelta(minutes=5)))
    assert outcome == NotSent("rate_limited", timedelta(seconds=1), everyone=True)


def test_every_status_that_twilio_publishes_means_something_here() -> None:
    unknown = {status for status in contract.STATUSES if receipt_state(status) is None}
    assert unknown == {"receiving"}  # of an inbound message on its way, never of ours


def test_the_table_knows_what_the_sdk_knows() -> None:
    """Twilio writes its SDK from the description, so a new version of it tells of a change."""
    asked = {_camel(name) for name in inspect.signature(MessageList.create).parameters}
    assert set(contract.REQUEST) <= asked
    version: Any = None
    told = vars(MessageInstance(version, {}, ACCOUNT))
    fields = {name.rstrip("_") for name in told if not name.startswith("_")}
    assert fields == set(contract.MESSAGE)
    assert _values(MessageInstance.Status) == contract.STATUSES
    assert _values(MessageInstance.Direction) == contract.DIRECTIONS


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.rstrip("_").split("_"))


def _values(words: type[object]) -> set[object]:
    return {value for name, value in vars(words).items() if name.isupper()}
