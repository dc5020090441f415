"""The sandbox's Twilio, as the real SDK sees it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import httpx
import pytest
from twilio.base.exceptions import (  # pyright: ignore[reportMissingTypeStubs]
    TwilioRestException,
)
from twilio.http.async_http_client import (  # pyright: ignore[reportMissingTypeStubs]
    AsyncTwilioHttpClient,
)
from twilio.rest import Client  # pyright: ignore[reportMissingTypeStubs]

from deploy.local.ports import LOOPBACK, free_port
from tests.support.sandbox import (
    ACCOUNT,
    OTHER_ACCOUNT,
    TOKEN,
    Sandbox,
    callback_receiver,
    make_sandbox,
)
from tests.support.wait import until

pytestmark = [  # the SDK's own HTTP client uses what aiohttp 4 will not have; ours does not
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

_TO = "+32450000101"
_FROM = "BIN Demo"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sandbox]:
    """Give one sandbox to all tests of this module."""
    made = make_sandbox(tmp_path_factory.mktemp("sandbox"))
    made.part.start()
    yield made
    made.part.stop()


@pytest.fixture
async def twilio(sandbox: Sandbox) -> AsyncGenerator[Any]:
    """Give the SDK's client, on an empty sandbox that behaves."""
    _clear(sandbox)
    async with _client(sandbox.url) as client:
        yield client


class _client:  # noqa: N801 - reads as the function it stands for
    """The real SDK against another address, as a setting of ours does it."""

    def __init__(self, url: str, account: str = ACCOUNT, token: str = TOKEN) -> None:
        self._url = url
        self._login = (account, token)

    async def __aenter__(self) -> Any:
        self._http = cast("Any", AsyncTwilioHttpClient)()
        client = cast("Any", Client)(*self._login, http_client=self._http)
        client.api.base_url = self._url
        return client

    async def __aexit__(self, *exc: object) -> None:
        await self._http.close()


async def _send(twilio: Any, to: str = _TO, body: str = "Hallo", **more: Any) -> Any:
    return await twilio.messages.create_async(to=to, from_=_FROM, body=body, **more)


def _clear(sandbox: Sandbox) -> None:
    for what in ("sms", "faults"):
        httpx.delete(f"{sandbox.url}/{what}").raise_for_status()


def _concurrent(sandbox: Sandbox) -> str:
    url = f"{sandbox.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    answer = httpx.get(url, auth=(ACCOUNT, TOKEN)).raise_for_status()
    return answer.headers["Twilio-Concurrent-Requests"]


def _shown(sandbox: Sandbox) -> list[dict[str, str]]:
    return httpx.get(f"{sandbox.url}/sms").raise_for_status().json()


def _fault(sandbox: Sandbox, fault: str, **more: Any) -> None:
    request = {"channel": "sms", "fault": fault, **more}
    httpx.post(f"{sandbox.url}/faults", json=request).raise_for_status()


