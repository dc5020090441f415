"""A cold message in one network: waits for its relay, and nothing that happens to it is lost.

A municipality's tip begins as `suggested`; its officer adopts it, and then it waits as well.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.registry.domain.aggregate import Aggregate, Value
from services.registry.domain.failures import Conflict, Invalid
from services.registry.domain.network import NetworkRecord
from shared.contracts.base import (
    Bodies,
    BulletinKind,
    Id,
    MessageId,
    Status,
    Subjects,
    UtcTime,
    ZoneId,
)
from shared.contracts.police import BulletinProposed
from shared.contracts.registry import Bulletin

BulletinState = Literal[
    "suggested", "declined", "waiting", "released", "returned", "withdrawn", "expired"
]

Happening = Literal[
    "proposed",
    "written",
    "suggested",
    "adopted",
    "declined",
    "reminded",
    "passed_to_deputy",
    "escalated",
    "released",
    "sent",
    "recorded",
    "returned",
    "withdrawn",
    "expired",
]

Origin = Literal["police", "coordinator", "municipality"]

SYSTEM = "system"
"""Who acts where time alone does."""

_OPEN: frozenset[BulletinState] = frozenset({"suggested", "waiting"})


@dataclass(frozen=True, slots=True)
class RelayTimes:
    """How long a bulletin waits for its relay before somebody hears of it again."""

    remind_after: timedelta
    deputy_after: timedelta
    officer_after: timedelta

    def __post_init__(self) -> None:
        """Check the order: the coordinator first, then a deputy, then the officer."""
        if not timedelta(0) < self.remind_after < self.deputy_after < self.officer_after:
            message = "remind_after < deputy_after < officer_after, all above zero"
            raise ValueError(message)


class Step(Value):
    """One thing that happened to a bulletin."""

    what: Happening
    at: UtcTime
    by: str
    """The `sub` of whoever did it, the signer of a proposal, or `system`."""

    reason: str | None = None


class BulletinRecord(Aggregate):
    """One bulletin in one network."""

    bulletin_id: MessageId
    zone_id: ZoneId
    network_id: Id
    kind: BulletinKind
    references: MessageId | None
    status: Status
    subject: Subjects
    body: Bodies
    origin: Origin
    issued_by: Id
    issued_at: UtcTime
    expires_at: UtcTime
    state: BulletinState = "waiting"
    timeline: tuple[Step, ...]
    chase_at: UtcTime | None = None
    """When whoever should relay it hears of it again; None where nobody is to."""

    attachment: str | None = None
    """An iCalendar object, for a meeting."""

    @property
    def row_id(self) -> str:
        """Give what is unique: bulletin and network, within the zone."""
        return f"{self.zone_id}|{self.bulletin_id}|{self.network_id}"

    @property
    def waits_since(self) -> datetime:
        """Give when it came to the network: proposed, adopted, or written."""
        begun: set[Happening] = {"proposed", "adopted", "written"}
        return next((s.at for s in self.timeline if s.what in begun), self.timeline[0].at)

    @property
    def ended_at(self) -> datetime | None:
        """Give when it was released, returned or otherwise over; None while it is open."""
        ends = (step.at for step in self.timeline if step.what == self.state)
        return None if self.state in _OPEN else next(ends, self.timeline[-1].at)

    def has(self, what: Happening) -> bool:
        """Tell whether something happened to it."""
        return any(step.what == what for step in self.timeline)

    def happened(self, what: Happening) -> datetime | None:
        """Give when something first happened to it, or None."""
        return next((step.at for step in self.timeline if step.what == what), None)

    def event(self, released_by: str, released_at: datetime) -> Bulletin:
        """Give the released bulletin; `released_by` is a pseudonym."""
        return Bulletin(
            zone_id=self.zone_id,
            bulletin_id=self.bulletin_id,
            network_id=self.network_id,
            kind=self.kind,
            references=self.references,
            status=self.status,
            subject=self.subject,
            body=self.body,
            attachment=self.attachment,
            issued_by=self.issued_by,
            released_by=released_by,
            released_at=released_at,
            expires_at=self.expires_at,
        )


def wait_for_relay(
    proposal: BulletinProposed, network_id: str, now: datetime, times: RelayTimes
) -> BulletinRecord:
    """Turn an accepted proposal into the bulletin of one of its networks."""
    return BulletinRecord(
        bulletin_id=proposal.bulletin_id,
        zone_id=proposal.zone_id,
        network_id=network_id,
        kind=proposal.kind,
        references=proposal.references,
        status=proposal.status,
        subject=proposal.subject,
        body=proposal.body,
        origin="police",
        issued_by=proposal.issued_by,
        issued_at=proposal.issued_at,
        expires_at=proposal.ends_at,
        timeline=(Step(what="proposed", at=now, by=proposal.issued_by),),
        chase_at=now + times.remind_after,
    )


def release(
    bulletin: BulletinRecord, network: NetworkRecord, by: str, now: datetime
) -> BulletinRecord:
    """Relay a waiting bulletin to the members; a released one stays as it is. Raises `Conflict`."""
    if bulletin.state == "released":
        return bulletin
    _check_waits(bulletin, now)
    if network.state != "active":
        raise Conflict(
            "network-not-active",
            "The network is not active: its members get no messages. Activate it first.",
        )
    return _step(bulletin, "released", by, now)


def note_sent(bulletin: BulletinRecord, at: datetime) -> BulletinRecord:
    """Note that all mails of a released bulletin are settled. Again changes nothing."""
    if bulletin.state != "released" or bulletin.has("sent"):
        return bulletin
    step = Step(what="sent", at=at, by=SYSTEM)
    return bulletin.changed(timeline=(*bulletin.timeline, step))


def note_recorded(bulletin: BulletinRecord, at: datetime) -> BulletinRecord:
    """Note that the audit log holds everything of a release. Again changes nothing."""
    if bulletin.state != "released" or bulletin.has("recorded"):
        return bulletin
    step = Step(what="recorded", at=at, by=SYSTEM)
    return bulletin.changed(timeline=(*bulletin.timeline, step))


def send_back(bulletin: BulletinRecord, by: str, reason: str, now: datetime) -> BulletinRecord:
    """Return a waiting bulletin to its officer, with a reason. Raises `Conflict`."""
    if bulletin.state == "returned":
        return bulletin
    _check_waits(bulletin, now)
    return _step(bulletin, "returned", by, now, reason)


def withdraw(
    bulletin: BulletinRecord, by: str, reason: str | None, now: datetime
) -> BulletinRecord:
    """Take a waiting bulletin back, by the police who proposed it. Raises `Conflict`."""
    if bulletin.state == "withdrawn":
        return bulletin
    _check_waits(bulletin, now)
    return _step(bulletin, "withdrawn", by, now, reason)


def expire(bulletin: BulletinRecord, now: datetime) -> BulletinRecord:
    """Let end, on record, what nobody relayed or adopted; anything else stays as it is."""
    if bulletin.state not in _OPEN or bulletin.expires_at > now:
        return bulletin
    return _step(bulletin, "expired", SYSTEM, now)


def withdraw_with_network(bulletin: BulletinRecord, now: datetime) -> BulletinRecord:
    """Take back what is open in a network that is dissolved: dissolving stops every message."""
    if bulletin.state not in _OPEN:
        return bulletin
    return _step(bulletin, "withdrawn", SYSTEM, now, "network dissolved")


def check_suggestion(network: NetworkRecord) -> None:
    """Raise `Conflict` for a tip to a network whose members get no messages."""
    if network.state != "active":
        raise Conflict(
            "network-not-active", "The network is not active: its members get no messages now."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an officer makes of a municipality's tip; None leaves it as it is."""

    subject: Subjects | None = None
    body: Bodies | None = None
    expires_at: datetime | None = None


