"""What every flow works with, and the three things each change does in its one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from services.registry.domain.bulletin import BulletinRecord
from services.registry.domain.member import MemberRecord
from services.registry.domain.network import NetworkRecord
from services.registry.domain.policy import DEFAULT_POLICY, Policy
from services.registry.domain.privacy import DEFAULT_RETENTION, Retention
from services.registry.domain.zone import ZoneRecord
from services.registry.store.ahead import Ahead
from services.registry.store.alerts import Alerts
from services.registry.store.bulletins import Bulletins
from services.registry.store.documents import Documents
from services.registry.store.erased import Erasures
from services.registry.store.figures import Figures
from services.registry.store.imports import Imports
from services.registry.store.meetings import Meetings
from services.registry.store.members import Members
from services.registry.store.networks import Networks
from services.registry.store.rule_asks import RuleAsks
from services.registry.store.zones import Zones
from shared.claims import Claims
from shared.clock import Clock
from shared.contracts import Access, Erasure
from shared.contracts.base import MessageType
from shared.contracts.common import AccessKind
from shared.mongo import Client, Database, Session, transaction
from shared.outbox import Outbox
from shared.pseudonyms import KeyRing

T = TypeVar("T")

UNKEYED = "unkeyed"
"""The actor of what happens in a zone that has no pseudonym key yet; `reader` names them still."""

SYSTEM = "system"
_IDS_IN_EVENT = 1000
"""Member ids in one event: a record on a topic stays far below 1 MB."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a token's subject, or a member by their own link."""

    value: str
    """What the pseudonym is made of."""

    reader: str | None
    """The token's subject, for the audit log's private part."""

    capacity: str | None = None
    """How they stand to what they look at, such as `coordinator`."""

    escalation: str | None = None
    """Why the police stand in for coordinators, a code; None where nobody does."""

    @classmethod
    def subject(
        cls, subject: str, capacity: str | None = None, escalation: str | None = None
    ) -> "Actor":
        """Give the actor of a token."""
        return cls(f"subject:{subject}", subject, capacity, escalation)

    def reason(self, given: str | None) -> str | None:
        """Give why they act, for the record: what they said, or else in which capacity."""
        if self.escalation is None:
            return given or (self.capacity and f"as {self.capacity}")
        ground = f"escalation {self.escalation}"
        return ground if given is None else f"{ground}: {given}"

    @classmethod
    def member(cls, member_id: str) -> "Actor":
        """Give a member who acts by their own link."""
        return cls(f"member:{member_id}", None)


