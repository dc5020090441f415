"""Appending batches of any size and content."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.domain.entries import Draft, EntryType
from services.audit.domain.merkle import leaf_hash, root_of
from services.audit.store import private
from services.audit.store.blocks import BLOCK, BrokenLog
from services.audit.store.log import LogStore, Stored
from services.audit.store.ownership import Ownership
from services.audit.store.private import PrivateParts
from shared.clock import Clock
from shared.mongo import Client, Database, Session, connect, transaction
from shared.mongo import database as open_database
from shared.settings import MongoSettings
from tests.integration.audit import rows
from tests.integration.audit.world import NOW, World

DAY = timedelta(days=1)


def send(number: int, seq: int = 1) -> Draft:
    """Give the entry of a send's change, about a member of its own."""
    return Draft(
        event_id=f"send-{number}.{seq}",
        type=EntryType.SEND,
        time=NOW,
        message_id="message-1",
        send_id=f"send-{number}",
        seq=seq,
        network_ids=("bin-linde",),
        channel="sms",
        state="accepted",
        private={"recipient": f"{number:064x}", "member_ids": [f"member-{number}"]},
        members=(f"member-{number}",),
        recipient=f"{number:064x}",
    )


def other(number: int) -> Draft:
    """Give an entry that is no send."""
    return Draft(
        event_id=f"other-{number}",
        type=EntryType.BULLETIN,
        time=NOW,
        message_id="message-1",
        private={"n": number},
        is_text=True,
    )


class Appending:
    """One log, and the right to append to it."""

    def __init__(self, client: Client, database: Database, clock: Clock | None = None) -> None:
        self.client = client
        self.log = LogStore(database, clock or Clock(), DAY, 2 * DAY)
        self.owner = Ownership(database, "test", Clock())

    async def append(self, drafts: Sequence[Draft]) -> list[str]:
        """Append a batch, and give the events that became entries."""
        epoch = await self.owner.claim("demo")

        async def work(session: Session) -> list[str]:
            sealed = await self.log.append(session, "demo", epoch, drafts)
            return [entry.draft.event_id for entry in sealed]

        return await transaction(self.client, work)


async def stored_in(log: LogStore, start: int, end: int) -> list[Stored]:
    """Give the entries [start, end)."""
    return [entry async for page in log.pages("demo", start, end, 1000) for entry in page]


async def test_a_batch_of_long_texts_is_beyond_no_limit_of_the_database(world: World) -> None:
    to = Appending(world.client, world.database)
    await to.log.prepare()
    text = "Sluit ramen en deuren. " * 30_000  # one command of all would be beyond 16 MB
    drafts = [
        Draft(event_id=f"long-{n}", type=EntryType.BULLETIN, time=NOW, private={"t": text, "n": n})
        for n in range(30)
    ]
    await to.append(drafts)
    stored = await stored_in(to.log, 0, len(drafts))
    assert [entry.part is not None and len(entry.part) > len(text) for entry in stored] == [
        True
    ] * 30
    head = await to.log.head("demo")
    assert head is not None
    assert head.frontier.root() == root_of(leaf_hash(entry.body) for entry in stored)


