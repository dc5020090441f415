"""Measures against a member: reprimand, suspension that ends by itself, exclusion.

Source: the role profiles annexed to the ministerial circular of 28 February 2019.
"""

from datetime import datetime

from services.registry.domain.failures import Conflict, Invalid
from services.registry.domain.measure import Measure
from services.registry.domain.member import MemberRecord, check_present


def reprimand(member: MemberRecord, reason: str, by: str, now: datetime) -> MemberRecord:
    """Put a reprimand on record; nothing else changes. Raises `Conflict` for who left."""
    check_present(member)
    return _with(member, Measure(kind="reprimand", reason=reason, by=by, at=now))


def suspend(
    member: MemberRecord, reason: str, by: str, now: datetime, until: datetime
) -> MemberRecord:
    """Suspend an active member until a date. Raises `Invalid`, `Conflict`.

    The same suspension again changes nothing.
    """
    check_present(member)
    if until <= now:
        raise Invalid("period-over", "This period is over; choose a later end.", field="until")
    if member.state == "suspended" and member.suspended_until == until:
        return member
    if member.state != "active":
        raise Conflict(
            "member-not-active",
            "Only an active member is suspended. Reinstate a suspended one first.",
        )
    measure = Measure(kind="suspension", reason=reason, by=by, at=now, until=until)
    return _with(member, measure).model_copy(
        update={"state": "suspended", "suspended_until": until}
    )


def reinstate(member: MemberRecord, reason: str, by: str, now: datetime) -> MemberRecord:
    """End a suspension before its time. An active member stays as they are. Raises `Conflict`."""
    check_present(member)
    return member if member.state != "suspended" else _reinstated(member, reason, by, now)


def end_suspension(member: MemberRecord, now: datetime) -> MemberRecord:
    """End a suspension whose time is over; anybody else stays as they are."""
    if member.state != "suspended" or member.suspended_until is None:
        return member
    if member.suspended_until > now:
        return member
    return _reinstated(member, None, "system", now)


def exclude(member: MemberRecord, reason: str, by: str, now: datetime) -> MemberRecord:
    """Exclude a member, which stops warm and cold at once. Again changes nothing."""
    if member.state == "left":
        return member
    measure = Measure(kind="exclusion", reason=reason, by=by, at=now)
    return _with(member, measure).model_copy(
        update={
            "state": "left",
            "left_at": now,
            "left_by": "exclusion",
            "suspended_until": None,
        }
    )


def forget_measures(member: MemberRecord, before: datetime) -> MemberRecord:
    """Drop measures that were taken, and ended, before a date."""
    kept = tuple(m for m in member.measures if m.at >= before or _runs(member, m))
    return member if len(kept) == len(member.measures) else member.changed(measures=kept)


def _runs(member: MemberRecord, measure: Measure) -> bool:
    return member.state == "suspended" and measure.kind == "suspension" and measure.ended_at is None


def _with(member: MemberRecord, measure: Measure) -> MemberRecord:
    return member.changed(measures=(*member.measures, measure))


def _reinstated(member: MemberRecord, reason: str | None, by: str, now: datetime) -> MemberRecord:
    ended = {"ended_at": now, "ended_by": by, "end_reason": reason}
    measures = tuple(m.model_copy(update=ended) if _runs(member, m) else m for m in member.measures)
    return member.changed(state="active", suspended_until=None, measures=measures)