def adopt(
    bulletin: BulletinRecord,
    officer_id: str,
    edit: Edit,
    *,
    by: str,
    now: datetime,
    times: RelayTimes,
) -> BulletinRecord:
    """Make a tip the police's own, edited: it waits for the coordinator as `prevention`.

    Only the police write about crime, so the officer answers for it from here on. Raises
    `Conflict`, or `Invalid` where subject and body would differ in their languages.
    """
    _check_suggested(bulletin, now)
    subject, body = edit.subject or bulletin.subject, edit.body or bulletin.body
    if set(subject) != set(body):
        raise Invalid(
            "languages-differ", "Subject and body must have the same languages.", field="body"
        )
    expires_at = edit.expires_at or bulletin.expires_at
    if expires_at <= now:
        raise Invalid("already-over", "`expires_at` must lie ahead.", field="expires_at")
    return bulletin.changed(
        state="waiting",
        kind=BulletinKind.PREVENTION,
        subject=subject,
        body=body,
        issued_by=officer_id,
        expires_at=expires_at,
        chase_at=now + times.remind_after,
        timeline=(*bulletin.timeline, Step(what="adopted", at=now, by=by)),
    )


def decline(bulletin: BulletinRecord, by: str, reason: str, now: datetime) -> BulletinRecord:
    """Decline a tip, with the reason that its municipality reads. Raises `Conflict`."""
    if bulletin.state == "declined":
        return bulletin
    _check_suggested(bulletin, now)
    return _step(bulletin, "declined", by, now, reason)


