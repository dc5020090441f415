"""No change without its event, no event without its change, and republishing."""

import asyncio
from typing import Any

import pytest

from services.registry.flows.context import Context
from shared.contracts import Access, Member, Network, Zone
from shared.mongo import Session
from tests.integration.registry.harness import Registry, member_input, paper, proposal

MEMBERS = "/networks/bin-linde/members"


class Crash(Exception):  # noqa: N818
    """The process ends here."""


async def snapshot(registry: Registry) -> dict[str, list[Any]]:
    names = ("zones", "networks", "members", "bulletins", "claims", "outbox", "outbox_counters")
    return {name: await registry.database[name].find().sort("_id", 1).to_list() for name in names}


@pytest.mark.parametrize("writes", range(1, 5))
async def test_a_crash_between_any_two_writes_leaves_nothing(
    linde: Registry, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """A new member is a row, an event, a notice and a record; the crash comes after the nth."""
    before = await snapshot(linde)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if done == writes:
            raise Crash

    outbox, members = linde.app.context.outbox, linde.app.context.members
    add_events, add_row = outbox.add, members.add

    async def events_then_crash(*args: Any, **rest: Any) -> None:
        await add_events(*args, **rest)
        count()

    async def row_then_crash(*args: Any, **rest: Any) -> None:
        await add_row(*args, **rest)
        count()

    monkeypatch.setattr(outbox, "add", events_then_crash)
    monkeypatch.setattr(members, "add", row_then_crash)
    with pytest.raises(Crash):
        await linde.coordinator().raw("POST", MEMBERS, json=member_input(1))
    monkeypatch.undo()

    assert done == writes
    assert await snapshot(linde) == before
    await linde.coordinator().post(MEMBERS, 201, json=member_input(1))
    assert len(await linde.events(Member)) == 1


async def test_a_release_is_whole_or_absent(
    linde: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = proposal(linde)
    await linde.propose(wanted)

    async def waits() -> bool:
        return await linde.database["bulletins"].count_documents({}) == 1

    await linde.consume(waits)
    await linde.publish()
    before = await snapshot(linde)
    release = f"/networks/bin-linde/bulletins/{wanted.bulletin_id}/release"

    async def crash(*_args: object, **_rest: object) -> None:
        raise Crash

    monkeypatch.setattr(Context, "record_bulletin", crash)
    with pytest.raises(Crash):
        await linde.coordinator().raw("POST", release)
    monkeypatch.undo()

    assert await snapshot(linde) == before
    assert (await linde.coordinator().post(release))["state"] == "released"


async def test_every_stored_aggregate_equals_its_last_event(linde: Registry) -> None:
    for number in range(5):
        await linde.coordinator().post(
            MEMBERS, 201, json=member_input(number, accepted_on_paper=paper(linde))
        )
    context = linde.app.context
    now = context.clock.now()

    async def stored(session: Session) -> list[Any]:
        members = await context.members.page(session, None, 100)
        networks = await context.networks.page(session, None, 100)
        zones = await context.zones.page(session, None, 100)
        return [
            *(member.event() for member in members),
            *(network.event(now) for network in networks),
            *(zone.event() for zone in zones),
        ]

    last: dict[str, Any] = {}
    for kind in (Member, Network, Zone):
        for event in await linde.events(kind):
            last[event.key()] = event
    assert {event.key(): event for event in await context.transaction(stored)} == last


async def test_republishing_sends_every_aggregate_again(
    linde: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.registry.flows.republish.PAGE", 3)
    for number in range(7):
        await linde.coordinator().post(MEMBERS, 201, json=member_input(number))
    before = {event.member_id: event for event in await linde.events(Member)}
    linde.cluster.records.clear()

    counts: list[int] = []
    cursor: str | None = None
    while True:
        query = {"topic": "bin.members"} | ({"cursor": cursor} if cursor else {})
        page = await linde.operator.post("/republish", params=query)
        counts.append(page["count"])
        cursor = page["next"]
        if cursor is None:
            break

    assert counts == [3, 3, 1]
    assert {event.member_id: event for event in await linde.events(Member)} == before
    replays = [e for e in await linde.events(Access) if e.kind == "replay"]
    assert {e.action for e in replays} == {"republish.bin.members"}
    await linde.operator.post("/republish", 422, params={"topic": "bin.sends"})


async def test_a_change_during_a_republish_is_never_followed_by_an_older_one(
    linde: Registry,
) -> None:
    new = await linde.coordinator().post(MEMBERS, 201, json=member_input(1))
    path = f"{MEMBERS}/{new['member_id']}"
    version = 1
    for language in ("fr", "de", "nl", "en"):
        await asyncio.gather(
            linde.operator.post("/republish", params={"topic": "bin.members"}),
            linde.coordinator().call(
                "PATCH",
                path,
                200,
                json={"language": language},
                headers={"If-Match": f'"{version}"'},
            ),
        )
        version += 1
    versions = [event.version for event in await linde.events(Member)]

    assert versions == sorted(versions)
    assert versions[-1] == 5
