"""The dispatcher as its own process, on real Kafka, killed with SIGKILL while it sends."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.issuer import AUDIENCE, ISSUER_PATH
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.python_part import PythonPart
from shared.kafka import KafkaLog
from shared.pseudonyms import rotate
from shared.settings import MongoSettings
from tests.support.cluster import KafkaCluster
from tests.support.dispatcher import published
from tests.support.police import Police, outgoing
from tests.support.sandbox import ACCOUNT, OTHER_ACCOUNT, TOKEN, Sandbox
from tests.support.sending import CALLBACK, TEST_CALLBACK, World, crowd
from tests.support.wait import until

PEOPLE = 120


def environment(
    kafka: KafkaCluster, mongo: MongoSettings, sandbox: Sandbox, folder: Path, port: int
) -> dict[str, str]:
    """Give the variables that the process is set up by."""
    issuer = f"{sandbox.url}{ISSUER_PATH}"
    values = {
        "KAFKA__BOOTSTRAP": kafka.bootstrap,
        "KAFKA__USER": "dispatcher",
        "KAFKA__PASSWORD": kafka.passwords["dispatcher"],
        "KAFKA__PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA__SESSION_TIMEOUT": "PT6S",
        "MONGO__URL": mongo.url.get_secret_value(),
        "MONGO__DATABASE": mongo.database,
        "OIDC__ISSUER": issuer,
        "OIDC__AUDIENCE": AUDIENCE,
        "OIDC__JWKS_URL": f"{issuer}/jwks.json",
        "HTTP__HOST": LOOPBACK,
        "HTTP__PORT": str(port),
        "HTTP__PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "PSEUDONYM_KEYS": str(folder / "keys.json"),
        "REGISTRY_URL": "https://registry.example",
        "LEASE": "PT5S",
        "SECOND_ATTEMPT_AFTER": "PT10S",
        "RECONCILE_AFTER": "PT1S",
        "RECEIPT_WAIT": "PT1S",
    }
    accounts = (("", ACCOUNT, TOKEN, CALLBACK), ("TEST_", OTHER_ACCOUNT, "another-token", ""))
    for prefix, sid, token, callback in accounts:
        values |= {
            f"{prefix}TWILIO__ACCOUNT_SID": sid,
            f"{prefix}TWILIO__AUTH_TOKEN": token,
            f"{prefix}TWILIO__API_URL": sandbox.url,
            f"{prefix}TWILIO__CALLBACK_TOKEN": callback or TEST_CALLBACK,
            f"{prefix}TWILIO__TIMEOUT": "PT2S",
            f"{prefix}TWILIO__CONCURRENCY": "4",
            f"{prefix}TWILIO__MESSAGES_PER_SECOND": "30",
            f"{prefix}SMTP__HOST": LOOPBACK,
            f"{prefix}SMTP__PORT": str(sandbox.smtp_port),
            f"{prefix}SMTP__ENCRYPTION": "none",
            f"{prefix}SMTP__SENDER": "no-reply@bin.example",
        }
    return {f"BUURTBODE_{name}": value for name, value in values.items()}


@asynccontextmanager
async def police_log(kafka: KafkaCluster, user: str) -> AsyncGenerator[KafkaLog]:
    """Connect as somebody."""
    async with KafkaLog(kafka.user(user), "test") as log:
        yield log


@pytest.mark.timeout(240)
async def test_killed_while_it_sends_everyone_still_gets_exactly_one_sms(
    kafka_cluster: KafkaCluster,
    mongo_database: MongoSettings,
    dispatcher_sandbox: Sandbox,
    world: World,
    tmp_path: Path,
) -> None:
    """SIGKILL in the midst of the attempts; what was under way is found at the provider."""
    rotate(tmp_path / "keys.json", ["demo"], datetime.now(UTC).year)
    port = free_port()
    settings = environment(kafka_cluster, mongo_database, dispatcher_sandbox, tmp_path, port)
    people = crowd(PEOPLE)
    police = Police()
    async with police_log(kafka_cluster, "registry") as registry:
        base = int(time.time())  # versions above those of an earlier test on the same broker
        await registry.publish(
            [
                published(event)
                for event in (
                    police.zone(base),
                    police.network("n1", base),
                    *(one.model_copy(update={"version": base}) for one in people),
                )
            ]
        )
    part = _part(settings, port, tmp_path)
    try:
        await asyncio.to_thread(part.start)
        now = datetime.now(UTC)
        # receipts that came while the process was dead are asked for once the alert is over
        alert = police.alert(issued_at=now, expires_at=now + timedelta(seconds=25))
        async with police_log(kafka_cluster, "police-demo") as log:
            await log.publish([outgoing(police.record(alert))])

        async def some() -> bool:
            return len(await world.sms()) >= PEOPLE // 4

        await until(some)
        part.kill()
        await asyncio.to_thread(part.start)

        async def closed() -> bool:
            token = world.token("police")
            url = f"http://{LOOPBACK}:{port}/v1/messages/{alert.alert_id}/coverage"
            answer = (await world.http.get(url, headers=token)).json()
            return answer.get("closed") is not None

        await until(closed, 120)
    finally:
        await asyncio.to_thread(part.stop)
    sms = [one["to"] for one in await world.sms()]
    assert sorted(sms) == sorted(str(one.phone) for one in people)
    rows = await world.rows(alert.alert_id)
    assert {row["state"] for row in rows} == {"delivered"}


def _part(settings: Mapping[str, str], port: int, folder: Path) -> PythonPart:
    return PythonPart(
        "dispatcher",
        "services.dispatcher.app",
        f"http://{LOOPBACK}:{port}",
        settings,
        folder / "dispatcher.log",
    )
