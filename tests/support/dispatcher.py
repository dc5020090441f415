"""The planning half of a dispatcher on a real database: judge, copy, planner, ledger."""

import asyncio
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.dispatcher.consumers import Consumers
from services.dispatcher.domain.message import MessageKey
from services.dispatcher.domain.notices import Links
from services.dispatcher.flows.apply_copy import ApplyCopy
from services.dispatcher.flows.judge_alert import ALERTS_GROUP, JudgeAlerts
from services.dispatcher.flows.plan_message import PlanAgain, PlanMessage
from services.dispatcher.flows.restore_sends import RestoreSends
from services.dispatcher.flows.take_bulletin import TakeBulletins
from services.dispatcher.flows.take_notice import TakeNotices
from services.dispatcher.flows.wait_for_copy import COPY_TOPICS, CopyGate
from services.dispatcher.store.addressed import AddressedNetworks
from services.dispatcher.store.closings import Closings
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.ledger import Ledger
from services.dispatcher.store.mailboxes import Mailboxes
from services.dispatcher.store.messages import Messages
from services.dispatcher.store.restored import Restored
from shared.claims import Claims
from shared.clock import Clock
from shared.consume import Consumer, DeadLetters, PositionStore
from shared.contracts import Event, Member, MessagePlanned, Send, Verdict
from shared.contracts.base import Lane, MessageType
from shared.envelope import encode
from shared.kafka import Log, Outgoing
from shared.mongo import Client, Database
from shared.outbox import Outbox, OutboxPublisher
from shared.pseudonyms import KeyRing, rotate
from shared.tasks import end
from tests.support.memory_kafka import MemoryCluster

REGISTRY_URL = "https://registry.example"


class Hands:
    """A clock whose wall time a test sets; it starts at the real time, cut to the millisecond."""

    def __init__(self) -> None:
        """Start now."""
        self.at = datetime.now(UTC).replace(microsecond=0)
        self.clock = Clock(now=lambda: self.at)

    def forward(self, length: timedelta) -> None:
        """Let time pass."""
        self.at += length


def member(member_id: str, network_id: str, version: int = 1, **changes: Any) -> Member:
    """Give an invented active member, reachable by SMS and mail unless changed."""
    number = zlib.crc32(member_id.encode()) % 10_000_000
    fields: dict[str, Any] = {
        "member_id": member_id,
        "version": version,
        "zone_id": "demo",
        "network_id": network_id,
        "state": "active",
        "language": "nl",
        "phone": f"+32450{number:07d}",
        "email": f"{member_id}@example.org",
        "unsubscribe_token": f"token-{member_id}",
        **changes,
    }
    return Member.model_validate(fields)


def published(event: Event) -> Outgoing:
    """Give an event of one of our services as its record."""
    return encode(event, ce_id="test", source="buurtbode/registry", time=datetime.now(UTC))


