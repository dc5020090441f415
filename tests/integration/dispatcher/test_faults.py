"""Every way in which a provider misbehaves, and one check after each: all three say the same.

The sandbox is what really left the house, the ledger what we believe, the events what is on record.
"""

import asyncio
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contracts.base import Channel, SendState
from tests.support.sending import World, crowd
from tests.support.slow_relay import slow_relay
from tests.support.wait import until

PEOPLE = 6
HIT = 3
HASTY: dict[str, Any] = {
    "second_attempt_after": timedelta(seconds=1.5),
    "reconcile_after": timedelta(milliseconds=300),
    "close_again_after": timedelta(milliseconds=300),
}


async def one_to_one(world: World, message_id: str, channel: Channel) -> Counter[str]:
    """Check sandbox = ledger = events, person by person; give the sends by state."""
    left = await (world.sms() if channel is Channel.SMS else world.mail())
    arrived = Counter[str]()
    for one in left:
        to = one["to"]
        arrived.update([to] if isinstance(to, str) else to)
    rows = await world.rows(message_id)
    events = world.events(message_id)
    assert {event.send_id for event in events} == {row["_id"] for row in rows}
    for row in rows:
        mine = [event for event in events if event.send_id == row["_id"]]
        assert [event.seq for event in mine] == list(range(1, row["seq"] + 1))
        assert str(mine[-1].state) == row["state"]
        count = arrived.pop(row["destination"], 0)
        match SendState(row["state"]):
            case SendState.ACCEPTED | SendState.DELIVERED | SendState.UNDELIVERED:
                assert 1 <= count <= 1 + mine[-1].possible_duplicate
            case SendState.UNKNOWN:
                assert count <= 1
            case _:
                assert count == 0
    assert not arrived
    return Counter(row["state"] for row in rows)


@pytest.mark.parametrize(
    ("fault", "seconds", "states", "flagged"),
    [
        ("refuse", None, {"failed": HIT, "delivered": PEOPLE - HIT}, 0),
        ("slow", 3, {"delivered": PEOPLE}, 0),  # the time-out is 2 s; the receipt tells
        ("accept_then_drop", None, {"delivered": PEOPLE}, 0),  # its list, or a receipt, tells
        ("status_500", None, {"delivered": PEOPLE}, HIT),  # nobody can tell: one more, flagged
        ("status_429", None, {"delivered": PEOPLE}, 0),  # provably not sent: simply again
        ("undelivered", None, {"undelivered": HIT, "delivered": PEOPLE - HIT}, 0),
    ],
)
async def test_a_misbehaving_sms_provider_costs_nobody_a_message_and_nobody_gets_two(
    world: World, fault: str, seconds: float | None, states: dict[str, int], flagged: int
) -> None:
    await world.people(*crowd(PEOPLE))
    more = {} if seconds is None else {"seconds": seconds}
    await world.fault("sms", fault, count=HIT, **more)
    async with world.dispatcher(**HASTY):
        alert = await world.alert()
        await world.closed(alert)
        await world.agree(alert)
    assert await one_to_one(world, alert, Channel.SMS) == states
    duplicates = {event.send_id for event in world.events(alert) if event.possible_duplicate}
    assert len(duplicates) == flagged


@pytest.mark.parametrize(
    ("fault", "seconds", "states"),
    [
        ("refuse", None, {"failed": HIT, "accepted": PEOPLE - HIT}),
        ("slow", 2, {"unknown": HIT, "accepted": PEOPLE - HIT}),  # the final reply has 1 s here
        ("accept_then_drop", None, {"unknown": HIT, "accepted": PEOPLE - HIT}),
        ("status_500", None, {"failed": HIT, "accepted": PEOPLE - HIT}),
        ("status_429", None, {"accepted": PEOPLE}),
        ("undelivered", None, {"accepted": PEOPLE}),  # a bounce comes later, if at all
    ],
)
async def test_a_misbehaving_mail_server_never_gets_a_mail_twice(
    world: World, fault: str, seconds: float | None, states: dict[str, int]
) -> None:
    """5xx is final, 4xx is tried again, and what nobody can tell waits for an operator."""
    await world.people(*crowd(PEOPLE))
    more = {} if seconds is None else {"seconds": seconds}
    await world.fault("mail", fault, count=HIT, **more)
    bulletin = str(uuid.uuid4())
    dispatcher = world.dispatcher(**HASTY)
    smtp = dispatcher.settings.smtp.model_copy(update={"final_dot_timeout": timedelta(seconds=1)})
    dispatcher.settings = dispatcher.settings.model_copy(update={"smtp": smtp})
    async with dispatcher:
        await world.bulletin(bulletin, "n1")

        async def there() -> bool:
            found = Counter(row["state"] for row in await world.rows(bulletin))
            return found == states

        await until(there)
        await asyncio.sleep(1)  # long enough for a wrong second attempt
    assert await one_to_one(world, bulletin, Channel.EMAIL) == states


GREETING, RECIPIENT = 0, 3
"""Which answer of an SMTP server on its connection it is; in between come EHLO's and MAIL's."""


@pytest.mark.parametrize(
    ("answer", "seconds", "lives", "states"),
    [
        (GREETING, 1.1, 3600.0, {"accepted": 1}),
        (RECIPIENT, 6.1, 6.0, {"expired": 1}),
    ],
)
async def test_a_slow_mail_server_gets_no_mail_on_an_old_check_and_none_that_is_over(
    world: World, answer: int, seconds: float, lives: float, states: dict[str, int]
) -> None:
    """What took too long was provably not sent: it is checked again, and goes or expires."""
    await world.people(*crowd(1))
    bulletin = str(uuid.uuid4())
    async with slow_relay(world.sandbox.smtp_port, {answer: seconds}) as port:
        dispatcher = world.dispatcher()
        smtp = dispatcher.settings.smtp.model_copy(update={"port": port})
        dispatcher.settings = dispatcher.settings.model_copy(update={"smtp": smtp})
        async with dispatcher:
            await asyncio.sleep(0.5)
            over = datetime.now(UTC) + timedelta(seconds=lives)
            await world.bulletin(bulletin, "n1", expires_at=over)
            assert (await world.closed(bulletin)).states == states
            await world.agree(bulletin)
    assert len(await world.mail()) == states.get("accepted", 0)
    (row,) = await world.rows(bulletin)
    unsent = [one for one in row["attempts"] if one["state"] != "accepted"]
    assert {(one["state"], one["reason"]) for one in unsent} == {("planned", "too_late")}