Chase = Literal["reminded", "passed_to_deputy", "escalated"]


def chase(
    bulletin: BulletinRecord, network: NetworkRecord, times: RelayTimes, now: datetime
) -> tuple[BulletinRecord, Chase | None]:
    """Remind of what waits too long: the coordinator, then a deputy, then the officer.

    A step with nobody to take it falls to the next. Gives what was done, None where it is not due.
    """
    if bulletin.state != "waiting" or bulletin.chase_at is None or bulletin.chase_at > now:
        return bulletin, None
    waited = now - bulletin.waits_since
    has_deputy = bool(network.active_deputies(now))
    if waited >= times.officer_after or not network.active_coordinators(now):
        return escalate(bulletin, now), "escalated"
    if waited >= times.deputy_after:
        if not has_deputy:
            return escalate(bulletin, now), "escalated"
        if not bulletin.has("passed_to_deputy"):
            return _chased(bulletin, "passed_to_deputy", times.officer_after, now)
    if not bulletin.has("reminded"):
        return _chased(bulletin, "reminded", times.deputy_after, now)
    later = times.officer_after if bulletin.has("passed_to_deputy") else times.deputy_after
    return bulletin.changed(chase_at=bulletin.waits_since + later), None


def escalate(bulletin: BulletinRecord, now: datetime) -> BulletinRecord:
    """Hand a waiting bulletin to the officer, who from now on may relay it too."""
    if bulletin.state != "waiting" or bulletin.has("escalated"):
        return bulletin
    step = Step(what="escalated", at=now, by=SYSTEM)
    return bulletin.changed(chase_at=None, timeline=(*bulletin.timeline, step))


def _chased(
    bulletin: BulletinRecord, what: Chase, then: timedelta, now: datetime
) -> tuple[BulletinRecord, Chase]:
    step = Step(what=what, at=now, by=SYSTEM)
    after = bulletin.changed(
        chase_at=bulletin.waits_since + then, timeline=(*bulletin.timeline, step)
    )
    return after, what


def _check_suggested(bulletin: BulletinRecord, now: datetime) -> None:
    if bulletin.state == "suggested" and bulletin.expires_at <= now:
        raise Conflict("bulletin-expired", "The tip is past its end; ask for a new one.")
    if bulletin.state != "suggested":
        raise Conflict(
            "bulletin-not-suggested",
            f"The bulletin is {bulletin.state}; only a municipality's tip is adopted or declined.",
            extra={"state": bulletin.state},
        )


def _check_waits(bulletin: BulletinRecord, now: datetime) -> None:
    if bulletin.state == "expired" or bulletin.expires_at <= now:
        raise Conflict(
            "bulletin-expired", "The bulletin is past its end; the officer can propose a new one."
        )
    if bulletin.state != "waiting":
        raise Conflict(
            "bulletin-not-waiting",
            f"The bulletin is {bulletin.state}; only a waiting one can be acted on.",
            extra={"state": bulletin.state},
        )


_End = Literal["declined", "released", "returned", "withdrawn", "expired"]


def _step(
    bulletin: BulletinRecord,
    state: _End,
    by: str,
    now: datetime,
    reason: str | None = None,
) -> BulletinRecord:
    step = Step(what=state, at=now, by=by, reason=reason)
    return bulletin.changed(state=state, chase_at=None, timeline=(*bulletin.timeline, step))