async def test_a_page_of_long_texts_ends_after_some_megabytes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand originals of a megabyte would not fit into memory, neither checked nor bundled."""
    monkeypatch.setattr(private, "_AT_ONCE", 10_000)
    to = Appending(world.client, world.database)
    await to.log.prepare()
    count = 5 * BLOCK
    drafts = [
        Draft(event_id=f"t-{n}", type=EntryType.BULLETIN, time=NOW, private={"t": "a" * 1000})
        for n in range(count)
    ]
    await to.append(drafts)
    pages = [page async for page in to.log.pages("demo", 3, count - 3, 3 * BLOCK)]
    assert {len(page) for page in pages} <= {BLOCK - 3, BLOCK}
    assert [entry.index for page in pages for entry in page] == [*range(3, count - 3)]
    assert all(entry.part is not None for page in pages for entry in page)


BATCHES = st.lists(
    st.lists(st.sampled_from(["send", "change", "other", "again"]), max_size=3 * BLOCK),
    min_size=1,
    max_size=6,
)
"""What each batch brings: a new send, a change of one, something else, or what was there before."""

NONE: st.SearchStrategy[set[int]] = st.just(set[int]())


def drafted(batches: Sequence[Sequence[str]]) -> list[list[Draft]]:
    """Give the batches' entries."""
    made: list[Draft] = []
    result: list[list[Draft]] = []
    for batch in batches:
        drafts: list[Draft] = []
        for kind in batch:
            number = len(made)
            sends = [draft for draft in made if draft.type is EntryType.SEND]
            if kind == "again" and made:
                drafts.append(made[number // 2])
                continue
            if kind == "change" and sends:
                first = sends[number % len(sends)]
                draft = send(int((first.send_id or "").partition("-")[2]), 2 + number)
            else:
                draft = other(number) if kind == "other" else send(number)
            made.append(draft)
            drafts.append(draft)
        result.append(drafts)
    return result


def test_batches_of_any_size_are_read_as_they_were_appended_whichever_part_is_asked_for(
    mongo_database: MongoSettings,
) -> None:
    with asyncio.Runner() as runner:
        client = connect(mongo_database, "test")

        @settings(max_examples=25, deadline=None)
        @given(BATCHES, st.data())
        def holds(batches: list[list[str]], data: st.DataObject) -> None:
            runner.run(read(drafted(batches), data))

        async def read(batches: list[list[Draft]], data: st.DataObject) -> None:
            await client.drop_database(mongo_database.database)
            own = open_database(client, mongo_database.database)
            to = Appending(client, own)
            log = to.log
            await log.prepare()
            appended = [event for drafts in batches for event in await to.append(drafts)]
            assert appended == [*{draft.event_id: None for batch in batches for draft in batch}]
            size = len(appended)
            start = data.draw(st.integers(0, size))
            end = data.draw(st.integers(start, size))
            page = await stored_in(log, start, end)
            assert [entry.index for entry in page] == list(range(start, end))
            streamed = [body async for some in log.bodies("demo", start, end) for body in some]
            assert streamed == [entry.body for entry in page]
            whole = await stored_in(log, 0, size)
            assert all(entry.part is not None for entry in whole)
            wanted = data.draw(st.sets(st.sampled_from(range(size)), max_size=20) if size else NONE)
            assert await log.at("demo", wanted) == [whole[index] for index in sorted(wanted)]
            kept = (await rows.parts(own)).keys()
            assert [*kept] == [*range(size)]
            assert not await transaction(client, lambda s: log.has_surplus(s, "demo"))

        holds()
        runner.run(client.close())


@pytest.mark.parametrize("by", [-1, 1])
async def test_a_log_whose_rows_do_not_end_where_it_does_is_not_gone_on_with(
    world: World, by: int
) -> None:
    to = Appending(world.client, world.database)
    await to.append([send(number) for number in range(BLOCK + 5)])
    bodies = await rows.bodies(world.database)
    await rows.set_bodies(world.database, bodies[:-1] if by < 0 else [*bodies, bodies[-1]])
    with pytest.raises(BrokenLog):
        await to.append([send(100)])
    assert len(await rows.bodies(world.database)) == BLOCK + 5 + by


@pytest.mark.parametrize("count", [BLOCK, BLOCK + 5, 2 * BLOCK])
@pytest.mark.parametrize("name", ["demo|", "demo|0000000000x", "demo|0000000001x", "demo|1"])
async def test_a_row_of_entries_beside_the_others_is_a_surplus(
    world: World, count: int, name: str
) -> None:
    to = Appending(world.client, world.database)
    await to.append([send(number) for number in range(count)])
    entries = world.database["entries"]
    first = await entries.find_one({"_id": "demo|0000000000"})
    assert first is not None
    await entries.insert_one({**first, "_id": name})
    assert await transaction(world.client, lambda s: to.log.has_surplus(s, "demo"))


async def test_of_what_stands_together_each_private_part_ends_by_its_own_date(
    world: World,
) -> None:
    now = datetime.now(UTC)
    moments = [now, now + timedelta(hours=1)]
    for number, moment in enumerate(moments):
        to = Appending(world.client, world.database, Clock(now=lambda moment=moment: moment))
        await to.append([send(number), other(number)])
    private = PrivateParts(world.database)
    for passed, left in (
        (timedelta(0), [0, 1, 2, 3]),
        (DAY + timedelta(minutes=1), [0, 2, 3]),  # the first text
        (DAY + timedelta(hours=2), [0, 2]),
        (2 * DAY + timedelta(minutes=1), [2]),
        (2 * DAY + timedelta(hours=2), []),
    ):
        assert not await private.end(now + passed)
        assert [*await rows.parts(world.database)] == left
    assert await world.database["private"].count_documents({}) == 0
