"""What the General Data Protection Regulation gives a member, as rules.

Articles 15 (access), 17 (erasure), 18 (restriction) and 21 (objection) of Regulation (EU) 2016/679,
and article 5(1)(e): kept no longer than is necessary.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from services.registry.domain.aggregate import Value
from services.registry.domain.coordinator import APPEAL
from services.registry.domain.days import day_of
from services.registry.domain.failures import Conflict, Invalid
from services.registry.domain.measure import Restriction
from services.registry.domain.member import MemberRecord, check_present
from services.registry.domain.network import NetworkRecord
from shared.contracts.base import Id, UtcTime, ZoneId
from shared.contracts.registry import Erasure, Member

ErasedBecause = Literal["request", "retention"]
_DAY = timedelta(days=1)


class Retention(Value):
    """How long what is held; each is a setting of the service."""

    left: timedelta = 90 * _DAY
    """After leaving: as long as an exclusion may be argued about (three weeks to appeal)."""

    pending: timedelta = 60 * _DAY
    """Without an acceptance of the house rules: nobody is kept behind their back."""

    dissolved: timedelta = 90 * _DAY
    """Members of a dissolved network, from its end."""

    measures: timedelta = 730 * _DAY
    """Measures against a member, from their date."""

    coordinators: Annotated[timedelta, Field(ge=APPEAL)] = 90 * _DAY
    """Whoever coordinates no more, from their end: at least as long as they can appeal."""

    bulletins: timedelta = 1095 * _DAY
    """Texts of bulletins, from their end; the yearly evaluations look back on them."""

    meetings: timedelta = 1095 * _DAY
    """Meetings with their minutes, from their end; minutes may name people."""

    alerts: timedelta = 1095 * _DAY
    """Which alert had its feedback, or why not and who said so; evaluations look back on them."""

    figures: timedelta = 3650 * _DAY
    """Counters of what was sent, without a person: invoices rest on them."""

    imports: timedelta = 365 * _DAY
    """That a file was imported: its digest, no person."""


DEFAULT_RETENTION = Retention()


class Erased(Value):
    """What is left of an erased member: a random id and dates, so that no backup undoes it."""

    member_id: Id
    zone_id: ZoneId
    network_id: Id | None
    """None where only the event is known, after a restore."""

    joined_at: UtcTime | None
    left_at: UtcTime | None
    erased_at: UtcTime
    because: ErasedBecause
    version: int

    def event(self, erasure_id: str) -> Erasure:
        """Give the order to drop a person's data everywhere."""
        return Erasure(
            erasure_id=erasure_id,
            member_id=self.member_id,
            zone_id=self.zone_id,
            erased_at=self.erased_at,
        )

    def last_state(self, network_id: str) -> Member:
        """Give what takes the place of the member on the compacted topic: nothing personal."""
        return Member(
            member_id=self.member_id,
            version=self.version,
            zone_id=self.zone_id,
            network_id=network_id,
            state="left",
            language="nl",
            cold_mail=False,
            restricted=True,
        )


def erase(member: MemberRecord, because: ErasedBecause, now: datetime) -> Erased:
    """Give what the law has us keep of a member (GDPR, articles 17 and 5(2)): an id and dates."""
    return Erased(
        member_id=member.member_id,
        zone_id=member.zone_id,
        network_id=member.network_id,
        joined_at=member.joined,
        left_at=member.left_at or now,
        erased_at=now,
        because=because,
        version=member.version + 1,
    )


def past_retention(
    member: MemberRecord, network: NetworkRecord, retention: Retention, now: datetime
) -> bool:
    """Tell whether a member is kept no longer (GDPR, article 5(1)(e))."""
    if network.state == "dissolved" and network.state_since + retention.dissolved <= now:
        return True
    if member.state == "left" and member.left_at is not None:
        return member.left_at + retention.left <= now
    return member.state == "pending" and member.created_at + retention.pending <= now


def restrict(member: MemberRecord, restriction: Restriction) -> MemberRecord:
    """Restrict the processing of a member's data: nothing is sent to them meanwhile.

    The same ground again changes nothing. Raises `Conflict`, `Invalid`.
    """
    check_present(member)
    if restriction.asked_on > day_of(restriction.at):
        raise Invalid("asked-in-future", "They cannot have asked after today.", field="asked_on")
    held = member.restriction
    if held is not None and held.ground == restriction.ground:
        return member
    return member.changed(restricted=True, restriction=restriction)


def lift_restriction(member: MemberRecord, informed_on: date | None, now: datetime) -> MemberRecord:
    """Lift a restriction, once the member was told (GDPR, article 18(3)).

    An unrestricted member stays as they are. Raises `Conflict`, `Invalid`.
    """
    check_present(member)
    if not member.restricted:
        return member
    if informed_on is None:
        raise Conflict(
            "not-informed",
            "A member is told before a restriction is lifted: give the date in `informed_on`.",
            field="informed_on",
        )
    if informed_on > day_of(now):
        raise Invalid(
            "informed-in-future", "They must have been told by today.", field="informed_on"
        )
    return member.changed(restricted=False, restriction=None)
