"""When a network's mailboxes are left alone: the quiet hours of its communication plan. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.contracts.registry import QuietHours

BRUSSELS = ZoneInfo("Europe/Brussels")
"""Communication plans speak of the clock on the wall in Belgium, summer time included."""


def quiet_until(hours: QuietHours | None, now: datetime) -> datetime | None:
    """Give when the quiet hours end in which `now` lies, in UTC; None outside of them.

    They may go over midnight; equal times are no hours at all.
    """
    if hours is None or hours.start == hours.end:
        return None
    local = now.astimezone(BRUSSELS)
    at = local.time()
    over_midnight = hours.start > hours.end
    after, before = at >= hours.start, at < hours.end
    inside = (after or before) if over_midnight else (after and before)
    if not inside:
        return None
    day = local.date()
    if over_midnight and after:
        day += timedelta(days=1)
    end = datetime.combine(day, hours.end, BRUSSELS).astimezone(UTC)
    if end > now:
        return end
    # the hour that comes twice when summer time ends: its second time round
    return datetime.combine(day, hours.end.replace(fold=1), BRUSSELS).astimezone(UTC)