async def _until(holds: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_message_is_accepted_and_shown(sandbox: Sandbox, twilio: Any) -> None:
    """The SDK reads all fields of the answer, and `GET /sms` shows the message in order."""
    message = await _send(twilio, body="Diefstal é", validity_period=1800)
    second = await _send(twilio, body="x" * 161)
    assert message.status == "queued"
    assert message.sid.startswith("SM")
    assert (message.to, message.from_, message.body) == (_TO, _FROM, "Diefstal é")
    assert (message.num_segments, second.num_segments) == ("1", "2")
    assert abs(message.date_created - datetime.now(UTC)) < timedelta(seconds=5)
    first, other = _shown(sandbox)
    assert {"sid", "to", "from", "body", "at"} <= first.keys()
    assert (first["sid"], first["body"], other["sid"]) == (message.sid, "Diefstal é", second.sid)
    assert (first["to"], first["from"]) == (_TO, _FROM)
    assert datetime.fromisoformat(first["at"]).tzinfo is not None


async def test_a_message_becomes_delivered_with_signed_callbacks(twilio: Any) -> None:
    """Each step is posted to the message's own URL, signed over that URL."""
    async with callback_receiver() as receiver:
        message = await _send(twilio, status_callback=receiver.url)
        await _until(lambda: len(receiver.forms) == 2)
    assert receiver.statuses(message.sid) == ["sent", "delivered"]
    assert receiver.signed == [True, True]
    assert receiver.forms[0]["To"] == _TO
    assert "ErrorCode" not in receiver.forms[1]
    fetched = await twilio.messages(message.sid).fetch_async()
    assert fetched.status == "delivered"
    assert fetched.date_sent is not None


async def test_a_callback_waits_a_moment_for_a_listener(tmp_path: Path) -> None:
    """As with Twilio, a receiver that is not there is tried once more, a moment later."""
    port, moment = free_port(), 4
    url = f"http://{LOOPBACK}:{port}/receipts/secret?attempt=1"
    made = make_sandbox(tmp_path, callback_again_after=f"PT{moment}S")
    made.part.start()
    try:
        async with _client(made.url) as twilio:
            began = time.monotonic()
            message = await _send(twilio, status_callback=url)
            await _until(lambda: _shown(made)[0]["status"] == "delivered")
            async with callback_receiver(port) as receiver:
                await _until(lambda: len(receiver.forms) == 2)
    finally:
        made.part.stop()
    assert sorted(receiver.statuses(message.sid)) == ["delivered", "sent"]
    assert time.monotonic() - began > moment


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550001", 21211),
        ("+15005550002", 21612),
        ("+15005550003", 21408),
        ("+15005550004", 21610),
        ("+15005550009", 21614),
        ("+32450021211", 21211),
        ("+32450021610", 21610),
        ("+32450021614", 21614),
        ("+32450021611", 21611),
        ("0450000101", 21211),
    ],
)
async def test_a_magic_number_is_refused(
    sandbox: Sandbox, twilio: Any, number: str, code: int
) -> None:
    """The answer is Twilio's error; nothing is accepted."""
    with pytest.raises(TwilioRestException) as caught:
        await _send(twilio, to=number)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert _shown(sandbox) == []


@pytest.mark.parametrize("code", [30003, 30005, 30006, 30007, 30008])
async def test_a_magic_number_is_accepted_and_not_delivered(twilio: Any, code: int) -> None:
    """The receipt says `undelivered` with the code that the number ends in."""
    async with callback_receiver() as receiver:
        message = await _send(twilio, to=f"+324500{code}", status_callback=receiver.url)
        await _until(lambda: len(receiver.forms) == 2)
    assert receiver.statuses(message.sid) == ["sent", "undelivered"]
    assert receiver.forms[1]["ErrorCode"] == str(code)
    fetched = await twilio.messages(message.sid).fetch_async()
    assert (fetched.status, fetched.error_code) == ("undelivered", code)
    assert fetched.error_message


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"to": _TO, "body": "x"}, 21603),
        ({"to": _TO, "from_": _FROM}, 21602),
        ({"to": _TO, "from_": _FROM, "body": "x" * 1601}, 21617),
        ({"to": _TO, "from_": "+15005550007", "body": "x"}, 21606),
        ({"to": _TO, "from_": _FROM, "body": "x", "status_callback": "ftp://x"}, 21609),
        ({"to": _TO, "from_": _FROM, "body": "x", "validity_period": 36_001}, 20422),
    ],
)
async def test_a_bad_request_is_refused(twilio: Any, order: dict[str, Any], code: int) -> None:
    """What Twilio refuses, the sandbox refuses with the same code."""
    with pytest.raises(TwilioRestException) as caught:
        await twilio.messages.create_async(**order)
    assert (caught.value.status, caught.value.code) == (400, code)


async def test_a_wrong_login_is_refused(sandbox: Sandbox) -> None:
    """A wrong token, or another account's, gets 401 and code 20003."""
    for account, token in ((ACCOUNT, "wrong"), (OTHER_ACCOUNT, TOKEN)):
        async with _client(sandbox.url, account, token) as stranger:
            with pytest.raises(TwilioRestException) as caught:
                await _send(stranger)
            assert (caught.value.status, caught.value.code) == (401, 20003)


