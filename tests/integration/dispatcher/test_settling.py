"""What nobody knows the outcome of waits for an operator, whose word is put on record."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from services.dispatcher.domain.states import Cause
from services.dispatcher.store.changes import Change, Changes
from shared.contracts import Access
from shared.mongo import Session
from tests.support.sending import Dispatcher, World, crowd
from tests.support.wait import until


def _url(dispatcher: Dispatcher, path: str) -> str:
    return str(dispatcher.settings.public_url).rstrip("/") + path


async def _unknown(world: World, dispatcher: Dispatcher, role: str = "operator") -> Any:
    url = _url(dispatcher, "/v1/sends/unknown")
    return await world.http.get(url, headers=world.token(role))


@pytest.mark.parametrize("outcome", ["accepted", "failed"])
async def test_an_operator_settles_a_cold_send_once_and_on_record(
    world: World, outcome: str
) -> None:
    """Nothing is sent again, the closing statement follows, and nothing shown names a person."""
    people = crowd(2)
    await world.people(*people)
    await world.fault("mail", "accept_then_drop", count=1)
    bulletin = str(uuid.uuid4())
    async with world.dispatcher() as dispatcher:
        await world.bulletin(bulletin, "n1")

        async def uncertain() -> bool:
            states = sorted(row["state"] for row in await world.rows(bulletin))
            return states == ["accepted", "unknown"]

        await until(uncertain)
        listed = await _unknown(world, dispatcher)
        assert all(str(one.email) not in listed.text for one in people)
        (send,) = listed.json()["items"]
        assert (await _unknown(world, dispatcher, "police")).status_code == 404
        url = _url(dispatcher, f"/v1/sends/{send['send_id']}/settle")
        body = {"outcome": outcome, "reason": "seen in the server's log"}
        stranger = await world.http.post(url, json=body, headers=world.token("police"))
        assert stranger.status_code == 404
        other = world.token("operator", zone="other")
        assert (await world.http.post(url, json=body, headers=other)).status_code == 404
        for _ in range(2):  # again is the same
            done = await world.http.post(url, json=body, headers=world.token("operator"))
            assert (done.status_code, done.json()["state"]) == (200, outcome)
        contrary = {**body, "outcome": "failed" if outcome == "accepted" else "accepted"}
        late = await world.http.post(url, json=contrary, headers=world.token("operator"))
        assert late.status_code == 409
        await world.closed(bulletin)
        await world.agree(bulletin)
        assert (await _unknown(world, dispatcher)).json()["items"] == []

        def records() -> list[Access]:
            found = [Access.from_json(one.value) for one in world.cluster.on("bin.access")]
            return [one for one in found if one.action == f"send.settle.{outcome}"]

        async def recorded() -> bool:
            return bool(records())

        await until(recorded)
        (record,) = records()
    assert (record.reason, record.reader) == ("seen in the server's log", "sub-1")
    last = [event for event in world.events(bulletin) if event.reason == "settled"]
    assert [str(event.state) for event in last] == [outcome]
    assert len(await world.mail()) == 2


async def test_a_look_at_the_provider_at_the_same_moment_does_not_turn_the_operator_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was decided on the send as it was is decided again on what it is now."""
    real, overtaken, dispatcher = Changes.write, list[str](), world.dispatcher()

    async def write(
        self: Changes, changes: Sequence[Change], session: Session | None = None
    ) -> list[Change]:
        by_hand = session is not None and any(one.cause is Cause.SETTLE for one in changes)
        if by_hand and len(overtaken) < 2:
            overtaken.append(changes[0].before.send_id)
            sends = dispatcher.app.stores.database["sends"]
            await sends.update_one({"_id": overtaken[-1]}, {"$inc": {"v": 1}})
        return await real(self, changes, session)

    monkeypatch.setattr(Changes, "write", write)
    await world.people(*crowd(1))
    await world.fault("mail", "accept_then_drop", count=1)
    bulletin = str(uuid.uuid4())
    async with dispatcher:
        await world.bulletin(bulletin, "n1")

        async def uncertain() -> bool:
            return [row["state"] for row in await world.rows(bulletin)] == ["unknown"]

        await until(uncertain)
        (send,) = (await _unknown(world, dispatcher)).json()["items"]
        url = _url(dispatcher, f"/v1/sends/{send['send_id']}/settle")
        body = {"outcome": "accepted", "reason": "seen in the server's log"}
        done = await world.http.post(url, json=body, headers=world.token("operator"))
        assert (done.status_code, done.json()["state"]) == (200, "accepted")
        await world.closed(bulletin)
        await world.agree(bulletin)
    assert overtaken == [send["send_id"]] * 2
