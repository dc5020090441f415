"""The police client on a real Kafka: it takes the verdict on its own record, and no other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import drafts, keyfile
from cli.connection import Connection, StackFile
from cli.failures import NO_ANSWER, CommandError
from cli.police import PoliceClient, Published, approved, signed
from cli.sending import send
from deploy.kafka_admin import add_police_client, police_user, revoke_client
from shared.clock import Clock
from shared.contracts import Alert, Verdict
from shared.contracts.base import AlertKind, MessageType, Status
from shared.contracts.dispatcher import Original, VerdictKind
from shared.contracts.police import APPROVAL_HEADER, SIGNATURE_HEADER
from shared.envelope import encode, sha256
from shared.kafka import KafkaLog, Outgoing
from tests.support.cluster import KafkaCluster

_KEY = keyfile.new_key("demo", "officer-1", "demo-key-1")


def _alert() -> Outgoing:
    clock = Clock()
    alert = Alert(
        alert_id=clock.new_id(),
        zone_id="demo",
        network_ids=("bin-lindeveld",),
        kind=AlertKind.ALERT,
        status=Status.TEST,
        event="burglary",
        text={"nl": "Inbraak"},
        issued_by="officer-1",
        issued_at=datetime.now(UTC),
    )
    return signed(alert, _KEY, clock)


async def _judge(cluster: KafkaCluster, at: Published, kind: VerdictKind) -> None:
    """Write a verdict on what stands there, as the dispatcher would."""
    verdict = Verdict(
        event_id=Clock().new_id(),
        ce_id=at.ce_id,
        original=Original(
            topic=at.topic, partition=at.partition, offset=at.offset, sha256=sha256(b"")
        ),
        zone_id="demo",
        message_type=MessageType.ALERT,
        message_id=None,
        verdict=kind,
        explanation="A sentence for people.",
        judged_at=datetime.now(UTC),
    )
    record = encode(verdict, ce_id=verdict.event_id, source="test", time=verdict.judged_at)
    async with KafkaLog(cluster.user("dispatcher"), "judge") as log:
        await log.publish([record])


async def test_it_takes_the_verdict_on_its_own_record_only(kafka_cluster: KafkaCluster) -> None:
    with PoliceClient(kafka_cluster.user("police-demo")) as police:
        mine = police.publish(_alert())
        for other in (
            replace(mine, offset=mine.offset + 1000),  # a copy of ours that somebody else made
            replace(mine, topic="bin.bulletins.proposed"),
            replace(mine, ce_id="another"),
        ):
            await _judge(kafka_cluster, other, VerdictKind.REFUSED)
        await _judge(kafka_cluster, mine, VerdictKind.ACCEPTED)
        assert police.verdict(mine, within=20).verdict is VerdictKind.ACCEPTED


async def test_verdicts_that_come_together_are_each_found(kafka_cluster: KafkaCluster) -> None:
    with PoliceClient(kafka_cluster.user("police-demo")) as police:
        first, second = police.publish(_alert()), police.publish(_alert())
        for one in (second, first):
            await _judge(kafka_cluster, one, VerdictKind.ACCEPTED)
        for one in (first, second):
            assert police.verdict(one, within=20).ce_id == one.ce_id


async def test_without_a_verdict_it_says_so_and_what_not_to_do(
    kafka_cluster: KafkaCluster,
) -> None:
    with PoliceClient(kafka_cluster.user("police-demo")) as police:
        mine = police.publish(_alert())
        with pytest.raises(CommandError, match="may still go out") as raised:
            police.verdict(mine, within=1)
    assert raised.value.exit_code == NO_ANSWER


def test_where_nobody_knows_what_became_of_it_the_same_bytes_are_kept_to_be_sent_again(
    kafka_cluster: KafkaCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written anew it would be another message, which everybody gets as well."""
    monkeypatch.chdir(tmp_path)
    record = _alert()
    settings = kafka_cluster.user("police-demo")
    named = {
        "KAFKA": settings.bootstrap,
        "KAFKA_PASSWORD": settings.password.get_secret_value(),
        "KAFKA_PROTOCOL": settings.protocol,
    }
    environment = {f"BUURTBODE_{name}": value for name, value in named.items()}
    connection = Connection(StackFile(), None, environment)
    with pytest.raises(CommandError, match="only with 'buurtbode resend") as raised:
        send(record, connection, 1)
    [kept] = tmp_path.iterdir()
    assert kept.name in str(raised.value)
    assert raised.value.exit_code == NO_ANSWER
    assert drafts.read_record(kept) == record


async def test_a_second_signature_is_over_the_same_bytes() -> None:
    draft = _alert()
    second = approved(draft, keyfile.new_key("demo", "officer-2", "demo-key-2"))
    assert second.value == draft.value
    assert {SIGNATURE_HEADER, APPROVAL_HEADER} <= dict(second.headers).keys()
    assert dict(second.headers)[SIGNATURE_HEADER] == dict(draft.headers)[SIGNATURE_HEADER]


async def test_a_wrong_password_gets_one_sentence(kafka_cluster: KafkaCluster) -> None:
    wrong = kafka_cluster.user("police-demo").model_copy(
        update={"password": kafka_cluster.user("police-other").password}
    )
    with pytest.raises(CommandError, match="is the password right"), PoliceClient(wrong):
        pass


async def test_a_client_that_was_revoked_is_told_so(kafka_cluster: KafkaCluster) -> None:
    password = add_police_client(kafka_cluster.operator, "goingaway")
    user = kafka_cluster.user("police-demo").model_copy(update={"user": "police-goingaway"})
    user = user.model_copy(update={"password": type(user.password)(password)})
    with PoliceClient(user) as police:
        revoke_client(kafka_cluster.operator, police_user("goingaway"))
        record = _alert()
        with pytest.raises(CommandError, match="revoked"):
            police.publish(replace(record, key="goingaway"))


def test_an_alert_that_was_issued_before_is_kept_as_it_is() -> None:
    issued = datetime.now(UTC) - timedelta(minutes=5)
    record = _alert()
    alert = Alert.from_json(record.value).model_copy(update={"issued_at": issued})
    assert Alert.from_json(signed(alert, _KEY, Clock()).value).issued_at == issued
