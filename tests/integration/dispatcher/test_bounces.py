"""Mails carry a return path of their own, and a bounce that comes back by LMTP is a receipt."""

import asyncio
import smtplib
import uuid

from deploy.local.ports import LOOPBACK, free_port
from services.dispatcher.domain.bounces import return_path
from services.dispatcher.settings import BounceSettings
from tests.support.dispatcher import member
from tests.support.sending import World
from tests.support.wait import until
from tests.unit.dispatcher.test_bounces import ADDRESS, report


def _hand_over(port: int, recipient: str, mail: bytes) -> tuple[int, bytes]:
    """Do what a mail server does with a bounce; give the answer that decides what it does next."""
    with smtplib.LMTP(LOOPBACK, port) as client:
        client.ehlo("mail.example")  # which LMTP spells LHLO
        client.mail("")
        code, words = client.rcpt(recipient)
        if code == 250:
            code, words = client.data(mail)
    return code, words


async def test_a_bounce_becomes_the_receipt_of_the_attempt_that_it_names(world: World) -> None:
    """Twice is once, a stranger's address is refused, and the closing statement follows."""
    port = free_port()
    await world.people(member("m1", "n1"), member("m2", "n1"))
    bulletin = str(uuid.uuid4())
    bounces = BounceSettings(address=ADDRESS, host=LOOPBACK, port=port)
    async with world.dispatcher(bounces=bounces):
        await world.bulletin(bulletin, "n1")
        first = await world.closed(bulletin)
        assert first.states == {"accepted": 2}
        rows = {row["destination"]: row for row in await world.rows(bulletin)}
        for mail in await world.mail():
            assert mail["from"] == return_path(ADDRESS, f"{rows[mail['to']]['_id']}.1")
        path = return_path(ADDRESS, f"{rows['m1@example.org']['_id']}.1")
        for mail in (report("delayed", "4.4.1"), *[report("failed", "5.1.1")] * 2):
            assert (await asyncio.to_thread(_hand_over, port, path, mail))[0] == 250
        nobody = return_path(ADDRESS, f"{uuid.uuid4()}.1")
        assert (await asyncio.to_thread(_hand_over, port, nobody, report("failed", "5.1.1")))[
            0
        ] == 550
        assert (await asyncio.to_thread(_hand_over, port, "else@bin.example", b""))[0] == 550

        async def known() -> bool:
            states = {row["destination"]: row["state"] for row in await world.rows(bulletin)}
            return states == {"m1@example.org": "undelivered", "m2@example.org": "accepted"}

        await until(known)
        await world.closed(bulletin, first.revision + 1)
        await world.agree(bulletin)
    (bounced,) = [row for row in await world.rows(bulletin) if row["state"] == "undelivered"]
    assert bounced["reason"] == "invalid_address"
    assert bounced["seq"] == 2