async def test_the_list_filters_and_pages(sandbox: Sandbox, twilio: Any) -> None:
    """By destination and sending date, newest first, over several pages."""
    sids = [(await _send(twilio, body=f"n{number}")).sid for number in range(5)]
    await _send(twilio, to="+32450000102")
    found = await twilio.messages.list_async(to=_TO, page_size=2)
    assert [message.sid for message in found] == sids[::-1]
    since = datetime.now(UTC) - timedelta(minutes=1)
    await _until(lambda: all(sms["status"] == "delivered" for sms in _shown(sandbox)))
    assert len(await twilio.messages.list_async(to=_TO, date_sent_after=since)) == 5
    assert await twilio.messages.list_async(to=_TO, date_sent_before=since) == []
    assert len(await twilio.messages.list_async(limit=3)) == 3
    assert len(await twilio.messages.list_async(from_="Other")) == 0


async def test_accounts_do_not_see_each_other(sandbox: Sandbox, twilio: Any) -> None:
    """A message is found by its own account only."""
    message = await _send(twilio)
    async with _client(sandbox.url, OTHER_ACCOUNT, "another-token") as other:
        assert await other.messages.list_async() == []
        with pytest.raises(TwilioRestException) as caught:
            await other.messages(message.sid).fetch_async()
    assert (caught.value.status, caught.value.code) == (404, 20404)


async def test_the_provider_drops_its_copy_and_the_phone_keeps_it(
    sandbox: Sandbox, twilio: Any
) -> None:
    """Redacting empties the text, deleting ends in 404; what was received stays shown."""
    message = await _send(twilio, body="geheim")
    redacted = await twilio.messages(message.sid).update_async(body="")
    assert redacted.body == ""
    assert await twilio.messages(message.sid).delete_async()
    with pytest.raises(TwilioRestException) as caught:
        await twilio.messages(message.sid).fetch_async()
    assert caught.value.status == 404
    assert [sms["body"] for sms in _shown(sandbox)] == ["geheim"]


async def test_too_many_requests_at_once_are_told_so(tmp_path: Path) -> None:
    """Beyond the account's concurrent requests the answer is 429; the header counts them."""
    made = make_sandbox(tmp_path, concurrent_requests="2")
    made.part.start()
    try:
        _fault(made, "slow", count=2, seconds=3)
        async with _client(made.url) as twilio:
            slow = [asyncio.create_task(_send(twilio)) for _ in range(2)]
            await _until(lambda: len(_shown(made)) == 2)
            with pytest.raises(TwilioRestException) as caught:
                await _send(twilio)
            assert (caught.value.status, caught.value.code) == (429, 20429)
            await asyncio.gather(*slow)
            await _send(twilio)
        assert len(_shown(made)) == 3
        assert _concurrent(made) == "1"
    finally:
        made.part.stop()


async def test_too_many_messages_in_a_second_are_told_so(tmp_path: Path) -> None:
    """Beyond the account's rate the answer is 429, and nothing is accepted."""
    made = make_sandbox(tmp_path, messages_per_second="3")
    made.part.start()
    try:
        async with _client(made.url) as twilio:
            sent = [_send(twilio) for _ in range(40)]
            answers = await asyncio.gather(*sent, return_exceptions=True)
        refused = [one for one in answers if isinstance(one, TwilioRestException)]
        assert refused
        assert {(one.status, one.code) for one in refused} == {(429, 20429)}
        assert len(_shown(made)) == len(answers) - len(refused) >= 3
    finally:
        made.part.stop()


