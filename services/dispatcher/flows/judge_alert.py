"""Judge what the police wrote on `bin.alerts`: exactly one verdict for each record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from services.dispatcher.domain.intake import alert_message
from services.dispatcher.domain.judging import (
    Addressed,
    check_approval,
    check_length,
    needs_two,
)
from services.dispatcher.domain.message import MessageKey, Thread
from services.dispatcher.flows.wait_for_copy import CopyGate
from services.dispatcher.store.addressed import AddressedNetworks
from services.dispatcher.store.copy import Copy
from services.dispatcher.store.messages import Messages
from services.dispatcher.store.restored import Restored
from shared.claims import Claim, Claims, earlier_verdict
from shared.clock import Clock
from shared.consume import DeadLetters, dead_letter
from shared.contracts import Alert, DeadLetter, Network, Verdict, Zone
from shared.contracts.base import AlertKind, MessageType
from shared.contracts.dispatcher import Reason, VerdictKind
from shared.envelope import decode
from shared.failures import Rejected
from shared.judging import (
    UNREADABLE,
    Candidate,
    Case,
    Duplicate,
    Refused,
    Signed,
    accepted,
    check_times,
    choose_networks,
    duplicate,
    examine,
    refusal,
    zone_named,
)
from shared.kafka import Positions, Record
from shared.mongo import Session
from shared.outbox import Outbox
from shared.topics import Party, group

ALERTS_GROUP = group(Party.DISPATCHER, "alerts")


@dataclass(slots=True)
class _Docket:
    """What one batch is judged by: read once for all its records, and changed as they pass."""

    session: Session
    now: datetime
    zones: Mapping[str, Zone]
    networks: Mapping[str, Network]
    claims: dict[tuple[str, str], Claim]
    addressed: dict[str, list[Addressed]] = field(default_factory=dict[str, list[Addressed]])


@dataclass(frozen=True, slots=True)
class _Opened:
    """A record after reading: a signed alert, or the verdict that it got for not being one."""

    case: Case
    signed: Signed[Alert] | None
    verdict: Verdict | None


class JudgeAlerts:
    """The only judge of alerts. Its claims, messages and verdicts are one transaction."""

    def __init__(
        self,
        *,
        gate: CopyGate,
        copy: Copy,
        claims: Claims,
        addressed: AddressedNetworks,
        messages: Messages,
        restored: Restored,
        outbox: Outbox,
        dead_letters: DeadLetters,
        clock: Clock,
        max_segments: int,
        wake_planner: Callable[[], None],
    ) -> None:
        """Wire; `wake_planner` is called once accepted alerts are stored."""
        self._gate = gate
        self._copy = copy
        self._claims = claims
        self._addressed = addressed
        self._messages = messages
        self._restored = restored
        self._outbox = outbox
        self._dead = dead_letters
        self._clock = clock
        self._max_segments = max_segments
        self._wake_planner = wake_planner
        self._behind: Positions = {}
        self._letters: list[DeadLetter] = []
        self._judged: Sequence[Verdict] = ()
        self._logger = structlog.get_logger(flow="judge")

    async def before(self, _records: Sequence[Record]) -> None:
        """Wait for the copy, within bounds; what it lacks is remembered for the plan."""
        self._behind = await self._gate.wait()

    async def apply(self, session: Session, records: Sequence[Record]) -> None:
        """Judge a batch. One record's faults never touch another's verdict."""
        now = self._clock.now()
        zones = await self._zones(session, records)
        given = await self._restored.verdicts(session, records)
        opened = [_open(record, zones, now) for record in records]
        docket = await self._docket(session, opened, zones, now)
        verdicts = [
            await self._repeat(docket, item, told)
            if (told := given.get((item.case.record.source, item.case.record.offset)))
            else item.verdict or await self._judge(docket, item)
            for item in opened
        ]
        for zone_id, recent in docket.addressed.items():
            await self._addressed.add(session, zone_id, recent, now)
        ids = [verdict.event_id for verdict in verdicts]
        await self._outbox.add(session, verdicts, ce_ids=ids)
        await self._give_up_unreadable(session, records, verdicts, now)
        self._judged = verdicts

    def after(self) -> None:
        """Once committed: have the accepted alerts planned, and the unreadable ones noticed."""
        self._wake_planner()
        for verdict in self._judged:
            self._logger.info(
                "judged",
                message_id=verdict.message_id,
                verdict=verdict.verdict,
                reason=verdict.reason,
                zone_id=verdict.zone_id,
                partition=verdict.original.partition,
                offset=verdict.original.offset,
            )
        self._judged = ()
        for letter in self._letters:
            self._dead.tell(letter)
        self._letters = []

    async def _zones(self, session: Session, records: Sequence[Record]) -> dict[str, Zone]:
        named = {zone_id for record in records if (zone_id := zone_named(record)) is not None}
        return await self._copy.zones(named, session)

    async def _docket(
        self,
        session: Session,
        opened: Sequence[_Opened],
        zones: Mapping[str, Zone],
        now: datetime,
    ) -> _Docket:
        alerts = [item.signed.event for item in opened if item.signed is not None]
        network_ids = {network_id for alert in alerts for network_id in alert.network_ids}
        ids = {(alert.zone_id, alert.alert_id) for alert in alerts}
        return _Docket(
            session=session,
            now=now,
            zones=zones,
            networks=await self._copy.networks_by_id(network_ids, session),
            claims=await self._claims.find(session, ids),
        )

    async def _judge(self, docket: _Docket, item: _Opened) -> Verdict:
        case, signed = item.case, item.signed
        if signed is None or case.zone is None:
            raise AssertionError  # what could not be opened has its verdict
        alert = signed.event
        try:
            earlier = earlier_verdict(case, docket.claims, alert.zone_id, alert.alert_id)
            if earlier is not None:
                return earlier
            return await self._accept(docket, case, signed, case.zone)
        except Duplicate:
            return duplicate(case, docket.now)
        except Refused as refused:
            return refusal(case, refused, docket.now)

    async def _repeat(self, docket: _Docket, item: _Opened, told: Verdict) -> Verdict:
        """Repeat the verdict that a record got before the database was restored.

        What followed from it is stored again; nothing is judged twice, however late it is now.
        """
        case, session = item.case, docket.session
        if told.verdict is not VerdictKind.ACCEPTED or case.zone is None:
            return told
        alert = decode(case.record, Alert).event
        name = (alert.zone_id, alert.alert_id)
        if not await self._claims.find(session, [name]):
            docket.claims[name] = await self._claims.take(session, case, told)
        if alert.kind is AlertKind.ALL_CLEAR:
            if alert.references is not None:
                about = Thread(alert.zone_id, alert.references, alert.status)
                await self._messages.end(session, about, told.judged_at)
        else:
            recent = await self._addressed_lately(docket, alert.zone_id)
            recent.append(Addressed(told.judged_at, alert.network_ids))
        networks = await self._copy.networks_by_id(told.network_ids, session)
        message = alert_message(alert, case.zone, networks, told.network_ids, told.judged_at)
        await self._messages.add(session, message)
        return told

    async def _accept(
        self, docket: _Docket, case: Case, signed: Signed[Alert], zone: Zone
    ) -> Verdict:
        alert, now, session = signed.event, docket.now, docket.session
        ends_alert = alert.kind is AlertKind.ALL_CLEAR
        check_times(alert, now)
        await self._hold_to_status(session, alert)
        candidates = {name: Candidate.of(network) for name, network in docket.networks.items()}
        choice = choose_networks(alert, candidates, none_left=ends_alert)
        check_length(alert, self._max_segments)
        check_approval(case, alert, signed.key, now)
        await self._hold_to_two_officers(docket, case, alert)
        people = None  # an all-clear's are known when attempts of its alert are resolved
        if not ends_alert:
            people = await self._copy.count_people("sms", choice.takes, session)
        verdict = accepted(case, choice, now, people=people)
        docket.claims[alert.zone_id, alert.alert_id] = await self._claims.take(
            session, case, verdict
        )
        message = alert_message(alert, zone, docket.networks, choice.takes, now)
        if ends_alert and alert.references is not None:
            about = Thread(alert.zone_id, alert.references, alert.status)
            await self._messages.end(session, about, now)
        behind = None if ends_alert else self._behind
        await self._messages.add(session, message, behind=behind)
        return verdict

    async def _hold_to_status(self, session: Session, alert: Alert) -> None:
        """Refuse what would end or follow an alert of another status, where that one is known."""
        if alert.references is None:
            return
        first = MessageKey(alert.zone_id, MessageType.ALERT, alert.references)
        known = await self._messages.get(first, session)
        if known is not None and known.status is not alert.status:
            raise Refused(Reason.STATUS_DIFFERS, "status")

    async def _hold_to_two_officers(self, docket: _Docket, case: Case, alert: Alert) -> None:
        if alert.kind is AlertKind.ALL_CLEAR:
            return
        recent = await self._addressed_lately(docket, alert.zone_id)
        if case.approver is None and needs_two(alert, recent, docket.now):
            raise Refused(Reason.APPROVAL_NEEDED, "approved_by")
        recent.append(Addressed(docket.now, alert.network_ids))

    async def _addressed_lately(self, docket: _Docket, zone_id: str) -> list[Addressed]:
        if zone_id not in docket.addressed:
            docket.addressed[zone_id] = await self._addressed.lock(docket.session, zone_id)
        return docket.addressed[zone_id]

    async def _give_up_unreadable(
        self,
        session: Session,
        records: Sequence[Record],
        verdicts: Sequence[Verdict],
        now: datetime,
    ) -> None:
        self._letters = [
            dead_letter(record, ALERTS_GROUP, Rejected(verdict.reason, verdict.field), now)
            for record, verdict in zip(records, verdicts, strict=True)
            if verdict.reason is not None and verdict.reason in UNREADABLE
        ]
        for letter in self._letters:
            await self._dead.add(session, letter)


def _open(record: Record, zones: Mapping[str, Zone], now: datetime) -> _Opened:
    zone = zones.get(zone_named(record) or "")
    case = Case.of(record, MessageType.ALERT, zone)
    try:
        return _Opened(case, examine(case, Alert, now), None)
    except Refused as refused:
        return _Opened(case, None, refusal(case, refused, now))
