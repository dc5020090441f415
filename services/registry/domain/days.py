"""Days as people in Belgium count them: the clock of the service is in UTC."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")


def day_of(moment: datetime) -> date:
    """Give the day that it is in Belgium."""
    return moment.astimezone(BRUSSELS).date()
