"""A cold message in one network: waits for its relay, and nothing that happens to it is lost."""

from datetime import datetime
from typing import Literal

from services.registry.domain.aggregate import Aggregate, Value
from services.registry.domain.failures import Conflict
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

BulletinState = Literal["waiting", "released", "returned", "withdrawn", "expired"]
BULLETIN_STATES: tuple[BulletinState, ...] = (
    "waiting",
    "released",
    "returned",
    "withdrawn",
    "expired",
)

Happening = Literal["proposed", "written", "released", "returned", "withdrawn", "expired"]


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
    origin: Literal["police", "coordinator"]
    issued_by: Id
    issued_at: UtcTime
    expires_at: UtcTime
    state: BulletinState = "waiting"
    timeline: tuple[Step, ...]

    @property
    def row_id(self) -> str:
        """Give what is unique: bulletin and network, within the zone."""
        return f"{self.zone_id}|{self.bulletin_id}|{self.network_id}"

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
            issued_by=self.issued_by,
            released_by=released_by,
            released_at=released_at,
            expires_at=self.expires_at,
        )


def wait_for_relay(proposal: BulletinProposed, network_id: str, now: datetime) -> BulletinRecord:
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
    """Let a bulletin that nobody relayed end, on record; anything else stays as it is."""
    if bulletin.state != "waiting" or bulletin.expires_at > now:
        return bulletin
    return _step(bulletin, "expired", "system", now)


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


def _step(
    bulletin: BulletinRecord,
    state: BulletinState,
    by: str,
    now: datetime,
    reason: str | None = None,
) -> BulletinRecord:
    if state == "waiting":
        message = "nothing becomes waiting again"
        raise ValueError(message)
    step = Step(what=state, at=now, by=by, reason=reason)
    return bulletin.changed(state=state, timeline=(*bulletin.timeline, step))
