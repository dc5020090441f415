"""The registry's settings."""

from datetime import timedelta
from typing import Self

from pydantic import BaseModel, model_validator

from services.registry.domain.bulletin import RelayTimes
from services.registry.domain.policy import DEFAULT_POLICY, Policy
from services.registry.domain.privacy import DEFAULT_RETENTION, Retention
from services.registry.domain.tariff import Price, Tariff
from shared.settings import ServiceSettings


class RelaySettings(BaseModel):
    """How long a bulletin waits before the next one hears of it; each longer than the last."""

    remind_after: timedelta = DEFAULT_POLICY.relay.remind_after
    """Until its coordinators are reminded."""

    deputy_after: timedelta = DEFAULT_POLICY.relay.deputy_after
    """Until a deputy is told; where there is none, the officer."""

    officer_after: timedelta = DEFAULT_POLICY.relay.officer_after
    """Until the officer is told, who from then on may relay it."""

    @model_validator(mode="after")
    def _each_later(self) -> Self:
        self.times()
        return self

    def times(self) -> RelayTimes:
        """Give them as the rules use them. Raises `ValueError` where one is not later."""
        return RelayTimes(self.remind_after, self.deputy_after, self.officer_after)


class RegistrySettings(ServiceSettings):
    """Everything the registry needs to start."""

    relay: RelaySettings = RelaySettings()
    feedback_after: timedelta = DEFAULT_POLICY.feedback_after
    """How long after an alert its officer is reminded that feedback is due."""

    segment_prices: tuple[Price, ...] = ()
    """What an SMS segment costs, in euro, by date; figures show a cost where it is set."""

    retention: Retention = DEFAULT_RETENTION
    """How long what is held, each in ISO 8601 (`P90D`)."""

    def policy(self) -> Policy:
        """Give what the operators chose."""
        return Policy(
            relay=self.relay.times(),
            feedback_after=self.feedback_after,
            tariff=Tariff(prices=self.segment_prices),
        )