class TestFaults:
    """`POST /faults`, one by one."""

    @pytest.mark.parametrize(
        ("fault", "status"), [("refuse", 400), ("status_500", 500), ("status_429", 429)]
    )
    async def test_an_error_is_answered_and_nothing_accepted(
        self, sandbox: Sandbox, twilio: Any, fault: str, status: int
    ) -> None:
        """As many messages as asked for meet the fault, and the next one goes through."""
        _fault(sandbox, fault, count=2)
        for _ in range(2):
            with pytest.raises(TwilioRestException) as caught:
                await _send(twilio)
            assert caught.value.status == status
        assert _shown(sandbox) == []
        assert (await _send(twilio)).status == "queued"

    async def test_slow_accepts_at_once_and_answers_late(
        self, sandbox: Sandbox, twilio: Any
    ) -> None:
        """Who gives up waiting was nevertheless heard."""
        _fault(sandbox, "slow", count=1, seconds=2)
        began = time.monotonic()
        sending = asyncio.create_task(_send(twilio))
        await _until(lambda: len(_shown(sandbox)) == 1)
        assert not sending.done()
        await sending
        assert time.monotonic() - began >= 2

    async def test_accept_then_drop_accepts_and_answers_nothing(
        self, sandbox: Sandbox, twilio: Any
    ) -> None:
        """The client sees a broken connection; the list has the message."""
        _fault(sandbox, "accept_then_drop", count=1)
        with pytest.raises(aiohttp.ClientError):
            await _send(twilio, body="eens")
        assert [sms["body"] for sms in _shown(sandbox)] == ["eens"]
        assert [m.body for m in await twilio.messages.list_async(to=_TO)] == ["eens"]

    async def test_undelivered_is_accepted_and_fails_later(
        self, sandbox: Sandbox, twilio: Any
    ) -> None:
        """The receipt says so, with a code."""
        _fault(sandbox, "undelivered", count=1)
        async with callback_receiver() as receiver:
            message = await _send(twilio, status_callback=receiver.url)
            await _until(lambda: len(receiver.forms) == 2)
        assert receiver.statuses(message.sid) == ["sent", "undelivered"]
        assert receiver.forms[1]["ErrorCode"] == "30003"

    async def test_a_fault_for_a_time_ends_by_itself(self, sandbox: Sandbox, twilio: Any) -> None:
        """`seconds` without `count` hits everything until the time is over."""
        _fault(sandbox, "status_429", seconds=3600)
        for _ in range(3):
            with pytest.raises(TwilioRestException):
                await _send(twilio)
        _clear(sandbox)
        _fault(sandbox, "status_429", seconds=0.2)

        async def accepted() -> bool:
            with suppress(TwilioRestException):
                await _send(twilio)
            return len(_shown(sandbox)) == 1

        await until(accepted)

    @pytest.mark.parametrize(
        "request_",
        [
            {"channel": "fax", "fault": "slow"},
            {"channel": "sms", "fault": "explode"},
            {"channel": "sms", "fault": "slow", "count": 0},
            {"channel": "sms", "fault": "slow", "seconds": -1},
            {"channel": "sms", "fault": "slow", "often": 2},
        ],
    )
    def test_a_fault_that_does_not_exist_is_refused(
        self, sandbox: Sandbox, request_: dict[str, Any]
    ) -> None:
        """A typing error in a test must not pass for a healthy provider."""
        assert httpx.post(f"{sandbox.url}/faults", json=request_).status_code == 422


async def test_a_killed_sandbox_keeps_what_it_accepted(tmp_path: Path) -> None:
    """After SIGKILL everything accepted is there, and outstanding receipts still come."""
    made = make_sandbox(tmp_path, delivered_after="PT1.5S")
    made.part.start()
    try:
        async with callback_receiver() as receiver, _client(made.url) as twilio:
            sids = [
                (await _send(twilio, body=f"n{n}", status_callback=receiver.url)).sid
                for n in range(20)
            ]
            made.part.kill()
            with (tmp_path / "journals" / "sms.ndjson").open("ab") as journal:
                journal.write(b'{"what":"accep')  # as a crash in the middle of a write leaves it
            made.part.start()
            assert [sms["sid"] for sms in _shown(made)] == sids
            await _until(lambda: all("delivered" in receiver.statuses(sid) for sid in sids), 10)
    finally:
        made.part.stop()


async def test_a_reply_is_posted_and_stop_is_remembered(tmp_path: Path) -> None:
    """An inbound SMS reaches the account's URL, signed; after STOP sending gets 21610."""
    async with callback_receiver() as receiver:
        made = make_sandbox(tmp_path, inbound_url=receiver.url)
        made.part.start()
        try:
            async with httpx.AsyncClient() as http, _client(made.url) as twilio:
                reply = {"number": _TO, "to": _FROM, "body": "Stop"}
                answer = await http.post(f"{made.url}/replies", json=reply)
                assert answer.json() == {"status": 200}
                with pytest.raises(TwilioRestException) as caught:
                    await _send(twilio)
        finally:
            made.part.stop()
    assert caught.value.code == 21610
    assert (receiver.forms[0]["From"], receiver.forms[0]["Body"]) == (_TO, "Stop")
    assert receiver.signed == [True]
