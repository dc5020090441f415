"""A database older than its topics sends nothing, and after `recover` nothing twice."""

import asyncio
import uuid
from functools import partial
from typing import Any

import pytest

from services.dispatcher.store.restored import Restored
from shared.callers import Caller, Role
from shared.contracts import MessageClosed, Send, Verdict
from shared.failures import Retryable
from shared.kafka import Positions
from shared.mongo import connect
from shared.mongo import database as open_database
from tests.support.dispatcher import member, published
from tests.support.memory_kafka import MemoryLog
from tests.support.sending import Dispatcher, World, crowd
from tests.support.wait import until

Backup = dict[str, list[dict[str, Any]]]


async def _back_up(world: World) -> Backup:
    async with connect(world.mongo, "backup") as client:
        database = open_database(client, world.mongo.database)
        names = await database.list_collection_names()
        return {name: await database[name].find().to_list() for name in names}


async def _restore(world: World, backup: Backup) -> None:
    async with connect(world.mongo, "backup") as client:
        database = open_database(client, world.mongo.database)
        for name in await database.list_collection_names():
            await database[name].delete_many({})
        for name, rows in backup.items():
            if rows:
                await database[name].insert_many(rows)


def _lose_events(world: World, message_id: str) -> str:
    """Have Kafka never get one send's events and the message's end: the process died before."""
    lost = world.events(message_id)[-1].send_id
    for records in world.cluster.records.values():
        for at, record in enumerate(records):
            kind = dict(record.headers).get("ce_type")
            if (kind == Send.TYPE.encode() and Send.from_json(record.value).send_id == lost) or (
                kind == MessageClosed.TYPE.encode()
                and MessageClosed.from_json(record.value).message_id == message_id
            ):
                headers = (("ce_type", b"lost"), ("ce_source", b"nobody"))
                records[at] = record._replace(value=b"{}", headers=headers)
    return lost


def _verdicts(world: World) -> dict[str, Verdict]:
    found = [Verdict.from_json(record.value) for record in world.cluster.on("bin.verdicts")]
    return {verdict.event_id: verdict for verdict in found}


async def _readiness(world: World, dispatcher: Dispatcher) -> dict[str, str]:
    url = str(dispatcher.settings.public_url).rstrip("/")
    return dict((await world.http.get(f"{url}/readyz")).json()["waiting_for"])


async def _recover(world: World, dispatcher: Dispatcher, role: str = "operator") -> Any:
    url = str(dispatcher.settings.public_url).rstrip("/")
    body = {"reason": "the disk of the database broke"}
    token = world.token(role, zone="")
    return await world.http.post(f"{url}/v1/recover", json=body, headers=token)


async def test_yesterdays_ledger_sends_nothing_twice_and_forgets_nothing(  # noqa: PLR0915 - one story
    world: World,
) -> None:
    """Planned before the backup and sent after it, all after it, refused, lost: all are right."""
    people = [*crowd(6), *crowd(3, "n2")]
    await world.people(*people)
    async with world.dispatcher():
        before = await world.alert()
        await world.closed(before)
        await world.fault("sms", "status_429", seconds=300)
        waiting = await world.alert()

        async def planned() -> bool:
            return len(await world.rows(waiting)) == 6

        await until(planned)
    backup = await _back_up(world)

    bulletin = str(uuid.uuid4())
    async with world.dispatcher():
        await world.behave()
        await world.closed(waiting)
        after = await world.alert(network_ids=("n1", "n2"))
        await world.closed(after)
        refused = await world.alert(network_ids=("nowhere",))
        await world.bulletin(bulletin, "n1")
        await world.closed(bulletin)
        over = await world.alert(kind="all_clear", references=after, text={"nl": "Voorbij."})
        await world.closed(over)
    sms, mail = await world.sms(), await world.mail()
    assert (len(sms), len(mail)) == (6 + 6 + 9 + 9, 6)
    given = _verdicts(world)
    states = {message: world.closings(message)[-1] for message in (before, waiting, bulletin, over)}
    lost = _lose_events(world, after)

    await _restore(world, backup)
    async with world.dispatcher() as dispatcher:

        async def doubted() -> bool:
            return "recover" in (await _readiness(world, dispatcher)).get("history", "")

        await until(doubted)
        await asyncio.sleep(1)
        assert (await world.rows(after), await world.rows(bulletin)) == ([], [])
        assert (await _recover(world, dispatcher, "police")).status_code == 404
        done = await _recover(world, dispatcher)
        assert done.status_code == 200, done.text
        await world.closed(after)
        assert (await _recover(world, dispatcher)).status_code == 409

        async def everything() -> bool:
            for message, wanted in states.items():
                if len(await world.rows(message)) != wanted.sends:
                    return False
            return not await _readiness(world, dispatcher)

        await until(everything)
        new = await world.alert(text={"nl": "Na het herstel."})
        await world.closed(new)
        await asyncio.sleep(1)
        for message in (before, waiting, after, bulletin, over, new):
            await world.agree(message)
    assert await world.mail() == mail
    texts = [one["body"] for one in await world.sms()]
    assert len([text for text in texts if "Na het herstel." in text]) == 6
    assert len(texts) == len(sms) + 6
    assert {**_verdicts(world), **given} == _verdicts(world)
    assert len(_verdicts(world)) == len(given) + 1
    assert any(one.message_id == refused for one in given.values())
    # the one whose events were lost was looked up at the provider, under a new id
    rows = await world.rows(after)
    assert lost not in {row["_id"] for row in rows}
    assert sorted(row["state"] for row in rows) == ["delivered"] * 9
    restored = [event for event in world.events(after) if event.reason == "restored"]
    assert [str(event.state) for event in restored] == ["unknown"]
    for message, wanted in states.items():
        rows = await world.rows(message)
        assert sorted(row["state"] for row in rows) == sorted(
            str(state) for state, count in wanted.states.items() for _ in range(count)
        )


