"""Whether a member can be reached by SMS: shown as such, never silently skipped."""

from typing import Literal

from services.registry.domain.member import MemberRecord

SmsReach = Literal["reachable", "no_mobile", "stopped"]


def by_sms(member: MemberRecord) -> SmsReach:
    """Tell whether an SMS can reach a member, and why not."""
    if member.mobile is None:
        return "no_mobile"
    return "stopped" if member.sms_stopped else "reachable"
