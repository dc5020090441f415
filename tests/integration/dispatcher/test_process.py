"""The dispatcher as processes of its own, on real Kafka, killed and restarted while they send."""

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.issuer import AUDIENCE, ISSUER_PATH
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.python_part import PythonPart
from shared.contracts import Member, Send
from shared.contracts.base import SendState
from shared.kafka import KafkaLog, Partition, Positions
from shared.settings import MongoSettings
from tests.support.cluster import KafkaCluster
from tests.support.dispatcher import published
from tests.support.police import Police, outgoing
from tests.support.sandbox import ACCOUNT, OTHER_ACCOUNT, TOKEN, Sandbox
from tests.support.sending import CALLBACK, TEST_CALLBACK, World, begin_after, crowd
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
        "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
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


@dataclass
class Running:
    """Dispatcher processes on one ledger, real Kafka, and the sandbox."""

    world: World
    kafka: KafkaCluster
    mongo: MongoSettings
    folder: Path
    police: Police = field(default_factory=Police)
    parts: list[PythonPart] = field(default_factory=list[PythonPart])

    def process(self, **changes: str) -> PythonPart:
        """Make one more process, not started."""
        port = free_port()
        values = environment(self.kafka, self.mongo, self.world.sandbox, self.folder, port)
        values |= {f"BUURTBODE_{name}": value for name, value in changes.items()}
        log = self.folder / f"dispatcher-{len(self.parts)}.log"
        url = f"http://{LOOPBACK}:{port}"
        self.parts.append(PythonPart("dispatcher", "services.dispatcher.app", url, values, log))
        return self.parts[-1]

    async def people(self, people: list[Member]) -> None:
        """Publish the zone, its network and these people, newer than what any test left."""
        base = int(time.time())
        async with police_log(self.kafka, "registry") as registry:
            await begin_after(registry, self.mongo)
            await registry.publish(
                [
                    published(event)
                    for event in (
                        self.police.zone(base),
                        self.police.network("n1", base),
                        *(one.model_copy(update={"version": base}) for one in people),
                    )
                ]
            )

    async def alert(self, lasts: timedelta) -> str:
        """Publish an alert and give its id."""
        now = datetime.now(UTC)
        alert = self.police.alert(issued_at=now, expires_at=now + lasts)
        async with police_log(self.kafka, "police-demo") as log:
            await log.publish([outgoing(self.police.record(alert))])
        return alert.alert_id

    async def sent(self, count: int) -> None:
        """Wait until so many SMS have left."""

        async def enough() -> bool:
            return len(await self.world.sms()) >= count

        await until(enough, 60)

    async def events(self, message_id: str, until_sends: int) -> dict[str, dict[int, Send]]:
        """Read a message's events from the topic, by send and seq; equal ids are equal bytes."""
        found: dict[str, dict[int, Send]] = {}
        known: dict[str, bytes] = {}

        async def from_start(_: Collection[Partition]) -> Positions:
            return {}

        async with (
            KafkaLog(self.kafka.operator, "test") as log,
            log.reader(f"test-{message_id}", ["bin.sends"], from_start) as reader,
            asyncio.timeout(30),
        ):
            while len(found) < until_sends:
                for record in await reader.poll(1000, 0.5):
                    # the topic is every test's: some put records on it that nobody can read
                    if dict(record.headers).get("ce_type") != Send.TYPE.encode():
                        continue
                    event = Send.from_json(record.value)
                    if event.message_id == message_id:
                        assert known.setdefault(event.event_id, record.value) == record.value
                        found.setdefault(event.send_id, {})[event.seq] = event
        return found

    def stop(self) -> None:
        """End all of them."""
        for part in self.parts:
            part.stop()


@pytest.fixture
def running(
    kafka_cluster: KafkaCluster, mongo_database: MongoSettings, world: World, tmp_path: Path
) -> Generator[Running]:
    """Give a ledger without processes yet; whatever a test started ends with it."""
    made = Running(world, kafka_cluster, mongo_database, tmp_path)
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.timeout(180)
async def test_two_processes_share_the_work_and_either_may_be_killed(running: Running) -> None:
    """SIGKILL in the midst of the attempts, first of one and then of the other.

    What was under way is found at the provider, by whoever is left; each gets exactly one SMS.
    """
    people = crowd(PEOPLE)
    await running.people(people)
    one, two = running.process(), running.process()
    await asyncio.to_thread(one.start)
    await asyncio.to_thread(two.start)
    # receipts that came while a process was dead are asked for once the alert is over
    alert = await running.alert(timedelta(seconds=48))
    await running.sent(PEOPLE // 4)
    one.kill()
    await running.sent(PEOPLE // 2)
    two.kill()
    await asyncio.to_thread(one.start)
    world = running.world

    async def closed() -> bool:
        url = f"{one.url}/v1/messages/{alert}/coverage"
        answer = (await world.http.get(url, headers=world.token("police"))).json()
        return answer.get("closed") is not None

    await until(closed, 90)
    sms = [sent["to"] for sent in await world.sms()]
    assert sorted(sms) == sorted(str(person.phone) for person in people)
    assert {row["state"] for row in await world.rows(alert)} == {"delivered"}


@pytest.mark.timeout(180)
async def test_restarted_again_and_again_while_it_sends_it_loses_and_doubles_nothing(
    running: Running,
) -> None:
    """SIGTERM: what has begun is finished, what has not is given back; nothing is unknown.

    `python -m benchmarks dispatcher_restarts` does the same a hundred times.
    """
    people = crowd(PEOPLE)
    await running.people(people)
    process = running.process(TWILIO__MESSAGES_PER_SECOND="20")
    await asyncio.to_thread(process.start)
    alert = await running.alert(timedelta(minutes=10))
    for done in (20, 45, 70):
        await running.sent(done)
        await asyncio.to_thread(process.stop)
        await asyncio.to_thread(process.start)
    await running.sent(PEOPLE)
    events = await running.events(alert, PEOPLE)
    sms = [sent["to"] for sent in await running.world.sms()]
    assert sorted(sms) == sorted(str(person.phone) for person in people)
    rows = await running.world.rows(alert)
    assert set(events) == {row["_id"] for row in rows}
    seen = {event.state for mine in events.values() for event in mine.values()}
    assert seen <= {SendState.ACCEPTED, SendState.DELIVERED}
    assert all(len(row["attempts"]) == 1 for row in rows)