@dataclass(frozen=True, slots=True)
class Context:
    """The registry's collections, its outbox, and what is injected."""

    client: Client
    outbox: Outbox
    keys: KeyRing
    clock: Clock
    zones: Zones
    networks: Networks
    documents: Documents
    members: Members
    bulletins: Bulletins
    alerts: Alerts
    rule_asks: RuleAsks
    meetings: Meetings
    figures: Figures
    claims: Claims
    erasures: Erasures
    imports: Imports
    ahead: Ahead
    policy: Policy = DEFAULT_POLICY
    retention: Retention = DEFAULT_RETENTION

    @classmethod
    def of(
        cls,
        client: Client,
        database: Database,
        outbox: Outbox,
        keys: KeyRing,
        clock: Clock,
        *,
        policy: Policy = DEFAULT_POLICY,
        retention: Retention = DEFAULT_RETENTION,
    ) -> "Context":
        """Bind all collections to the service's database."""
        return cls(
            client=client,
            outbox=outbox,
            keys=keys,
            clock=clock,
            zones=Zones(database),
            networks=Networks(database),
            documents=Documents(database),
            members=Members(database),
            bulletins=Bulletins(database),
            alerts=Alerts(database),
            rule_asks=RuleAsks(database),
            meetings=Meetings(database),
            figures=Figures(database),
            claims=Claims(database, MessageType.BULLETIN),
            erasures=Erasures(database),
            imports=Imports(database),
            ahead=Ahead(database),
            policy=policy,
            retention=retention,
        )

    async def prepare(self) -> None:
        """Create all indexes; they need not exist yet, and may."""
        await self.outbox.prepare()
        await self.networks.prepare()
        await self.documents.prepare()
        await self.members.prepare()
        await self.erasures.prepare()
        await self.imports.prepare()
        await self.bulletins.prepare()
        await self.alerts.prepare()
        await self.meetings.prepare()
        await self.figures.prepare()

    async def transaction(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run `work` in one transaction, perhaps more than once."""
        result = await transaction(self.client, work)
        self.outbox.filled.set()  # set before, it may have been looked at before the commit
        return result

    async def put_zone(self, session: Session, zone: ZoneRecord) -> None:
        """Store a zone's next (or first) version with its event."""
        if zone.version == 1:
            await self.zones.add(session, zone)
        else:
            await self.zones.replace(session, zone)
        await self.outbox.add(session, [zone.event()])

    async def put_network(
        self, session: Session, network: NetworkRecord, *, turned: bool = False
    ) -> None:
        """Store a network's next (or first) version with its event.

        A turn that has come stays due until whoever sees to it says that it `turned`.
        """
        now, due = self.clock.now(), None
        if network.version == 1:
            await self.networks.add(session, network)
        else:
            due = await self.networks.turn_due(session, network.network_id, now)
            await self.networks.replace(session, network)
        await self.networks.turn_at(session, network, now, None if turned else due)
        await self.outbox.add(session, [network.event(now)])

    async def put_member(self, session: Session, member: MemberRecord) -> None:
        """Store a member's next (or first) version with its event."""
        if member.version == 1:
            await self.members.add(session, member)
        else:
            await self.members.replace(session, member)
        await self.outbox.add(session, [member.event()])

    async def record(
        self,
        session: Session,
        actor: Actor | None,
        kind: AccessKind,
        action: str,
        *,
        zone_id: str | None,
        network_id: str | None = None,
        members: Sequence[MemberRecord] = (),
        address: str | None = None,
        message_id: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Write who looked at or changed what, as an event in the same transaction.

        `actor` is None where the service acts by itself. Whose data it was goes along as the
        pseudonym of one member's number or address, or of `address`: that of one coordinator or
        officer.
        """
        now = self.clock.now()
        access = Access(
            event_id=self.clock.new_id(),
            zone_id=zone_id,
            service="registry",
            kind=kind,
            action=action,
            actor=SYSTEM if actor is None else self._pseudonym(zone_id, actor.value, now),
            reader=None if actor is None else actor.reader,
            network_id=network_id,
            member_ids=tuple(member.member_id for member in members),
            recipient=self._recipient(zone_id, address or _destination(members), now),
            message_id=message_id,
            reason=reason if actor is None else actor.reason(reason),
            time=now,
        )
        await self.outbox.add(session, [access])

    async def record_many(
        self,
        session: Session,
        actor: Actor,
        kind: AccessKind,
        action: str,
        *,
        network: NetworkRecord,
        members: Sequence[MemberRecord],
    ) -> None:
        """Write what was done with many members, in as many events as their ids need."""
        for start in range(0, max(len(members), 1), _IDS_IN_EVENT):
            await self.record(
                session,
                actor,
                kind,
                action,
                zone_id=network.zone_id,
                network_id=network.network_id,
                members=members[start : start + _IDS_IN_EVENT],
            )

    async def record_erasure(self, session: Session, order: Erasure) -> None:
        """Acknowledge an erasure: this service holds nothing of that person any more."""
        access = Access(
            event_id=self.clock.new_id(),
            zone_id=order.zone_id,
            service="registry",
            kind="erasure",
            action="erasure.apply",
            actor=SYSTEM,
            member_ids=(order.member_id,),
            time=self.clock.now(),
        )
        await self.outbox.add(session, [access])

    async def record_bulletin(
        self,
        session: Session,
        actor: Actor | None,
        action: str,
        bulletin: BulletinRecord,
        reason: str | None = None,
    ) -> None:
        """Write what was done to a bulletin."""
        await self.record(
            session,
            actor,
            "bulletin",
            action,
            zone_id=bulletin.zone_id,
            network_id=bulletin.network_id,
            message_id=bulletin.bulletin_id,
            reason=reason,
        )

    def pseudonym(self, zone_id: str, actor: Actor) -> str:
        """Give an actor's pseudonym in a zone, for what an event says of them."""
        return self._pseudonym(zone_id, actor.value, self.clock.now())

    def _pseudonym(self, zone_id: str | None, value: str, now: datetime) -> str:
        if zone_id is None or not self.keys.has(zone_id, now.year):
            return UNKEYED
        return self.keys.pseudonym(zone_id, now.year, value)

    def _recipient(self, zone_id: str | None, destination: str | None, now: datetime) -> str | None:
        if destination is None or zone_id is None or not self.keys.has(zone_id, now.year):
            return None
        return self.keys.pseudonym(zone_id, now.year, destination)


def _destination(members: Sequence[MemberRecord]) -> str | None:
    if len(members) != 1:
        return None
    return members[0].phone or members[0].email