class PlanningHalf:
    """All of the dispatcher that comes before the senders, driven by hand."""

    def __init__(
        self,
        log: Log,
        client: Client,
        database: Database,
        folder: Path,
        *,
        patience: timedelta = timedelta(seconds=2),
        max_segments: int = 3,
    ) -> None:
        """Wire it as `app.py` does."""
        self.hands = Hands()
        clock = self.hands.clock
        self.log = log
        self.client = client
        self.database = database
        ring = folder / "keys.json"
        rotate(ring, ["demo", "other"], self.hands.at.year)
        self.keys = KeyRing(ring)
        self.outbox = Outbox(database, "buurtbode/dispatcher", clock)
        self.copy = Copy(database)
        self.messages = Messages(database)
        self.mailboxes = Mailboxes(database)
        self.addressed = AddressedNetworks(database)
        self.restored = Restored(database)
        self.ledger = Ledger(database, clock, self.messages.get)
        self.gate = CopyGate(self.copy, log, PositionStore(database), Clock(), patience)
        self.planners = {lane: self.planner(lane) for lane in Lane}
        self.again = PlanAgain(self.messages, self.ledger, self.gate, clock, lambda: None)
        consumers = Consumers(log, client, database, self.outbox, clock)
        self.copy_consumer = consumers.copy(
            ApplyCopy(
                copy=self.copy,
                ledger=self.ledger,
                messages=self.messages,
                mailboxes=self.mailboxes,
                outbox=self.outbox,
                clock=clock,
            ),
            self.gate.moved,
        )
        self.judge = JudgeAlerts(
            gate=self.gate,
            copy=self.copy,
            claims=Claims(database, MessageType.ALERT),
            addressed=self.addressed,
            messages=self.messages,
            restored=self.restored,
            outbox=self.outbox,
            dead_letters=DeadLetters(ALERTS_GROUP, database, self.outbox, "dispatcher"),
            clock=clock,
            max_segments=max_segments,
            wake_planner=lambda: None,
        )
        self.others: Sequence[Consumer] = (
            consumers.alerts(self.judge),
            consumers.bulletins(
                TakeBulletins(self.gate, self.copy, self.messages, clock, lambda: None)
            ),
            consumers.notices(
                TakeNotices(
                    gate=self.gate,
                    copy=self.copy,
                    messages=self.messages,
                    clock=clock,
                    links=Links(REGISTRY_URL),
                    wake_planner=lambda: None,
                )
            ),
        )
        self._tasks: list[asyncio.Task[None]] = []

    def planner(self, lane: Lane) -> PlanMessage:
        """Make one more planner of a lane, as another process has it."""
        return PlanMessage(
            lane,
            copy=self.copy,
            messages=self.messages,
            ledger=self.ledger,
            log=self.log,
            keys=self.keys,
            clock=self.hands.clock,
            registry_url=REGISTRY_URL,
            restore=RestoreSends(
                ledger=self.ledger,
                restored=self.restored,
                closings=Closings(self.database),
                keys=self.keys,
                clock=self.hands.clock,
            ),
            wake_senders=lambda: None,
        )

    async def prepare(self) -> None:
        """Create all indexes."""
        await self.outbox.prepare()
        await self.copy.prepare()
        await self.messages.prepare()
        await self.ledger.prepare()

    def start_copying(self) -> None:
        """Run the consumer that keeps the copy."""
        self._tasks.append(asyncio.create_task(self.copy_consumer.run()))

    def start(self) -> None:
        """Run all consumers and the publisher of the outbox."""
        self.start_copying()
        publisher = OutboxPublisher(self.outbox, self.log, self.database, "test")
        for run in (*(consumer.run for consumer in self.others), publisher.run):
            self._tasks.append(asyncio.create_task(run()))

    async def stop(self) -> None:
        """End what runs; a fault in it is raised here."""
        await end(self._tasks)
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def publish(self, *events: Event) -> None:
        """Publish events of our own services."""
        await self.log.publish([published(event) for event in events])

    async def copied(self) -> None:
        """Wait until the copy has everything that was published."""
        async with asyncio.timeout(20):
            while not await self.gate.passed(await self.log.end_offsets(COPY_TOPICS)):
                await asyncio.sleep(0.02)

    async def plan(self) -> None:
        """Plan everything there is to plan."""
        for planner in self.planners.values():
            while await planner.once():
                pass

    async def sends(self, message_id: str) -> list[dict[str, Any]]:
        """Give the ledger's rows of a message, as they are stored."""
        rows = self.database["sends"].find({"message": {"$regex": f"\\|{message_id}\\|"}})
        return await rows.sort("destination", 1).to_list()

    async def row(self, key: MessageKey) -> dict[str, Any]:
        """Give the stored row of a message."""
        row = await self.database["messages"].find_one({"_id": str(key)})
        assert row is not None
        return row


def verdicts(cluster: MemoryCluster) -> list[Verdict]:
    """Give all verdicts on the topic."""
    return [Verdict.from_json(record.value) for record in cluster.on("bin.verdicts")]


def plans(cluster: MemoryCluster) -> list[MessagePlanned]:
    """Give all planned events on the topic."""
    return [
        MessagePlanned.from_json(record.value)
        for record in cluster.on("bin.sends")
        if dict(record.headers)["ce_type"] == MessagePlanned.TYPE.encode()
    ]


def send_events(rows: Sequence[dict[str, Any]]) -> list[Send]:
    """Give the events that the rows hold."""
    return [Send.from_json(event["value"]) for row in rows for event in row.get("events", [])]
