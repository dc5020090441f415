"""Closing statements, what the audit service answers, and the HTTP side of a message."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.request_validator import (  # pyright: ignore[reportMissingTypeStubs]
    RequestValidator,
)

from services.dispatcher.app import api
from services.dispatcher.domain.ledger import Evidence
from services.dispatcher.domain.reasons import SendReason
from services.dispatcher.domain.states import Cause
from services.dispatcher.flows import show_coverage
from shared.access import Roles
from shared.contracts import Access, Replay
from shared.contracts.base import SendState
from shared.contracts.registry import Contact
from tests.support.dispatcher import member, published
from tests.support.sandbox import TOKEN
from tests.support.sending import CALLBACK, Dispatcher, World, crowd
from tests.support.wait import until

PUBLIC = ("/v1/receipts/twilio/{token}", "/v1/inbound/twilio/{token}")


async def _answer(world: World, alert: str, answer: str, revision: int) -> None:
    closing = world.closings(alert)[-1]
    replay = Replay.model_validate(
        {
            "zone_id": "demo",
            "event_id": f"answer-{revision}-{answer}",
            "message_id": alert,
            "release": None,
            "revision": revision,
            "answer": answer,
            "events_seen": closing.events,
            "digest_seen": closing.digest,
            "answered_at": datetime.now(UTC),
        }
    )
    await world.log.publish([published(replay)])


async def test_resend_publishes_all_again_and_agreed_lets_the_bytes_go(world: World) -> None:
    """The event bytes are kept until the audit service has agreed on the latest revision."""
    await world.people(*crowd(4))
    async with world.dispatcher():
        alert = await world.alert()
        first = await world.closed(alert)
        before = len(world.cluster.on("bin.sends"))
        await _answer(world, alert, "resend", first.revision)
        second = await world.closed(alert, first.revision + 1)
        assert second.digest == first.digest
        assert len(world.cluster.on("bin.sends")) >= before + first.events + 1
        assert all(row["events"] for row in await world.rows(alert))
        await _answer(world, alert, "agreed", second.revision)

        async def dropped() -> bool:
            return not any(row["events"] for row in await world.rows(alert))

        await until(dropped)
        await world.agree(alert)


async def test_a_message_that_was_never_closed_is_sent_again_and_then_closed(
    world: World,
) -> None:
    """The audit service asks for revision 0 where it knows the plan and no closing statement."""
    await world.people(*crowd(2))
    async with world.dispatcher():
        alert = await world.alert()
        first = await world.closed(alert)
        before = len(world.cluster.on("bin.sends"))
        await _answer(world, alert, "resend", 0)
        second = await world.closed(alert, first.revision + 1)
    assert second.digest == first.digest
    assert len(world.cluster.on("bin.sends")) >= before + first.events + 1


async def test_what_nobody_settles_is_closed_as_it_stands_a_day_after(world: World) -> None:
    """The statement counts the open sends by their state; what becomes of them is a revision."""
    await world.people(*crowd(2))
    await world.fault("mail", "accept_then_drop", count=1)
    async with world.dispatcher(close_after=timedelta(seconds=3)) as dispatcher:
        bulletin = str(uuid.uuid4())
        await world.bulletin(bulletin, "n1")
        first = await world.closed(bulletin)
        unknown = next(row for row in await world.rows(bulletin) if row["state"] == "unknown")
        told = Evidence(Cause.SETTLE, SendState.ACCEPTED, datetime.now(UTC), SendReason.SETTLED)
        await dispatcher.app.stores.ledger.changes.learn(unknown["_id"], 1, told)
        second = await world.closed(bulletin, first.revision + 1)
    assert first.states == {"accepted": 1, "unknown": 1}
    assert second.states == {"accepted": 2}


async def _post(
    world: World, dispatcher: Dispatcher, path: str, form: dict[str, str], secret: str = TOKEN
) -> Any:
    url = str(dispatcher.settings.public_url).rstrip("/") + path
    validator: Any = RequestValidator(secret)
    signature = validator.compute_signature(url, form)
    return await world.http.post(url, data=form, headers={"X-Twilio-Signature": signature})


async def test_receipts_are_checked_and_may_come_twice_late_and_in_any_order(
    world: World,
) -> None:
    await world.people(*crowd(1))
    async with world.dispatcher() as dispatcher:
        alert = await world.alert()
        await world.closed(alert)
        row = (await world.rows(alert))[0]
        sid = row["attempts"][0]["reference"]
        path = f"/v1/receipts/twilio/{CALLBACK}?attempt={row['_id']}.1"
        form = {"MessageSid": sid, "MessageStatus": "sent", "To": row["destination"]}
        for status in ("sent", "delivered", "undelivered", "queued", "delivered"):
            answer = await _post(world, dispatcher, path, {**form, "MessageStatus": status})
            assert answer.status_code == 204
        assert (await world.rows(alert))[0]["state"] == "delivered"
        assert (await world.rows(alert))[0]["seq"] == row["seq"]
        assert (await _post(world, dispatcher, path, form, "wrong")).status_code == 404
        other = path.replace(CALLBACK, "guess")
        assert (await _post(world, dispatcher, other, form)).status_code == 404
        nobody = f"/v1/receipts/twilio/{CALLBACK}?attempt=none.1"
        assert (await _post(world, dispatcher, nobody, form)).status_code == 404


async def test_a_reply_is_answered_in_the_networks_languages_and_not_kept(world: World) -> None:
    await world.people(languages=("nl", "fr"))
    async with world.dispatcher() as dispatcher:

        async def copied() -> bool:
            return await dispatcher.app.stores.database["copy_networks"].count_documents({}) == 2

        await until(copied)
        form = {"From": "+32450700000", "Body": "secret words"}
        answer = await _post(world, dispatcher, f"/v1/inbound/twilio/{CALLBACK}", form)
        assert answer.headers["content-type"].startswith("application/xml")
        assert "Bel 101" in answer.text
        assert "Appelez le 101" in answer.text
        assert "Rufen" not in answer.text


async def test_coverage_for_who_may_see_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures for police, auditor and the network's coordinator; nothing for anybody else."""
    contact = Contact(
        contact_id="c1", role="coordinator", subject="sub-c1", language="nl", active=True
    )
    people = [*crowd(5), member("dead", "n1", phone="+32450021610")]
    other = [
        *crowd(2, "n2"),
        member("dead-too", "n2", phone="+32450021610"),
        member("wrong", "n2", phone="+32450021211"),
    ]
    await world.people(*people, *other, contacts=(contact,))
    async with world.dispatcher() as dispatcher:
        alert = await world.alert(network_ids=("n1", "n2"))
        await world.closed(alert)
        base = str(dispatcher.settings.public_url).rstrip("/") + "/v1/messages"
        path = f"{base}/{alert}/coverage"

        async def get(url: str, role: str, **who: str) -> Any:
            return await world.http.get(url, headers=world.token(role, **who))

        police = (await get(path, "police")).json()
        assert police["people"] == 9
        assert police["states"] == {"delivered": 7, "failed": 2}
        assert police["networks"]["n2"] == {"delivered": 2, "failed": 2}
        assert police["accepted_seconds"]["p50"] > 0
        assert police["accepted_seconds"]["all"] is None
        assert police["delivered_seconds"]["p50"] >= police["accepted_seconds"]["p50"]
        assert police["delivered_seconds"]["p95"] is None
        assert police["closed"]["revision"] == 1
        assert police["failures"] is None
        coordinator = (await get(path, "coordinator", sub="sub-c1")).json()
        assert coordinator["people"] == 6
        assert coordinator["networks"] == {"n1": {"delivered": 5, "failed": 1}}
        assert (await get(path, "coordinator", sub="sub-other")).status_code == 404
        assert (await get(path, "police", zone="other")).status_code == 404
        assert (await get(path, "municipality")).status_code == 404
        assert (await get(path, "auditor")).json()["people"] == 9
        assert (await get(f"{path}?failures=true", "auditor")).status_code == 404
        named = (await get(f"{path}?failures=true", "police", sub="officer")).json()
        assert sorted(one["member_ids"] for one in named["failures"]) == [
            ["dead", "dead-too"],
            ["wrong"],
        ]
        named = (await get(f"{path}?failures=true", "coordinator", sub="sub-c1")).json()
        found = [(one["member_ids"], one["network_ids"]) for one in named["failures"]]
        assert found == [(["dead"], ["n1"])], "the other network is not theirs to know"
        monkeypatch.setattr(show_coverage, "FAILURES_MOST", 1)
        cut = (await get(f"{path}?failures=true", "police", sub="officer")).json()
        assert (len(cut["failures"]), cut["failed"]) == (1, 2), "what is cut off is told"

        async def recorded() -> bool:
            return any(
                Access.from_json(record.value).action == "coverage.failures"
                for record in world.cluster.on("bin.access")
            )

        await until(recorded)
        listed = (await get(base, "police")).json()
        assert [one["message_id"] for one in listed["items"]] == [alert]
        assert "text" not in listed["items"][0]
        assert (await get(base, "coordinator", sub="sub-other")).json()["items"] == []


