"""Appending batches of any size and content."""

from datetime import timedelta

from services.audit.domain.entries import Draft, EntryType
from services.audit.domain.merkle import leaf_hash, root_of
from services.audit.store.log import LogStore
from services.audit.store.ownership import Ownership
from shared.clock import Clock
from shared.mongo import Session, transaction
from tests.integration.audit.world import NOW, World


async def test_a_batch_of_long_texts_is_beyond_no_limit_of_the_database(world: World) -> None:
    clock = Clock()
    log = LogStore(world.database, clock, timedelta(days=1), timedelta(days=1))
    await log.prepare()
    epoch = await Ownership(world.database, "test", clock).claim("demo")
    text = "Sluit ramen en deuren. " * 30_000  # one command of all would be beyond 16 MB
    drafts = [
        Draft(event_id=f"long-{n}", type=EntryType.BULLETIN, time=NOW, private={"t": text, "n": n})
        for n in range(30)
    ]

    async def append(session: Session) -> None:
        await log.append(session, "demo", epoch, drafts)

    await transaction(world.client, append)
    stored = await log.page("demo", 0, len(drafts))
    assert [entry.part is not None and len(entry.part) > len(text) for entry in stored] == [
        True
    ] * 30
    head = await log.head("demo")
    assert head is not None
    assert head.frontier.root() == root_of(leaf_hash(entry.body) for entry in stored)
