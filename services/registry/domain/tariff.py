"""What an SMS segment costs, by date: a price counts from its day on, until the next one's."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from services.registry.domain.aggregate import Value


class Price(Value):
    """The price of one segment, in euro, from a day on (Europe/Brussels)."""

    since: date
    per_segment: Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=5)]


class Tariff(Value):
    """The dated prices. Mail costs nothing per piece."""

    prices: tuple[Price, ...] = ()

    def price(self, day: date) -> Decimal | None:
        """Give what a segment costs on a day; None where no price had begun by then."""
        begun = [price for price in self.prices if price.since <= day]
        return max(begun, key=lambda price: price.since).per_segment if begun else None

    def cost(self, segments: Iterable[tuple[date, int]]) -> Decimal | None:
        """Give the cost of segments by day; None where one of the days has no price."""
        total = Decimal(0)
        for day, count in segments:
            price = self.price(day)
            if price is None:
                if count:
                    return None
                continue
            total += price * count
        return total


NO_TARIFF = Tariff()
"""Before anybody stated a price: costs are not known, which is not the same as nothing."""
