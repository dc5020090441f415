"""From the topics to a bundle that an outsider verifies, on a real database."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from services.audit.domain import merkle
from services.audit.domain.closing import digest
from services.audit.domain.notes import Checkpoint, Verifier
from services.audit.store.closings import COUNTED_AGAIN
from services.audit.verify import BROKEN, UNPROVEN, VERIFIED, read_key, verify_bundle, verify_file
from shared.access import Role
from shared.clock import Clock
from shared.contracts import Bulletin, Erasure, MessageClosed, MessagePlanned, Verdict
from shared.contracts.base import (
    AlertKind,
    BulletinKind,
    Channel,
    MessageType,
    SendState,
    Status,
)
from shared.contracts.dispatcher import Original, VerdictKind
from shared.envelope import sha256
from shared.kafka import Outgoing
from tests.integration.audit import rows
from tests.integration.audit.world import MESSAGE, NOW, World, send, until

ALERT = json.dumps({"alert_id": MESSAGE, "text": {"nl": "Let op: inbraken"}}).encode()


async def publish_alert(world: World) -> None:
    """An alert by a client with another partitioner, and the verdict on it."""
    await world.publish_raw(
        Outgoing("bin.alerts", "demo", ALERT, (("bin-signature", b"head..signature"),))
    )
    record = world.cluster.on("bin.alerts")[-1]
    await world.publish(verdict_on(record.partition, record.offset))


def verdict_on(
    partition: int,
    offset: int,
    kind: VerdictKind = VerdictKind.ACCEPTED,
    zone: str | None = "demo",
) -> Verdict:
    return Verdict(
        event_id=f"verdict-{partition}-{offset}",
        ce_id="police-1",
        original=Original(
            topic="bin.alerts", partition=partition, offset=offset, sha256=sha256(ALERT)
        ),
        zone_id=zone,
        message_type=MessageType.ALERT,
        message_id=MESSAGE,
        kind=AlertKind.ALERT,
        status=Status.ACTUAL,
        network_ids=("bin-linde",),
        verdict=kind,
        explanation="The message goes out.",
        people=3,
        signer="officer-1-key",
        judged_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
    )


def closed(events: list[str], sends: int, revision: int = 1) -> MessageClosed:
    return MessageClosed(
        event_id=f"closed-{revision}",
        zone_id="demo",
        message_id=MESSAGE,
        message_type=MessageType.ALERT,
        release=None,
        revision=revision,
        sends=sends,
        states={SendState.DELIVERED: sends},
        events=len(events),
        digest=digest(events),
        closed_at=NOW + timedelta(hours=1),
    )


def planned() -> MessagePlanned:
    return MessagePlanned(
        event_id="planned-1",
        zone_id="demo",
        message_id=MESSAGE,
        message_type=MessageType.ALERT,
        release=None,
        revision=1,
        network_ids=("bin-linde",),
        people=3,
        sends={Channel.SMS: 3},
        unreachable=0,
        behind=False,
        planned_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
    )


async def replays(world: World, count: int) -> list[dict[str, Any]]:
    async def there() -> bool:
        return len(world.cluster.on("bin.replays")) >= count

    await until(there, f"{count} answers on bin.replays")
    return [orjson.loads(record.value) for record in world.cluster.on("bin.replays")]


async def test_an_alert_from_its_topic_to_a_bundle_that_verifies(
    world: World, tmp_path: Path
) -> None:
    async with world.running() as app:
        await publish_alert(world)
        await world.publish(planned())
        sends = [send(number, 1) for number in range(3)]
        sends += [send(number, 2, SendState.DELIVERED) for number in range(3)]
        await world.publish(*sends, closed([item.event_id for item in sends], 3))
        assert [item["answer"] for item in await replays(world, 1)] == ["agreed"]
        # verdict, original, planned, 6 sends, closed, answer
        await world.signed(11)
        async with world.http(app, Role.AUDITOR) as http:
            note = (await http.get("/v1/zones/demo/checkpoint")).text
            bundle = await http.get("/v1/zones/demo/bundle")
            assert bundle.headers["content-type"] == "application/x-ndjson"
            file = tmp_path / "demo.ndjson"
            file.write_bytes(bundle.content)
            message = (await http.get(f"/v1/messages/{MESSAGE}")).json()
            listed = (await http.get("/v1/sends", params={"state": "delivered"})).json()
            history = (await http.get("/v1/sends/send-1")).json()
    key = read_key(world.public_pem, "buurtbode/demo")
    checkpoint = Checkpoint.open(note, key)
    assert checkpoint.size >= 11
    pem = tmp_path / "key.pem"
    pem.write_text(world.public_pem)
    kept = tmp_path / "kept"
    kept.write_text(note)
    assert verify_file(file, str(pem), [kept])[0] == VERIFIED
    assert verify_file(file, key.vkey)[0] == VERIFIED
    assert verify_file(file)[0] == UNPROVEN
    flipped = bytearray(file.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    file.write_bytes(flipped)
    assert verify_file(file, str(pem))[0] == BROKEN
    texts = [item["private"].get("value") for item in message["timeline"] if item["private"]]
    assert ALERT.decode() in texts
    assert message["states"] == {"delivered": 3}
    assert message["closings"][0]["answer"] == "agreed"
    assert {item["send_id"] for item in listed["items"]} == {"send-0", "send-1", "send-2"}
    assert [item["entry"]["state"] for item in history["entries"]] == ["accepted", "delivered"]


async def test_the_verdict_may_come_before_its_original(world: World) -> None:
    async with world.running():
        await world.publish(verdict_on(5, 0))
        await world.signed(1)
        await world.cluster.append(Outgoing("bin.alerts", "elsewhere", ALERT, ()))
        record = world.cluster.on("bin.alerts")[-1]
        await world.publish(verdict_on(record.partition, record.offset))
        await world.signed(3 if (record.partition, record.offset) != (5, 0) else 2)
    assert "original" in {entry["type"] for entry in await rows.entries(world.database)}


async def test_what_belongs_to_no_zone_goes_into_the_operators_log(world: World) -> None:
    async with world.running() as app:
        await world.publish(verdict_on(0, 0, VerdictKind.REFUSED, zone=None))
        await world.signed(1, "operators")
        async with world.http(app, Role.OPERATOR, zone=None, sub="operator-1") as http:
            content = (await http.get("/v1/zones/operators/bundle")).content
        async with world.http(app, Role.AUDITOR) as http:
            assert (await http.get("/v1/zones/operators/bundle")).status_code == 404
    report = verify_bundle(content.splitlines(keepends=True), world.public_pem)
    assert (report.problem, report.origin) == (None, "buurtbode/operators")


async def test_a_closing_statement_that_differs_asks_for_a_replay_and_then_agrees(
    world: World,
) -> None:
    passed = [timedelta()]
    world.clock = Clock(now=lambda: datetime.now(UTC) + passed[0])
    sends = [send(number) for number in range(5)]
    ids = [item.event_id for item in sends]
    async with world.running():
        # two events were lost on the way
        await world.publish(*sends[:3], closed(ids, 5))
        first = (await replays(world, 1))[0]
        assert (first["answer"], first["events_seen"]) == ("resend", 3)
        await world.publish(*sends)  # the dispatcher publishes all of them again
        passed[0] += COUNTED_AGAIN
        answers = await replays(world, 2)
        assert [item["answer"] for item in answers] == ["resend", "agreed"]
        # the same statement again is answered again, and its entry stays one
        await world.publish(closed(ids, 5))
        assert (await replays(world, 3))[2]["answer"] == "agreed"
    types = [entry["type"] for entry in await rows.entries(world.database)]
    assert types.count("send") == 5
    assert types.count("closed") == 1
    assert types.count("answer") == 3


async def test_later_events_do_not_make_an_earlier_statement_wrong(world: World) -> None:
    sends = [send(1), send(2)]
    later = send(1, 2, SendState.DELIVERED)
    ids = [item.event_id for item in sends]
    await world.publish(*sends, closed(ids, 2), later, closed([*ids, later.event_id], 2, 2))
    async with world.running():
        answers = await replays(world, 1)
    assert answers[-1]["answer"] == "agreed"


def release(network: str) -> Bulletin:
    return Bulletin(
        zone_id="demo",
        bulletin_id=MESSAGE,
        network_id=network,
        kind=BulletinKind.PREVENTION,
        status=Status.ACTUAL,
        subject={"nl": "Fietsen"},
        body={"nl": "Graveer uw fiets."},
        issued_by="officer-1",
        released_by="pseudonym",
        released_at=NOW,
        expires_at=NOW + timedelta(days=14),
    )


async def test_a_released_bulletin_is_closed_per_release(world: World) -> None:
    def mail(number: int, network: str) -> Any:
        return send(
            number,
            networks=[network],
            channel=Channel.EMAIL,
            message_type=MessageType.BULLETIN,
        )

    statement = closed(["event-demo-1-1"], 1).model_copy(
        update={"message_type": MessageType.BULLETIN, "release": "bin-a", "event_id": "closed-a"}
    )
    async with world.running() as app:
        await world.publish(release("bin-a"), release("bin-b"), mail(1, "bin-a"), mail(2, "bin-b"))
        await world.publish(statement)
        assert [item["answer"] for item in await replays(world, 1)] == ["agreed"]
        async with world.http(app, Role.AUDITOR) as http:
            shown = (await http.get(f"/v1/messages/{MESSAGE}")).json()
    assert shown["released_to"] == ["bin-a", "bin-b"]
    assert {item["release"]: item["answer"] for item in shown["closings"]} == {
        "bin-a": "agreed",
        "bin-b": None,
    }


async def never_signed(world: World, below: int) -> int:
    """Give a size that the log once had, and at which no checkpoint was signed."""
    names = [row["_id"] async for row in world.database["checkpoints"].find({}, {"_id": 1})]
    signed = {int(name.rpartition("|")[2]) for name in names}
    return next(size for size in range(1, below) if size not in signed)


async def test_an_alert_and_a_bulletin_of_one_id_have_a_life_each(world: World) -> None:
    """Ids are claimed per type, so the judges accept both."""
    mails = [
        send(number, networks=["bin-a"], channel=Channel.EMAIL, message_type=MessageType.BULLETIN)
        for number in (11, 12)
    ]
    of_bulletin = {"message_type": MessageType.BULLETIN, "release": "bin-a"}
    stated = closed([mail.event_id for mail in mails], 2).model_copy(
        update={**of_bulletin, "event_id": "closed-a"}
    )
    plan = planned().model_copy(
        update={**of_bulletin, "event_id": "planned-a", "network_ids": ("bin-a",)}
    )
    async with world.running() as app:
        await world.publish(release("bin-a"), plan, *mails, stated)
        assert (await replays(world, 1))[0]["answer"] == "agreed"
        await publish_alert(world)
        sends = [send(1), send(1, 2, SendState.DELIVERED), send(2)]
        await world.publish(planned(), *sends, closed([item.event_id for item in sends], 2))
        again = stated.model_copy(update={"event_id": "closed-b", "revision": 2})
        await world.publish(again)
        answers = [item["answer"] for item in await replays(world, 3)]
        assert answers == ["agreed"] * 3, "each is held against its own sends"
        await world.signed(15)
        lives: dict[str | None, dict[str, Any]] = {}
        async with world.http(app, Role.AUDITOR) as http:
            for kind in (None, "alert", "bulletin"):
                asked = {} if kind is None else {"message_type": kind}
                lives[kind] = (await http.get(f"/v1/messages/{MESSAGE}", params=asked)).json()
            path = f"/v1/messages/{MESSAGE}?message_type="
            assert (await http.get(f"{path}notice")).status_code == 404
            assert (await http.get(f"{path}letter")).status_code == 422
            page = (await http.get(f"/v1/messages/{MESSAGE}/page?message_type=bulletin")).text
    told = {
        kind: [
            item["entry"]["type"] for item in life["timeline"] if item["entry"]["type"] != "access"
        ]
        for kind, life in lives.items()
    }
    assert sorted(told["alert"]) == ["answer", "closed", "original", "planned", "verdict"]
    assert sorted(told["bulletin"]) == [*2 * ["answer"], "bulletin", *2 * ["closed"], "planned"]
    assert lives["alert"]["states"] == {"accepted": 1, "delivered": 1}
    assert lives["bulletin"]["states"] == {"accepted": 2}
    assert [closing["release"] for closing in lives["alert"]["closings"]] == [None]
    assert [closing["answer"] for closing in lives["bulletin"]["closings"]] == ["agreed"]
    # both went out, and the bulletin did so first
    assert lives[None]["message_type"] == "bulletin"
    assert "Graveer uw fiets." in page
    assert "inbraken" not in page


async def test_of_two_messages_of_one_id_the_one_that_went_out_is_shown(world: World) -> None:
    """Anybody who may write to the topic can name an id in a record that is refused."""
    refused = verdict_on(5, 0, VerdictKind.REFUSED).model_copy(
        update={"message_type": MessageType.BULLETIN}
    )
    async with world.running() as app:
        await world.publish(refused)
        await world.signed(1)
        await publish_alert(world)
        await world.signed(3)
        async with world.http(app, Role.AUDITOR) as http:
            shown = (await http.get(f"/v1/messages/{MESSAGE}")).json()
            other = (await http.get(f"/v1/messages/{MESSAGE}?message_type=bulletin")).json()
    assert (shown["message_type"], shown["verdict"]) == ("alert", "accepted")
    assert (other["message_type"], other["verdict"]) == ("bulletin", "refused")


async def test_a_timeline_comes_in_pages_the_oldest_first(world: World) -> None:
    async with world.running() as app:
        await publish_alert(world)
        await world.publish(planned(), release("bin-a"))
        await world.publish(*[send(1, number) for number in range(1, 8)])
        await world.signed(11)
        async with world.http(app, Role.AUDITOR) as http:
            for path, name in (
                (f"/v1/messages/{MESSAGE}", "timeline"),
                ("/v1/sends/send-1", "entries"),
            ):
                whole = (await http.get(path, params={"limit": 500})).json()
                assert whole["next"] is None
                seen: list[int] = []
                params = {"limit": 2}
                while "cursor" not in params or params["cursor"]:
                    page = (await http.get(path, params=params)).json()
                    assert len(page[name]) <= 2
                    seen += [item["entry"]["index"] for item in page[name]]
                    params["cursor"] = page["next"]
                known = [item["entry"]["index"] for item in whole[name]]
                assert seen[: len(known)] == known  # what comes behind them: who read it meanwhile
                assert seen == sorted(set(seen))


async def test_proofs_hold_against_the_checkpoint_and_an_older_one(world: World) -> None:
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(300)])
        await world.signed(300)
        async with world.http(app, Role.AUDITOR) as http:
            old_note = (await http.get("/v1/zones/demo/checkpoint")).text
            await world.publish(*[send(number) for number in range(300, 700)])
            await world.signed(700)
            note = (await http.get("/v1/zones/demo/checkpoint")).text
            key = Verifier.parse(
                orjson.loads((await http.get("/v1/zones/demo/bundle")).content.split(b"\n")[0])[
                    "public_key"
                ]
            )
            old, new = Checkpoint.open(old_note, key), Checkpoint.open(note, key)
            for index in (0, 255, 256, 299, old.size - 1):
                for at in (old, new):
                    answer = await http.get(
                        f"/v1/zones/demo/entries/{index}/proof", params={"size": at.size}
                    )
                    shown = answer.json()
                    assert merkle.verify_inclusion(
                        index,
                        at.size,
                        base64.b64decode(shown["leaf_hash"]),
                        [base64.b64decode(value) for value in shown["hashes"]],
                        at.root,
                    )
                    assert shown["entry"]["index"] == index
                    assert Checkpoint.open(shown["checkpoint"], key) == at
            answer = await http.get(
                "/v1/zones/demo/consistency", params={"from": old.size, "to": new.size}
            )
            assert merkle.verify_consistency(
                old.size,
                new.size,
                [base64.b64decode(value) for value in answer.json()["hashes"]],
                old.root,
                new.root,
            )
            assert Checkpoint.open(answer.json()["checkpoint"], key) == new
            proofs = [
                "/v1/zones/demo/entries/0/proof?size=",
                "/v1/zones/demo/consistency?from=1&to=",
            ]
            unsigned = await never_signed(world, new.size)
            for path in proofs:
                refused = await http.get(f"{path}{unsigned}")
                assert refused.status_code == 404
                assert "no checkpoint of exactly this size" in refused.json()["detail"].lower()
            beyond = await http.get(f"/v1/zones/demo/entries/{10**6}/proof")
            assert beyond.status_code == 404
            assert beyond.json()["type"].endswith("not-provable")


async def test_a_proposal_is_joined_to_its_verdict_as_an_original(world: World) -> None:
    proposal = json.dumps({"bulletin_id": MESSAGE, "body": {"nl": "Graveer uw fiets."}}).encode()
    async with world.running() as app:
        headers = (("bin-signature", b"head..signature"),)
        await world.publish_raw(Outgoing("bin.bulletins.proposed", "demo", proposal, headers))
        record = world.cluster.on("bin.bulletins.proposed")[-1]
        original = Original(
            topic="bin.bulletins.proposed",
            partition=record.partition,
            offset=record.offset,
            sha256=sha256(proposal),
        )
        judged = verdict_on(record.partition, record.offset).model_copy(
            update={"original": original, "message_type": MessageType.BULLETIN}
        )
        await world.publish(judged)
        await world.signed(2)
        async with world.http(app, Role.AUDITOR) as http:
            shown = (await http.get(f"/v1/messages/{MESSAGE}")).json()
    timeline = {item["entry"]["type"]: item["private"] for item in shown["timeline"]}
    assert (shown["message_type"], shown["verdict"]) == ("bulletin", "accepted")
    assert timeline["original"]["value"] == proposal.decode()
    assert timeline["original"]["sha256"] == sha256(proposal)
    assert timeline["original"]["signature"] == "head..signature"
    assert timeline["original"]["position"] == (
        f"bin.bulletins.proposed|{record.partition}|{record.offset}"
    )


async def test_a_download_goes_on_while_the_log_grows_and_after_an_erasure(world: World) -> None:
    erased = Erasure(erasure_id="erasure-1", member_id="member-9", zone_id="demo", erased_at=NOW)
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(12)])
        await world.signed(12)
        async with world.http(app, Role.AUDITOR) as http:
            first = (await http.get("/v1/zones/demo/bundle")).content.splitlines(keepends=True)
            size = orjson.loads(first[0])["size"]
            await world.publish(erased, send(1, 2, SendState.DELIVERED))
            await world.signed(size + 2)

            async def gone() -> bool:
                row = await world.database["erasures"].find_one({"applied": True})
                return row is not None

            await until(gone, "the erasure")
            rest = await http.get("/v1/zones/demo/bundle", params={"from": 5, "size": size})
    joined = [*first[: 1 + 5], *rest.content.splitlines(keepends=True)]
    report = verify_bundle(joined, world.public_pem)
    # what was erased meanwhile is missing from the rest, and its entry proves as before
    assert (report.problem, report.size, report.erased) == (None, size, 1)
    mixed = [*first[:-1], *rest.content.splitlines(keepends=True)[-2:]]
    assert verify_bundle(mixed, world.public_pem).problem is not None


async def test_a_cut_off_download_goes_on_where_it_ended(world: World) -> None:
    async with world.running() as app:
        await world.publish(*[send(number) for number in range(20)])
        await world.signed(20)
        signed = {row["_id"] async for row in world.database["checkpoints"].find()}
        unsigned = next(size for size in range(1, 20) if f"demo|{size}" not in signed)
        async with world.http(app, Role.AUDITOR) as http:
            whole = (await http.get("/v1/zones/demo/bundle")).content
            size = orjson.loads(whole.split(b"\n")[0])["size"]
            rest = await http.get("/v1/zones/demo/bundle", params={"from": 7, "size": size})
            between = await http.get("/v1/zones/demo/bundle", params={"size": unsigned})
            assert between.status_code == 404
    lines = whole.splitlines(keepends=True)
    joined = b"".join(lines[: 1 + 7]) + rest.content
    assert joined == whole
    assert verify_bundle(joined.splitlines(keepends=True), world.public_pem).problem is None