async def test_messages_are_paged_newest_first(world: World) -> None:
    await world.people()
    async with world.dispatcher() as dispatcher:
        alerts = [await world.alert() for _ in range(5)]
        base = str(dispatcher.settings.public_url).rstrip("/") + "/v1/messages?limit=2"

        async def there() -> bool:
            return all(world.closings(alert) for alert in alerts)

        await until(there)
        seen: list[str] = []
        cursor = ""
        while True:
            page = (await world.http.get(base + cursor, headers=world.token("police"))).json()
            seen += [one["message_id"] for one in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert sorted(seen) == sorted(alerts)
        bad = await world.http.get(f"{base}&cursor=nonsense", headers=world.token("police"))
        assert bad.status_code == 422


def test_no_route_lacks_authorisation() -> None:
    """Every route asks for a role, except what the provider calls and signs."""
    paths: dict[str, bool] = {}
    pending: list[Any] = list(api().routes)
    while pending:
        route = pending.pop()
        nested = getattr(route, "routes", None)
        if nested is None and getattr(route, "original_router", None) is not None:
            nested = route.original_router.routes
        if nested:
            pending += list(nested)
        dependant = getattr(route, "dependant", None)
        if dependant is not None:
            asks = any(isinstance(d.call, Roles) for d in dependant.dependencies)
            paths[route.path] = asks
    assert {path for path, asks in paths.items() if not asks} == set(PUBLIC)
    assert "/v1/messages/{message_id}/coverage" in paths
