"""From alert to proof through all three services, with an in-memory log between them."""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli import demo_data
from services.audit.verify import verify_bundle
from shared.contracts import Alert, BulletinProposed, Replay, Send
from shared.contracts.base import AlertKind, BulletinKind, Status
from shared.contracts.dispatcher import VerdictKind
from shared.envelope import decode
from shared.kafka import Outgoing
from tests.flow.conftest import World
from tests.support.wait import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def alert(**changes: object) -> Alert:
    fields: dict[str, object] = {
        "alert_id": str(uuid.uuid4()),
        "zone_id": "demo",
        "network_ids": demo_data.network_ids(),
        "kind": AlertKind.ALERT,
        "status": Status.ACTUAL,
        "event": "burglary",
        "issued_by": "officer-1",
        "issued_at": datetime.now(UTC),
    }
    fields |= changes
    # a mark by which its SMS are told from those of the other tests
    mark = str(fields["alert_id"])[:8]
    fields["text"] = {"nl": f"Inbraak {mark}.", "fr": f"Cambriolage {mark}."}
    return Alert.model_validate(fields)


async def coverage(world: World, message_id: str) -> dict[str, Any]:
    async with world.http("dispatcher", "police") as dispatcher:
        answer = await dispatcher.get(f"/v1/messages/{message_id}/coverage")
    return answer.json() if answer.is_success else {}


async def test_an_alert_reaches_each_person_once_and_is_on_record(world: World) -> None:
    message = alert()
    verdict = await world.publish(message)
    assert verdict.verdict is VerdictKind.ACCEPTED

    async def delivered() -> bool:
        states = (await coverage(world, message.alert_id)).get("states", {})
        return states.get("delivered", 0) > 0 and not states.keys() & {"planned", "accepted"}

    await until(delivered, seconds=60)
    phones = await world.phones(message)
    found = await coverage(world, message.alert_id)
    assert len(phones) == len(set(phones)) > 0
    assert len(phones) + found["states"]["unreachable"] == found["people"]

    async def recorded() -> bool:
        async with world.http("audit", "auditor") as audit:
            sends = (
                await audit.get(
                    "/v1/sends",
                    params={"message_id": message.alert_id, "state": "delivered", "limit": 500},
                )
            ).json()
        return len(sends["items"]) == len(phones)

    await until(recorded)


async def test_what_the_broker_lost_between_ledger_and_log_is_sent_again(world: World) -> None:
    message, lost = alert(), list[Outgoing]()

    def answers() -> list[Replay]:
        found = [decode(record, Replay).event for record in world.cluster.on("bin.replays")]
        return [answer for answer in found if answer.message_id == message.alert_id]

    def loses(record: Outgoing) -> bool:
        is_send = dict(record.headers)["ce_type"] == Send.TYPE.encode()
        gone = is_send and message.alert_id.encode() in record.value and not answers()
        if gone:
            lost.append(record)
        return gone

    async def agreed() -> bool:
        return "agreed" in [answer.answer for answer in answers()]

    world.cluster.loses = loses
    try:
        assert (await world.publish(message)).verdict is VerdictKind.ACCEPTED
        await until(agreed, seconds=60)
    finally:
        world.cluster.loses = lambda _: False
    first = answers()[0]
    assert (first.answer, first.events_seen) == ("resend", 0)
    assert len(lost) > 5
    async with world.http("audit", "auditor") as audit:
        sends = (
            await audit.get("/v1/sends", params={"message_id": message.alert_id, "limit": 500})
        ).json()["items"]
        life = (await audit.get(f"/v1/messages/{message.alert_id}")).json()
    states = (await coverage(world, message.alert_id))["states"]
    assert Counter(send["state"] for send in sends) == states
    answered = [(e["entry"]["state"], e["entry"]["reason"]) for e in life["timeline"]]
    assert ("resend", "closing_differs") in answered
    assert ("agreed", None) in answered


async def test_an_update_and_the_all_clear_follow_the_alert(world: World) -> None:
    first = alert()
    await world.publish(first)

    async def all_have(message: Alert) -> bool:
        states = (await coverage(world, message.alert_id)).get("states", {})
        return bool(states) and not states.keys() & {"planned", "claimed", "attempting"}

    await until(lambda: all_have(first), seconds=60)
    update = alert(kind=AlertKind.UPDATE, references=first.alert_id)
    await world.publish(update)
    await until(lambda: all_have(update), seconds=60)
    phones = await world.phones(first)
    assert sorted(await world.phones(update)) == sorted(phones)

    ends = alert(kind=AlertKind.ALL_CLEAR, references=first.alert_id)
    assert (await world.publish(ends)).verdict is VerdictKind.ACCEPTED

    async def ended() -> bool:
        return sorted(await world.phones(ends)) == sorted(phones)

    await until(ended, seconds=60)
    late = alert(kind=AlertKind.UPDATE, references=first.alert_id)
    assert (await world.publish(late)).verdict is VerdictKind.ACCEPTED
    await until(lambda: all_have(late), seconds=60)
    assert await world.phones(late) == []


async def test_a_bulletin_waits_for_the_coordinator_and_is_mailed_once_released(
    world: World,
) -> None:
    network = demo_data.network_ids()[0]
    proposal = BulletinProposed.model_validate(
        {
            "bulletin_id": str(uuid.uuid4()),
            "zone_id": "demo",
            "network_ids": [network],
            "kind": BulletinKind.PREVENTION,
            "status": Status.ACTUAL,
            "subject": {"nl": "Donkere dagen", "fr": "Jours sombres"},
            "body": {"nl": "Laat licht branden.", "fr": "Laissez une lampe allumée."},
            "issued_by": "officer-1",
            "issued_at": datetime.now(UTC) - timedelta(minutes=1),
        }
    )
    assert (await world.publish(proposal)).verdict is VerdictKind.ACCEPTED
    path = f"/v1/networks/{network}/bulletins/{proposal.bulletin_id}"

    async def mails() -> list[str]:
        return [m["to"] for m in await world.accepted("mail") if "dagen" in m["subject"]]

    async with world.http("registry", "coordinator") as registry:
        assert (await registry.get(path)).json()["state"] == "waiting"
        assert await mails() == []
        for _ in range(2):
            assert (await registry.post(f"{path}/release")).is_success

    async def mailed() -> bool:
        return (await coverage(world, proposal.bulletin_id)).get("states", {}).get(
            "accepted", 0
        ) > 5

    await until(mailed, seconds=60)
    found = await mails()
    assert len(found) == len(set(found))


async def test_the_bundle_of_the_log_verifies_and_a_flipped_byte_does_not(world: World) -> None:
    await world.publish(alert())
    public = world.around.vault.folder / "log.pub.pem"
    world.around.vault.publish("log", public)

    async def has_entries() -> bool:
        return len(await bundle(world)) > 5

    await until(has_entries)
    lines = await bundle(world)
    assert verify_bundle(lines, public.read_text()).exit_code == 0
    flipped = lines[3].replace(b"demo", b"demp", 1)
    assert flipped != lines[3]
    assert verify_bundle([*lines[:3], flipped, *lines[4:]], public.read_text()).problem


async def bundle(world: World) -> list[bytes]:
    async with world.http("audit", "auditor") as audit:
        answer = await audit.get("/v1/zones/demo/bundle")
    return answer.content.splitlines(keepends=True) if answer.is_success else []