@pytest.mark.parametrize(
    ("event", "state"), [("known", "accepted"), ("lost", "unknown")], ids=["known", "lost"]
)
async def test_what_went_to_a_second_network_since_the_backup_goes_to_no_third(
    world: World, event: str, state: str
) -> None:
    """It waited in the backup behind the first one's, which then ended without having gone out."""
    shared = "both@example.org"
    first = member("a", "n1", email=shared)
    others = [member(name, network, email=shared) for name, network in (("b", "n2"), ("c", "n3"))]
    await world.people(first, *others)
    await world.log.publish([published(world.police.network("n3"))])
    await world.fault("mail", "status_429", seconds=300)
    bulletin = str(uuid.uuid4())
    async with world.dispatcher():
        for count, network in enumerate(("n1", "n2"), start=1):
            await world.bulletin(bulletin, network)
            await until(partial(_has_rows, world, bulletin, count))
    backup = await _back_up(world)
    async with world.dispatcher():
        left = first.model_copy(update={"state": "left", "version": 2})
        await world.log.publish([published(left)])
        await world.behave()

        async def closed() -> bool:
            return {one.release for one in world.closings(bulletin)} == {"n1", "n2"}

        await until(closed)
    assert len(await world.mail()) == 1
    if event == "lost":
        _lose_events(world, bulletin)
    await _restore(world, backup)
    async with world.dispatcher() as dispatcher:

        async def recovered() -> bool:
            return (await _recover(world, dispatcher)).status_code == 200

        await until(recovered)
        await world.bulletin(bulletin, "n3")
        await until(partial(_has_rows, world, bulletin, 3))
        await asyncio.sleep(1)  # long enough for a wrong second mail
    rows = {row["members"][0]: row for row in await world.rows(bulletin)}
    assert {name: row["state"] for name, row in rows.items()} == {
        "a": "suppressed",
        "b": state,
        "c": "suppressed" if event == "known" else "planned",
    }
    assert len(await world.mail()) == 1


async def _has_rows(world: World, message_id: str, count: int) -> bool:
    return len(await world.rows(message_id)) == count


async def test_a_recovery_that_fails_on_its_way_leaves_no_reader_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections to Kafka would stay until somebody collects what is lost."""
    await world.people(*crowd(2))
    async with world.dispatcher():
        await world.closed(await world.alert())
    await _restore(world, {})
    mine, still_open, read = asyncio.current_task(), 0, MemoryLog.read

    async def counted(log: MemoryLog, start: Positions, ends: Positions) -> Any:
        nonlocal still_open
        still_open += asyncio.current_task() is mine
        try:
            async for records in read(log, start, ends):
                yield records
        finally:
            still_open -= asyncio.current_task() is mine

    async def away(_restored: Restored, _events: Any) -> None:
        raise Retryable("away")

    monkeypatch.setattr(MemoryLog, "read", counted)
    monkeypatch.setattr(Restored, "keep", away)
    operator = Caller("operator-1", frozenset({Role.OPERATOR}), None, None)
    async with world.dispatcher() as dispatcher:

        async def doubted() -> bool:
            return "recover" in (await _readiness(world, dispatcher)).get("history", "")

        await until(doubted)
        with pytest.raises(Retryable, match="away") as raised:
            await dispatcher.app.http.state.recover(operator, "the disk of the database broke")
        assert still_open == 0, raised  # which holds on to the frames, as whoever handles it does


async def test_a_restart_after_a_crash_is_no_doubt(world: World) -> None:
    """What stands on the topics beyond the marks is compared; only what is unknown holds us up."""
    await world.people(*crowd(3))
    async with world.dispatcher():
        alert = await world.alert()
        await world.closed(alert)
    async with connect(world.mongo, "test") as client:
        database = open_database(client, world.mongo.database)
        await database["history"].delete_many({})  # as if the marks had never moved
    async with world.dispatcher() as dispatcher:
        second = await world.alert()
        await world.closed(second)
        assert await _readiness(world, dispatcher) == {}
        assert (await _recover(world, dispatcher)).status_code == 409
