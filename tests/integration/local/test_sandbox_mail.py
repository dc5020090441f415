"""The sandbox's mail server, as aiosmtplib sees it."""

import asyncio
import time
from collections.abc import Generator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest

from tests.support.sandbox import Sandbox, make_sandbox
from tests.support.wait import until

_TO = "lid@buurt.example"
_FROM = "no-reply@bin.example"


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sandbox]:
    """Give one sandbox to all tests of this module."""
    made = make_sandbox(tmp_path_factory.mktemp("sandbox"))
    made.part.start()
    yield made
    made.part.stop()


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """Give it empty and well-behaved."""
    httpx.delete(f"{shared_sandbox.url}/mail").raise_for_status()
    httpx.delete(f"{shared_sandbox.url}/faults").raise_for_status()
    return shared_sandbox


def _mail(subject: str = "Nieuws uit de buurt", to: str = _TO) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = _FROM, to, subject
    mail.set_content("Beste buur,\n.een regel met een punt\n")
    return mail


async def _send(sandbox: Sandbox, mail: EmailMessage, *to: str) -> Any:
    return await aiosmtplib.send(
        mail, hostname="127.0.0.1", port=sandbox.smtp_port, recipients=list(to) or None
    )


def _shown(sandbox: Sandbox) -> list[dict[str, str]]:
    return httpx.get(f"{sandbox.url}/mail").raise_for_status().json()


def _fault(sandbox: Sandbox, fault: str, **more: Any) -> None:
    request = {"channel": "mail", "fault": fault, **more}
    httpx.post(f"{sandbox.url}/faults", json=request).raise_for_status()


async def test_a_mail_is_accepted_and_shown(sandbox: Sandbox) -> None:
    """Every field is there, the subject decoded, the text as it was sent."""
    await _send(sandbox, _mail("Fête de quartier à Gand"))
    (mail,) = _shown(sandbox)
    assert (mail["to"], mail["from"]) == (_TO, _FROM)
    assert mail["subject"] == "Fête de quartier à Gand"
    assert "\n.een regel met een punt" in mail["raw"].replace("\r\n", "\n")
    assert mail["at"]


async def test_each_recipient_is_a_mail_of_its_own(sandbox: Sandbox) -> None:
    """In the order of the conversation; a refused one is not there."""
    refused, _ = await _send(sandbox, _mail(), "a@b.example", "vol+452@b.example", "c@b.example")
    assert refused["vol+452@b.example"][0] == 452
    assert [mail["to"] for mail in _shown(sandbox)] == ["a@b.example", "c@b.example"]


@pytest.mark.parametrize("code", [450, 452, 550, 552, 554])
async def test_a_magic_address_is_refused(sandbox: Sandbox, code: int) -> None:
    """With the code in its local part."""
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as caught:
        await _send(sandbox, _mail(to=f"iemand+{code}@buurt.example"))
    assert [refusal.code for refusal in caught.value.recipients] == [code]
    assert _shown(sandbox) == []


@pytest.mark.parametrize(
    ("fault", "code"), [("refuse", 550), ("status_500", 554), ("status_429", 451)]
)
async def test_a_fault_is_answered_and_nothing_accepted(
    sandbox: Sandbox, fault: str, code: int
) -> None:
    """The next mail after it goes through."""
    _fault(sandbox, fault, count=1)
    with pytest.raises(aiosmtplib.SMTPDataError) as caught:
        await _send(sandbox, _mail())
    assert caught.value.code == code
    assert _shown(sandbox) == []
    await _send(sandbox, _mail())
    assert len(_shown(sandbox)) == 1


async def test_slow_accepts_at_once_and_answers_late(sandbox: Sandbox) -> None:
    """The reply to the final dot comes after `seconds`."""
    _fault(sandbox, "slow", seconds=2)
    began = time.monotonic()
    sending = asyncio.create_task(_send(sandbox, _mail()))

    async def accepted() -> bool:
        return len(_shown(sandbox)) == 1

    await until(accepted)
    assert not sending.done()
    await sending
    assert time.monotonic() - began >= 2


async def test_accept_then_drop_accepts_and_answers_nothing(sandbox: Sandbox) -> None:
    """The client sees a broken connection after the final dot; the mail is there."""
    _fault(sandbox, "accept_then_drop")
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await _send(sandbox, _mail())
    assert len(_shown(sandbox)) == 1


async def test_undelivered_is_accepted_and_marked(sandbox: Sandbox) -> None:
    """It was accepted, so it is shown; its status says that nobody read it."""
    _fault(sandbox, "undelivered")
    await _send(sandbox, _mail())
    await _send(sandbox, _mail())
    assert [mail["status"] for mail in _shown(sandbox)] == ["undelivered", "delivered"]


async def test_a_fault_of_one_channel_leaves_the_other_alone(sandbox: Sandbox) -> None:
    """A broken SMS provider does not break mail."""
    _fault(sandbox, "refuse", channel="sms", count=5)
    await _send(sandbox, _mail())
    assert len(_shown(sandbox)) == 1


async def test_a_killed_sandbox_keeps_its_mail(tmp_path: Path) -> None:
    """What was accepted before SIGKILL is shown after the restart."""
    made = make_sandbox(tmp_path)
    made.part.start()
    try:
        for number in range(5):
            await _send(made, _mail(f"n{number}"))
        made.part.kill()
        made.part.start()
        assert [mail["subject"] for mail in _shown(made)] == [f"n{n}" for n in range(5)]
    finally:
        made.part.stop()
