"""What the operators of the registry choose: how long things wait, and what an SMS costs."""

from dataclasses import dataclass
from datetime import timedelta

from services.registry.domain.bulletin import RelayTimes
from services.registry.domain.tariff import NO_TARIFF, Tariff

RELAY_TIMES = RelayTimes(
    remind_after=timedelta(hours=24),
    deputy_after=timedelta(hours=48),
    officer_after=timedelta(hours=72),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it, with the defaults that the settings have too."""

    relay: RelayTimes = RELAY_TIMES
    feedback_after: timedelta = timedelta(days=7)
    """How long after an alert its officer is reminded that feedback is due."""

    tariff: Tariff = NO_TARIFF


DEFAULT_POLICY = Policy()
